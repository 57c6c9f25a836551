import { unlink } from 'node:fs/promises';
import { MonitorError } from '../domain/errors.js';
import { publish } from '../observability/diagnostics.js';
import { PreconditionFailedError } from './errors.js';
import type { ObjectStore } from './object-store.js';

/** The current inputs of a group of derived objects, and how to write one made from exactly these. */
export interface Prepared {
  /** Digest of the inputs. */
  readonly inputs: string;
  write(key: string, file: string): Promise<void>;
}

/** Where new files are written: a `DuckSession`. */
export interface TempFiles {
  tempFile(name: string): string;
}

export interface Publication {
  /** The inputs that a published file names. */
  recorded(file: string): Promise<string | undefined>;
  /** Loads the current inputs; undefined: there is nothing to publish. */
  prepare(): Promise<Prepared | undefined>;
}

export interface PublishCounts {
  readonly written: number;
  readonly unchanged: number;
}

const ROUNDS = 20;

/**
 * Makes derived objects that share their inputs equal to these inputs. The objects' ETags are read first, then the inputs:
 * whoever read older inputs has an older ETag and loses. An object is rebuilt whenever the inputs it names differ; an
 * unchanged base is no reason to skip, for the last writer may have died. A lost race starts over.
 */
export async function publishTogether(
  store: ObjectStore,
  tempFiles: TempFiles,
  keys: readonly string[],
  publication: Publication,
): Promise<PublishCounts> {
  let written = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const before = new Map<string, { file: string; etag: string } | undefined>();
    for (const key of keys) before.set(key, await store.fetch(key));
    const prepared = await publication.prepare();
    if (!prepared) return { written: 0, unchanged: 0 };
    let lost = false;
    for (const [key, stored] of before) {
      if (stored && (await publication.recorded(stored.file)) === prepared.inputs) continue;
      const file = tempFiles.tempFile(key.replaceAll('/', '-'));
      try {
        await prepared.write(key, file);
        await store.put(key, { file }, stored ? { ifMatch: stored.etag } : { ifNoneMatch: '*' });
        written++;
      } catch (error) {
        if (!(error instanceof PreconditionFailedError)) throw error;
        publish({ type: 'store_conflict', object: 'dataset' });
        lost = true;
      } finally {
        await unlink(file).catch(() => undefined);
      }
    }
    if (!lost) return { written, unchanged: keys.length - Math.min(written, keys.length) };
  }
  throw new MonitorError('publish_contended', `${keys[0]} changed under ${ROUNDS} attempts`, { keys }, true);
}
