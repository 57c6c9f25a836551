import { rm } from 'node:fs/promises';
import { type DuckSession, type Parameters, sql } from '../../storage/duck.js';
import type { StoreReader } from '../../storage/folder-reader.js';
import { createRunsMacro } from '../../storage/judged-runs.js';
import { type Dataset, dayOfKey, partitionKey, partOfKey } from '../../storage/keys.js';
import type { ObjectEntry, ObjectStore, StoredObject } from '../../storage/object-store.js';

const statement = (name: string) => sql(import.meta.url, `./sql/${name}.sql`);

/** What reduces a dataset to what was known at a time. No alert depends on the rows of the others. */
const STATEMENTS: Readonly<Partial<Record<string, string>>> = {
  _base: 'known_base',
  runs: 'known_runs_of_day',
  enriched_metrics: 'known_metrics',
  metric_forecast: 'known_forecasts',
  application_summary: 'hours_of_runs',
};

export interface HistoryOptions {
  /** The UTC days that are read, as `YYYY-MM-DD`. */
  readonly days: readonly string[];
  /** The first time to move to, and the distance between two of them, ms. */
  readonly from: number;
  readonly stepMs: number;
  /** A run first observed longer after its end is late, ms. */
  readonly lateMs: number;
  /** `COUNT_NESTED_RUNS` on a UTC day. */
  readonly countsNestedRuns: (day: string) => boolean;
}

/**
 * A store as a service would have seen it at an earlier time: published objects have only what was known then. Documents are
 * as they were when they were first read. Nothing can be written.
 */
export class HistoryStore implements ObjectStore {
  readonly description: string;
  /** ms */
  private now = Number.NEGATIVE_INFINITY;
  /** The keys of a listing, and the sizes. */
  private readonly listings = new Map<string, Promise<ReadonlyMap<string, number>>>();
  private readonly documents = new Map<string, Promise<StoredObject | undefined>>();
  /** The files that this store has written, by key. */
  private readonly files = new Map<string, { readonly version: number; readonly file: string }>();
  /** The statements of the session, one after another. */
  private last: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly store: StoreReader,
    private readonly session: DuckSession,
    /** By day: when more of it is known, ms, ascending; `Infinity` for a run that has not ended. */
    private readonly changes: ReadonlyMap<string, readonly number[]>,
    private readonly countsNestedRuns: HistoryOptions['countsNestedRuns'],
  ) {
    this.description = store.description;
  }

  /**
   * @param session open as long as this store; may read the files of the store and write temporary ones
   * @returns `undefined` if no run of these days is stored
   */
  static async open(
    store: StoreReader,
    session: DuckSession,
    { days, from, stepMs, lateMs, countsNestedRuns }: HistoryOptions,
  ): Promise<HistoryStore | undefined> {
    const wanted = new Set(days);
    const base: string[] = [];
    for (const month of new Set(days.map(monthOf))) {
      for await (const { key } of store.list(`_base/${month}/`)) {
        const object = wanted.has(dayOfKey(key) ?? '') ? await store.fetch(key) : undefined;
        if (object) base.push(object.file);
      }
    }
    if (base.length === 0) return undefined;
    await createRunsMacro(session);
    await session.run(statement('known_runs'), { base, late: BigInt(lateMs) });
    const rows = await session.rows<{ day: string; at: number | null }>(statement('day_changes'), {
      from: BigInt(from),
      step: BigInt(stepMs),
    });
    const changes = new Map<string, number[]>();
    for (const { day, at } of rows) {
      const own = changes.get(day) ?? [];
      own.push(at ?? Number.POSITIVE_INFINITY);
      changes.set(day, own);
    }
    return new HistoryStore(store, session, changes, countsNestedRuns);
  }

  /** @param now ms, one of the steps */
  moveTo(now: number): void {
    this.now = now;
  }

  get(key: string): Promise<StoredObject | undefined> {
    const known = this.documents.get(key);
    if (known) return known;
    const read = this.store.get(key).then((stored) => stored && { body: stored.body, etag: 'read' });
    this.documents.set(key, read);
    return read;
  }

  /** Of a document. */
  async head(key: string): Promise<ObjectEntry | undefined> {
    const stored = await this.get(key);
    return stored && { key, etag: stored.etag, size: stored.body.length };
  }

  async *list(prefix: string): AsyncIterable<ObjectEntry> {
    for (const [key, size] of await this.listed(prefix)) {
      const version = this.versionOf(key);
      if (version > 0) yield { key, size, etag: `${version}` };
    }
  }

  async fetch(key: string): Promise<{ readonly file: string; readonly etag: string } | undefined> {
    const day = dayOfKey(key);
    const version = this.versionOf(key);
    if (day === undefined || version === 0) return undefined;
    const [dataset = ''] = key.split('/');
    // A folder names a file for every key.
    if (!(await this.listed(`${dataset}/${monthOf(day)}/`)).has(key)) return undefined;
    const file = await this.fileOf(key, dataset as Dataset, day, version);
    return file === undefined ? undefined : { file, etag: `${version}` };
  }

  put(): Promise<never> {
    return readOnly();
  }

  delete(): Promise<never> {
    return readOnly();
  }

  async close(): Promise<void> {}

  /** How often what is known of the day of a key has changed; documents have one version. */
  private versionOf(key: string): number {
    const day = dayOfKey(key);
    if (day === undefined) return 1;
    const changes = this.changes.get(day) ?? [];
    const next = changes.findIndex((at) => at > this.now);
    return next === -1 ? changes.length : next;
  }

  private async fileOf(
    key: string,
    dataset: Dataset,
    day: string,
    version: number,
  ): Promise<string | undefined> {
    const name = STATEMENTS[dataset];
    const isComplete = version === this.changes.get(day)?.length;
    // A day that is complete differs only in when its runs count as observed.
    if (name === undefined || (isComplete && dataset !== '_base')) return (await this.store.fetch(key))?.file;
    const isOfHours = dataset === 'application_summary';
    const source = isOfHours
      ? await this.fetch(partitionKey('runs', day, partOfKey(key)))
      : await this.store.fetch(key);
    if (!source) return undefined;
    return this.inTurn(async () => {
      const written = this.files.get(key);
      if (written?.version === version) return written.file;
      const file = this.session.tempFile(`${dataset}.parquet`);
      const parameters: Parameters = isOfHours
        ? { runs: source.file, count_nested_runs: this.countsNestedRuns(day) }
        : { source: source.file, now: BigInt(this.now) };
      await this.session.run(statement(name), { ...parameters, file });
      this.files.set(key, { version, file });
      if (written) await rm(written.file, { force: true });
      return file;
    });
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.last.then(work);
    this.last = result.catch(() => undefined);
    return result;
  }

  private listed(prefix: string): Promise<ReadonlyMap<string, number>> {
    const known = this.listings.get(prefix);
    if (known) return known;
    const read = sizesBelow(this.store, prefix);
    this.listings.set(prefix, read);
    return read;
  }
}

async function sizesBelow(store: StoreReader, prefix: string): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>();
  for await (const { key, size } of store.list(prefix)) sizes.set(key, size);
  return sizes;
}

const readOnly = (): Promise<never> => Promise.reject(new Error('A store of the past cannot be changed'));
const monthOf = (day: string): string => day.slice(0, 7).replace('-', '/');
