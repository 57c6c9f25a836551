import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { concurrently } from '../config/concurrently.js';
import type { Clock } from '../config/runtime.js';
import { MonitorError } from '../domain/errors.js';
import { MS_PER_DAY } from '../domain/time.js';
import type { RepeatedError } from '../observability/repeated-errors.js';
import { reportError } from '../observability/report-error.js';
import { ifReadable, readDocument } from '../storage/json-document.js';
import { listKeys } from '../storage/list-keys.js';
import { indexOf } from '../storage/object-index.js';
import type { ObjectStore } from '../storage/object-store.js';
import { commonVersions, isOlderProcess, supports, type Versions, versionsSchema } from './versions.js';

const PREFIX = '_state/processes/';
const RENEWAL_MS = 60_000;
/** A process that has not renewed its document for this long does not write any more, or is stopped. */
const PRESENT_MS = 10 * RENEWAL_MS;
/** Renewals between two looks for the documents of killed processes. */
const RENEWALS_PER_CLEANUP = 60;

const repeatedErrorSchema = z.object({
  code: z.string(),
  upstream: z.string(),
  experiment_id: z.string().nullable(),
  stage: z.string().nullable(),
  message: z.string(),
  /** Absent in documents of older versions. */
  advice: z.string().nullable().default(null),
  attempt: z.int().nullable(),
  count: z.int(),
  first: z.int(),
  last: z.int(),
});

const schema = z.object({
  version: z.literal(1),
  host: z.string(),
  pid: z.int(),
  roles: z.array(z.string()),
  supports: versionsSchema,
  started_at: z.int(),
  renewed_at: z.int(),
  /** Its current errors. Absent in documents of older versions. */
  errors: z.array(repeatedErrorSchema).optional(),
});
export type PresentProcess = z.infer<typeof schema>;

export interface ProcessesOptions {
  readonly store: ObjectStore;
  /** What this process supports. */
  readonly supported: Versions;
  readonly process: Readonly<Pick<PresentProcess, 'host' | 'pid'>> & { readonly roles: readonly string[] };
  /** Whether other processes may use the store: a folder has one, which needs no document. */
  readonly isShared: boolean;
  /** The current errors of this process. */
  readonly errors?: () => readonly RepeatedError[];
  readonly clock: Clock;
  readonly log: (message: string) => void;
}

/**
 * The processes of a store. Each has a document, renewed every minute and deleted when it stops, with the versions that it
 * supports: a release writes the older versions for as long as an older process is present.
 */
export class Processes {
  private readonly key = `${PREFIX}${randomUUID()}.json`;
  private readonly startedAt: number;
  private timer: NodeJS.Timeout | undefined;
  private renewal: Promise<void> | undefined;
  private renewals = 0;
  private logged: string | undefined;

  constructor(private readonly options: ProcessesOptions) {
    this.startedAt = options.clock();
  }

  /** What this process supports. */
  get supported(): Versions {
    return this.options.supported;
  }

  /** Called by Nest before any job runs. A store that is unavailable does not stop the start: the next renewal tries again. */
  async onModuleInit(): Promise<void> {
    if (!this.options.isShared) return;
    await this.tryRenewal();
    this.timer = setInterval(() => this.tryRenewal(), RENEWAL_MS).unref();
  }

  private async tryRenewal(): Promise<void> {
    await this.renew().catch((error) => reportError(error, { stage: 'presence' }));
  }

  /** Called by Nest after the jobs have ended. */
  async onApplicationShutdown(): Promise<void> {
    if (!this.timer) return;
    clearInterval(this.timer);
    await this.renewal?.catch(() => undefined);
    await this.options.store.delete(this.key).catch(() => undefined);
  }

  /** Also stores what this process knows about objects, for the views of other processes. */
  renew(): Promise<void> {
    this.renewal ??= this.renewOnce().finally(() => {
      this.renewal = undefined;
    });
    return this.renewal;
  }

  private async renewOnce(): Promise<void> {
    const { store, supported, process, clock } = this.options;
    const document: PresentProcess = {
      version: 1,
      ...process,
      roles: [...process.roles],
      supports: supported,
      started_at: this.startedAt,
      renewed_at: clock(),
      errors: [...this.ownErrors()],
    };
    await store.put(this.key, Buffer.from(JSON.stringify(document)));
    await indexOf(store).save();
    if (this.renewals++ % RENEWALS_PER_CLEANUP === 0) await this.deleteDead();
  }

  /** The other processes that are present. */
  async others(): Promise<PresentProcess[]> {
    if (!this.options.isShared) return [];
    const now = this.options.clock();
    const stored = await this.readAll();
    return stored.flatMap(({ key, process }) =>
      process && key !== this.key && now - process.renewed_at < PRESENT_MS ? [process] : [],
    );
  }

  /** The current errors of this process, the newest first. */
  ownErrors(): readonly RepeatedError[] {
    return this.options.errors?.() ?? [];
  }

  /** The current errors of all processes, as the others stored them in the last minute; the newest first. */
  async currentErrors(): Promise<RepeatedError[]> {
    const others = (await this.others()).flatMap(({ errors = [] }) => errors);
    return [...this.ownErrors(), ...others].sort((a, b) => b.last - a.last);
  }

  /** The newest versions that every present process supports. Logs the processes that do not support those of this one. */
  async common(): Promise<Versions> {
    const others = await this.others();
    const older = others.filter((other) => !supports(other.supports, this.supported));
    const names = older.map(({ pid, host }) => `${pid} on ${host}`).sort();
    const message = `Older processes are present (${names.join(', ')}): the versions of the store stay until they have stopped`;
    if (older.length > 0 && message !== this.logged) this.options.log(message);
    this.logged = older.length > 0 ? message : undefined;
    return commonVersions(this.options.supported, ...others.map((other) => other.supports));
  }

  /**
   * For a stage that this process cannot execute, because it is older than the store.
   * @throws {MonitorError} `newer_process` if a worker that can execute it is present: the stage waits for it
   */
  async leaveToNewer(): Promise<void> {
    const others = await this.others();
    const newer = others.find(
      (other) => other.roles.includes('worker') && !supports(this.options.supported, other.supports),
    );
    if (!newer) return;
    const message = `Only a newer release can execute it, such as process ${newer.pid} on ${newer.host}`;
    throw new MonitorError('newer_process', message, {}, true);
  }

  /**
   * For an error of work that only a newer process can do.
   * @throws {MonitorError} as `leaveToNewer`
   * @throws the error
   */
  async handleOlder(error: unknown): Promise<never> {
    if (isOlderProcess(error)) await this.leaveToNewer();
    throw error;
  }

  /** Deletes the documents of processes that were killed a day ago. */
  private async deleteDead(): Promise<void> {
    const { store, clock } = this.options;
    for (const { key, process } of await this.readAll()) {
      if (!process || clock() - process.renewed_at > MS_PER_DAY) await store.delete(key);
    }
  }

  private async readAll(): Promise<{ key: string; process: PresentProcess | undefined }[]> {
    const { store } = this.options;
    const keys: string[] = [];
    for await (const key of listKeys(store, PREFIX)) keys.push(key);
    return concurrently(keys, async (key) => ({
      key,
      process: (await ifReadable(readDocument(store, key, schema)))?.value,
    }));
  }
}
