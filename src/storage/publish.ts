import { unlink } from 'node:fs/promises';
import { MonitorError } from '../domain/errors.js';
import { publish } from '../observability/diagnostics.js';
import { assertColumns } from './datasets.js';
import type { ParquetContent } from './duck.js';
import { PreconditionFailedError } from './errors.js';
import type { ObjectFacts } from './index-document.js';
import { publishedDatasetOf } from './keys.js';
import { latestOf } from './latest-objects.js';
import { indexOf } from './object-index.js';
import type { ObjectEntry, ObjectStore } from './object-store.js';

/** Names temporary files, and looks into them: a `DuckSession`. */
export interface TempFiles {
  tempFile(name: string): string;
  /** Absent in tests whose files are not Parquet: nothing is checked or remembered of them. */
  inspect?(file: string): Promise<ParquetContent>;
}

/** A stored object: its ETag and a local copy. */
export interface StoredFile {
  readonly file: string;
  readonly etag: string;
}

/** Writes the new content of an object to a local file. */
export type WriteFile = (file: string) => Promise<void>;

const MAX_ROUNDS = 20;

interface Rounds<Stored> {
  /** Reads the ETag of an object. @param round from 0 */
  read(key: string, round: number): Promise<Stored | undefined>;
  /** Decides which objects to write. Whatever it reads, it reads after the ETags. */
  prepare(stored: ReadonlyMap<string, Stored>, round: number): Promise<ReadonlyMap<string, WriteFile>>;
  /** Called after each put that succeeded. */
  written?(entry: Pick<ObjectEntry, 'key' | 'etag'>): void;
  /** The error code when every round failed. */
  readonly contended: string;
}

/**
 * Publishes objects with compare-and-swap. `prepare` runs after the ETags were read, so whatever it reads is at least as
 * new as they are: a writer with older inputs has an older ETag, and its put fails. A failed put starts a new round, and so
 * does an input that another writer replaced after this round had read its ETag (`PreconditionFailedError`).
 * @returns the number of puts that succeeded
 * @throws {MonitorError} `contended`, retryable
 */
async function publishInRounds<Stored extends { readonly etag: string }>(
  store: ObjectStore,
  tempFiles: TempFiles,
  keys: readonly string[],
  { read, prepare, written, contended }: Rounds<Stored>,
): Promise<number> {
  let puts = 0;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const stored = new Map<string, Stored>();
    for (const key of keys) {
      const object = await read(key, round);
      if (object) stored.set(key, object);
    }
    let conflict = false;
    const files = await unlessConflict(() => prepare(stored, round));
    for (const [key, write] of files ?? []) {
      const etag = await putFile(store, tempFiles, key, stored.get(key)?.etag, write);
      if (etag === undefined) conflict = true;
      else {
        puts++;
        written?.({ key, etag });
      }
    }
    if (files && !conflict) return puts;
  }
  const message = `Other writers changed ${keys.join(', ')} in each of ${MAX_ROUNDS} attempts`;
  throw new MonitorError(contended, message, { keys }, true);
}

/** @returns undefined if another writer changed an object since its ETag was read */
async function unlessConflict<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PreconditionFailedError)) throw error;
    publish({ type: 'store_conflict', object: 'dataset' });
    return undefined;
  }
}

/** @returns the new ETag; undefined if another writer changed the object, or an input, since its ETag was read */
async function putFile(
  store: ObjectStore,
  tempFiles: TempFiles,
  key: string,
  etag: string | undefined,
  write: WriteFile,
): Promise<string | undefined> {
  const file = tempFiles.tempFile(key.replaceAll('/', '-'));
  try {
    return await unlessConflict(async () => {
      await write(file);
      const content = publishedDatasetOf(key) && (await tempFiles.inspect?.(file));
      if (content) assertColumns(key, content.columns);
      const put = await store.put(
        key,
        { file },
        etag === undefined ? { ifNoneMatch: '*' } : { ifMatch: etag },
      );
      if (content) latestOf(store).learn({ key, etag: put, ...content, replaced: etag ?? null });
      return put;
    });
  } finally {
    await unlink(file).catch(() => undefined);
  }
}

/**
 * Publishes one object whose content depends on what is stored.
 * @param prepare undefined: there is nothing to write. It may run several times
 * @param look finds the ETag for the first round
 */
export async function publishObject(
  store: ObjectStore,
  tempFiles: TempFiles,
  key: string,
  prepare: (stored: StoredFile | undefined) => Promise<WriteFile | undefined>,
  contended = 'publish_contended',
  look?: Look,
): Promise<void> {
  await publishInRounds<StoredFile>(store, tempFiles, [key], {
    read: async (_, round) => {
      if (!look || round > 0) return store.fetch(key);
      const entry = await look(key);
      return entry && store.fetch(key, entry);
    },
    prepare: async (stored) => {
      const write = await prepare(stored.get(key));
      return new Map(write ? [[key, write]] : []);
    },
    contended,
  });
}

/** Finds the ETag of an object without downloading it. */
export type Look = (key: string) => Promise<ObjectEntry | undefined>;

export const lookAt =
  (store: ObjectStore): Look =>
  (key) =>
    store.head(key);

/** Whether an object is to be written although it may name its current inputs. */
export type IsForced = (key: string) => boolean;

/** What was read before the first round: the ETags of the derived objects first, then those of their inputs, then the rest. */
export interface Ahead {
  readonly look: Look;
  /** Returns a local file with exactly this version of an input. Absent: it is downloaded. */
  readonly fetch?: (entry: ObjectEntry) => Promise<string>;
  /** Present: exactly these objects are written, whatever inputs they name. */
  readonly forced?: IsForced | undefined;
}

/** The current inputs of a group of derived objects, and how to write an object from exactly these. */
export interface Prepared {
  /** Digest of the inputs. */
  readonly inputs: string;
  /** @throws {PreconditionFailedError} an input was replaced after `prepare` had read its ETag */
  write(key: string, file: string): Promise<void>;
  /** What else is known about an object that was written. */
  factsOf?(key: string): ObjectFacts;
}

export interface Publication<A extends Ahead = Ahead> {
  /** The inputs that a published file names. Called only if the index does not know them. */
  recorded(file: string): Promise<string | undefined>;
  /**
   * Loads the current inputs; undefined if there is nothing to publish.
   * @param ahead only in the first round. Later rounds must read everything again: another writer may have published from
   * newer inputs by then, and older ones would replace them.
   * @throws {PreconditionFailedError} an input was replaced meanwhile
   */
  prepare(ahead: A | undefined): Promise<Prepared | undefined>;
}

export interface PublishCounts {
  readonly written: number;
  readonly unchanged: number;
}

/**
 * Publishes derived objects that share their inputs. An object is rebuilt whenever the inputs that it names differ from
 * the current ones. An unchanged base is no reason to skip this: the process that changed it may have died before it
 * published. Nothing is downloaded to learn that an object is unchanged, if the index knows its inputs.
 */
export async function publishDerived<A extends Ahead>(
  store: ObjectStore,
  tempFiles: TempFiles,
  keys: readonly string[],
  publication: Publication<A>,
  ahead?: A,
): Promise<PublishCounts> {
  const index = indexOf(store);
  let prepared: Prepared | undefined;
  const isCurrent = async (object: ObjectEntry | undefined, { inputs }: Prepared) =>
    object !== undefined && (await recordedInputs(store, object, publication.recorded)) === inputs;
  const written = await publishInRounds<ObjectEntry>(store, tempFiles, keys, {
    read: (key, round) => (round === 0 && ahead ? ahead.look(key) : store.head(key)),
    prepare: async (stored, round) => {
      const current = await publication.prepare(round === 0 ? ahead : undefined);
      prepared = current;
      const outdated = new Map<string, WriteFile>();
      if (!current) return outdated;
      for (const key of keys) {
        if (ahead?.forced ? !ahead.forced(key) : await isCurrent(stored.get(key), current)) continue;
        outdated.set(key, (file) => current.write(key, file));
      }
      return outdated;
    },
    written: (entry) =>
      prepared && index.learn(entry, { inputs: prepared.inputs, ...prepared.factsOf?.(entry.key) }),
    contended: 'publish_contended',
  });
  if (!prepared) return { written: 0, unchanged: 0 };
  return { written, unchanged: keys.length - Math.min(written, keys.length) };
}

/** Whether derived objects name their current inputs. `outdated`: one does not, or it must be read to know. `none`: nothing is to be published. */
export type Comparison = 'current' | 'outdated' | 'none';

/**
 * Compares derived objects with their current inputs, by what was read ahead and what the index knows: nothing is
 * downloaded.
 */
export async function compareDerived<A extends Ahead>(
  store: ObjectStore,
  keys: readonly string[],
  { prepare }: Pick<Publication<A>, 'prepare'>,
  ahead: A,
): Promise<Comparison> {
  const { forced } = ahead;
  if (forced) return keys.some(forced) ? 'outdated' : 'current';
  const index = indexOf(store);
  let isKnown = true;
  const fetch = async ({ key }: ObjectEntry): Promise<never> => {
    isKnown = false;
    throw new PreconditionFailedError(key);
  };
  const look: Look = async (key) => {
    const entry = await ahead.look(key);
    return entry && !index.find(entry) ? fetch(entry) : entry;
  };
  try {
    const current = await prepare({ ...ahead, look, fetch });
    if (!current) return 'none';
    for (const key of keys) {
      const entry = await look(key);
      if (!entry || index.find(entry)?.inputs !== current.inputs) return 'outdated';
    }
    return 'current';
  } catch (error) {
    if (isKnown) throw error;
    return 'outdated';
  }
}

/**
 * The inputs that a stored object names, from the index or else from the object.
 * @param read the inputs that a file names
 * @throws {PreconditionFailedError} the object was replaced meanwhile
 */
export async function recordedInputs(
  store: ObjectStore,
  entry: ObjectEntry,
  read: (file: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  const index = indexOf(store);
  const known = index.find(entry)?.inputs;
  if (known !== undefined) return known;
  const inputs = await read(await fetchExactly(store, entry));
  if (inputs !== undefined) index.learn(entry, { inputs });
  // Whoever put it may have died before it was named.
  latestOf(store).learn({ ...entry, rows: null });
  return inputs;
}

/**
 * A local copy of exactly this version of an object.
 * @throws {PreconditionFailedError} the object was replaced or deleted meanwhile
 */
export async function fetchExactly(store: ObjectStore, entry: ObjectEntry): Promise<string> {
  const object = await store.fetch(entry.key, entry);
  if (object?.etag !== entry.etag) throw new PreconditionFailedError(entry.key);
  return object.file;
}
