import { z } from 'zod';
import { canonicalJson } from '../domain/canonical-json.js';
import { PreconditionFailedError } from '../storage/errors.js';
import { createDocument, readDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import { type StageId, stageName } from './due-stages.js';
import { runPrefix } from './pipeline-run.js';
import {
  ALL_SLICES,
  type Plan,
  planSchema,
  RESULT_OF_STAGE,
  type Stage,
  type StageResults,
} from './stage-contracts.js';

/** What each finished stage of a run left behind, and the numbers of the tries of those that are not finished. */
export class Markers {
  constructor(
    private readonly store: ObjectStore,
    private readonly runId: string,
  ) {}

  /** The first result of a stage stays; a second execution leaves it as it is. */
  async put<S extends Stage>(slice: string, stage: S, result: StageResults[S]): Promise<void> {
    await createDocument<unknown>(this.store, this.key({ slice, stage }), RESULT_OF_STAGE[stage], result);
  }

  async get<S extends Stage>(slice: string, stage: S): Promise<StageResults[S] | undefined> {
    const schema: z.ZodType = RESULT_OF_STAGE[stage];
    const found = await readDocument(
      this.store,
      this.key({ slice, stage }),
      schema as z.ZodType<StageResults[S]>,
    );
    return found?.value;
  }

  async plan(): Promise<Plan | undefined> {
    return (await readDocument(this.store, this.key({ slice: ALL_SLICES, stage: 'plan' }), planSchema))
      ?.value;
  }

  async has(id: StageId): Promise<boolean> {
    return (await this.store.head(this.key(id))) !== undefined;
  }

  /** A stage whose results are no longer there is worked on again. */
  async remove(id: StageId): Promise<void> {
    await this.store.delete(this.key(id));
  }

  /** The names of all finished stages. */
  done(): Promise<Set<string>> {
    return this.names('done');
  }

  /** The names of all stages that were ever enqueued. */
  tried(): Promise<Set<string>> {
    return this.names('tries');
  }

  private async names(folder: 'done' | 'tries'): Promise<Set<string>> {
    const names = new Set<string>();
    const prefix = `${runPrefix(this.runId)}${folder}/`;
    for await (const { key } of this.store.list(prefix)) names.add(key.slice(prefix.length, -'.json'.length));
    return names;
  }

  async lastTry(id: StageId): Promise<Try | undefined> {
    const found = await readDocument(this.store, this.tryKey(id), trySchema);
    return found && { ...found.value, etag: found.etag };
  }

  /**
   * Claims the next number; undefined: another process was faster and will enqueue it.
   * @param excused the last try does not count: it only found that it must wait
   */
  async nextTry(id: StageId, last: Try | undefined, excused = false): Promise<number | undefined> {
    const number = (last?.number ?? 0) + 1;
    const body = Buffer.from(
      canonicalJson({ version: 1, number, excused: (last?.excused ?? 0) + Number(excused) }),
    );
    try {
      await this.store.put(this.tryKey(id), body, last ? { ifMatch: last.etag } : { ifNoneMatch: '*' });
      return number;
    } catch (error) {
      if (error instanceof PreconditionFailedError) return undefined;
      throw error;
    }
  }

  private key(id: StageId): string {
    return `${runPrefix(this.runId)}done/${stageName(id)}.json`;
  }

  private tryKey(id: StageId): string {
    return `${runPrefix(this.runId)}tries/${stageName(id)}.json`;
  }
}

const trySchema = z.object({ version: z.literal(1), number: z.int(), excused: z.int().default(0) });

interface Try extends Omit<z.infer<typeof trySchema>, 'version'> {
  readonly etag: string;
}
