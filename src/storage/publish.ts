import { unlink } from 'node:fs/promises';
import { MonitorError } from '../domain/errors.js';
import { publish } from '../observability/diagnostics.js';
import { PreconditionFailedError } from './errors.js';
import type { ObjectStore } from './object-store.js';

/** Names temporary files: a `DuckSession`. */
export interface TempFiles {
  tempFile(name: string): string;
}

/** A stored object: its ETag and a local copy. */
export interface StoredFile {
  readonly file: string;
  readonly etag: string;
}

/** Writes the new content of an object to a local file. */
export type WriteFile = (file: string) => Promise<void>;

const MAX_ROUNDS = 20;

/**
 * Publishes objects with compare-and-swap. `prepare` runs after the ETags were read, so whatever it reads is at least as
 * new as they are: a writer with older inputs has an older ETag, and its put fails. A failed put starts a new round.
 * @param prepare decides which objects to write, from what is stored; it may run several times
 * @param contended the error code when every round failed
 * @returns the number of puts that succeeded
 * @throws {MonitorError} `contended`, retryable
 */
export async function publishObjects(
  store: ObjectStore,
  tempFiles: TempFiles,
  keys: readonly string[],
  prepare: (stored: ReadonlyMap<string, StoredFile>) => Promise<ReadonlyMap<string, WriteFile>>,
  contended = 'publish_contended',
): Promise<number> {
  let written = 0;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const stored = new Map<string, StoredFile>();
    for (const key of keys) {
      const object = await store.fetch(key);
      if (object) stored.set(key, object);
    }
    let conflict = false;
    for (const [key, write] of await prepare(stored)) {
      if (await putFile(store, tempFiles, key, stored.get(key)?.etag, write)) written++;
      else conflict = true;
    }
    if (!conflict) return written;
  }
  const message = `Other writers changed ${keys.join(', ')} in each of ${MAX_ROUNDS} attempts`;
  throw new MonitorError(contended, message, { keys }, true);
}

/** @returns false if another writer changed the object since its ETag was read */
async function putFile(
  store: ObjectStore,
  tempFiles: TempFiles,
  key: string,
  etag: string | undefined,
  write: WriteFile,
): Promise<boolean> {
  const file = tempFiles.tempFile(key.replaceAll('/', '-'));
  try {
    await write(file);
    await store.put(key, { file }, etag === undefined ? { ifNoneMatch: '*' } : { ifMatch: etag });
    return true;
  } catch (error) {
    if (!(error instanceof PreconditionFailedError)) throw error;
    publish({ type: 'store_conflict', object: 'dataset' });
    return false;
  } finally {
    await unlink(file).catch(() => undefined);
  }
}

/**
 * `publishObjects` of one object.
 * @param prepare undefined: there is nothing to write
 */
export async function publishObject(
  store: ObjectStore,
  tempFiles: TempFiles,
  key: string,
  prepare: (stored: StoredFile | undefined) => Promise<WriteFile | undefined>,
  contended?: string,
): Promise<void> {
  const prepareAll = async (stored: ReadonlyMap<string, StoredFile>) => {
    const write = await prepare(stored.get(key));
    return new Map(write ? [[key, write]] : []);
  };
  await publishObjects(store, tempFiles, [key], prepareAll, contended);
}

/** The current inputs of a group of derived objects, and how to write an object from exactly these. */
export interface Prepared {
  /** Digest of the inputs. */
  readonly inputs: string;
  write(key: string, file: string): Promise<void>;
}

export interface Publication {
  /** The inputs that a published file names. */
  recorded(file: string): Promise<string | undefined>;
  /** Loads the current inputs; undefined if there is nothing to publish. */
  prepare(): Promise<Prepared | undefined>;
}

export interface PublishCounts {
  readonly written: number;
  readonly unchanged: number;
}

/**
 * Publishes derived objects that share their inputs. An object is rebuilt whenever the inputs that it names differ from
 * the current ones. An unchanged base is no reason to skip this: the process that changed it may have died before it
 * published.
 */
export async function publishDerived(
  store: ObjectStore,
  tempFiles: TempFiles,
  keys: readonly string[],
  publication: Publication,
): Promise<PublishCounts> {
  let prepared: Prepared | undefined;
  const written = await publishObjects(store, tempFiles, keys, async (stored) => {
    const current = await publication.prepare();
    prepared = current;
    const outdated = new Map<string, WriteFile>();
    if (!current) return outdated;
    for (const key of keys) {
      const object = stored.get(key);
      if (object && (await publication.recorded(object.file)) === current.inputs) continue;
      outdated.set(key, (file) => current.write(key, file));
    }
    return outdated;
  });
  if (!prepared) return { written: 0, unchanged: 0 };
  return { written, unchanged: keys.length - Math.min(written, keys.length) };
}
