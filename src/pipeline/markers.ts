import { z } from 'zod';
import { concurrently } from '../config/concurrently.js';
import { canonicalJson } from '../domain/canonical-json.js';
import { SHARED_PREFIX } from '../queue/queue-connection.js';
import { PreconditionFailedError } from '../storage/errors.js';
import { createDocument, readDocument } from '../storage/json-document.js';
import { listKeys } from '../storage/list-keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import { runPrefix } from './pipeline-run.js';
import {
  ALL_SLICES,
  type Plan,
  planSchema,
  RESULT_OF_STAGE,
  type Stage,
  type StageId,
  type StageResults,
  stageName,
} from './stage-contracts.js';

/** How long a stage took. Absent in markers of older versions. */
const timedSchema = z.object({ seconds: z.number().optional() });
export type Timed<Result> = Result & z.infer<typeof timedSchema>;

export type ReadMarker = <T>(marker: Promise<T | undefined>) => Promise<T | undefined>;

/**
 * The results of the finished stages of a pipeline run, and the number of the last attempt of each stage. An attempt is one
 * job of the queue; the queue counts the retries within a job itself.
 */
export class Markers {
  constructor(
    private readonly store: ObjectStore,
    private readonly pipelineRunId: string,
  ) {}

  /**
   * Stores the result of a stage. If there is one already, it stays.
   * @param seconds how long the stage took
   */
  async put<S extends Stage>(
    slice: string,
    stage: S,
    result: StageResults[S],
    seconds?: number,
  ): Promise<void> {
    const timed = seconds === undefined ? result : { ...result, seconds };
    await createDocument<unknown>(this.store, this.key({ slice, stage }), RESULT_OF_STAGE[stage], timed);
  }

  async get<S extends Stage>(slice: string, stage: S): Promise<Timed<StageResults[S]> | undefined> {
    const schema: z.ZodType = RESULT_OF_STAGE[stage].extend(timedSchema.shape);
    const marker = await readDocument(
      this.store,
      this.key({ slice, stage }),
      schema as z.ZodType<Timed<StageResults[S]>>,
    );
    return marker?.value;
  }

  /**
   * The results of a stage, by slice or unit.
   * @param done names of finished stages
   * @param read what to do with each read of a marker; by default an invalid marker throws `broken_document`
   */
  async results<S extends Stage>(
    stage: S,
    done: Iterable<string>,
    read: ReadMarker = (marker) => marker,
  ): Promise<Map<string, Timed<StageResults[S]>>> {
    const slices = [...done].flatMap((name) =>
      name.endsWith(`.${stage}`) ? name.slice(0, -stage.length - 1) : [],
    );
    const results = await concurrently(slices, (slice) => read(this.get(slice, stage)));
    return new Map(slices.flatMap((slice, i) => (results[i] ? [[slice, results[i]] as const] : [])));
  }

  /** The plan, which callers share and do not modify. A stored plan never changes, so it is read and parsed once. */
  async plan(): Promise<Plan | undefined> {
    const cache = plansOf(this.store);
    const cached = cache.get(this.pipelineRunId);
    if (cached) return cached;
    const key = this.key({ slice: ALL_SLICES, stage: 'plan' });
    const plan = (await readDocument(this.store, key, planSchema))?.value;
    if (plan) {
      const [oldest] = cache.keys();
      if (cache.size >= MAX_PLANS && oldest !== undefined) cache.delete(oldest);
      cache.set(this.pipelineRunId, plan);
    }
    return plan;
  }

  async has(id: StageId): Promise<boolean> {
    return (await this.store.head(this.key(id))) !== undefined;
  }

  /** Makes the stage due again. */
  async remove(id: StageId): Promise<void> {
    await this.store.delete(this.key(id));
  }

  /** The names of all finished stages. */
  async done(): Promise<Set<string>> {
    return (await this.names('done/')).done;
  }

  /** The names of all finished stages, and of all that were ever enqueued. */
  async names(folder: 'done/' | '' = ''): Promise<{ done: Set<string>; tries: Set<string> }> {
    const found = { done: new Set<string>(), tries: new Set<string>() };
    const prefix = runPrefix(this.pipelineRunId);
    for await (const key of listKeys(this.store, `${prefix}${folder}`)) {
      const [, name, stage] = /^(done|tries)\/(.+)\.json$/.exec(key.slice(prefix.length)) ?? [];
      if (stage !== undefined) found[name as 'done' | 'tries'].add(stage);
    }
    return found;
  }

  async lastAttempt(id: StageId): Promise<Attempt | undefined> {
    const stored = await readDocument(this.store, this.attemptKey(id), attemptSchema);
    return stored && { ...stored.value, etag: stored.etag };
  }

  /**
   * Claims the number of the next attempt.
   * @param excused the last attempt does not count, because it only waited for another service or is in another queue
   * @param queue the prefix of the queue that gets the job
   * @returns `undefined` if another process claimed the number first; that process enqueues the attempt
   */
  async claimAttempt(
    id: StageId,
    last: Attempt | undefined,
    { queue = SHARED_PREFIX, excused = false }: { queue?: string; excused?: boolean } = {},
  ): Promise<number | undefined> {
    const number = (last?.number ?? 0) + 1;
    const attempt = { version: 1, number, excused: (last?.excused ?? 0) + Number(excused) };
    const body = Buffer.from(canonicalJson(queue === SHARED_PREFIX ? attempt : { ...attempt, queue }));
    try {
      await this.store.put(this.attemptKey(id), body, last ? { ifMatch: last.etag } : { ifNoneMatch: '*' });
      return number;
    } catch (error) {
      if (error instanceof PreconditionFailedError) return undefined;
      throw error;
    }
  }

  private key(id: StageId): string {
    return `${runPrefix(this.pipelineRunId)}done/${stageName(id)}.json`;
  }

  private attemptKey(id: StageId): string {
    return `${runPrefix(this.pipelineRunId)}tries/${stageName(id)}.json`;
  }
}

/** More than the pipeline runs that are unfinished at the same time: two of each kind, and backfills that people look at. */
const MAX_PLANS = 16;
const plans = new WeakMap<ObjectStore, Map<string, Plan>>();

function plansOf(store: ObjectStore): Map<string, Plan> {
  const known = plans.get(store) ?? new Map<string, Plan>();
  plans.set(store, known);
  return known;
}

/** `excused`: how many of the attempts up to `number` do not count. `queue`: the prefix of the queue that has its job. */
const attemptSchema = z.object({
  version: z.literal(1),
  number: z.int(),
  excused: z.int().default(0),
  queue: z.string().default(SHARED_PREFIX),
});

interface Attempt extends Omit<z.infer<typeof attemptSchema>, 'version'> {
  readonly etag: string;
}
