import { join, resolve } from 'node:path';
import { type Settings, s3Options } from '../config/settings.js';
import { lockFolder } from './folder-lock.js';
import { FolderReader, type StoreReader } from './folder-reader.js';
import { FolderStore } from './folder-store.js';
import type { ObjectStore } from './object-store.js';
import { openBucket } from './open-store.js';

/** The store of the settings, to read only. */
export interface InspectedStore {
  readonly store: StoreReader;
  /** Absolute path of the folder with the files that `fetch` returns. */
  readonly folder: string;
}

/**
 * Opens the store for reading while a service may own it.
 * @param temp an absolute path: a folder of the caller, for copies of objects
 */
export async function openStoreForReading(settings: Settings, temp: string): Promise<InspectedStore> {
  const bucket = s3Options(settings);
  if (bucket) return { store: await openBucket({ ...bucket, dir: temp }), folder: temp };
  const { STORAGE_DIR, S3_PREFIX = '' } = settings;
  const folder = join(resolve(STORAGE_DIR), S3_PREFIX);
  return { store: new FolderReader(`folder ${join(STORAGE_DIR, S3_PREFIX)}`, folder), folder };
}

export interface ProbeLimits {
  readonly maxRetries: number;
  readonly timeoutMs: number;
}

/**
 * Opens the store as a service would, without testing it.
 * @returns the store, and what closes it and unlocks `STORAGE_DIR`
 * @throws {MonitorError} `store_owned`, `store_lock`, and the errors of a store that cannot be opened
 */
export async function openStoreForProbe(
  settings: Settings,
  limits: ProbeLimits,
): Promise<{ readonly store: ObjectStore; close(): Promise<void> }> {
  const dir = resolve(settings.STORAGE_DIR);
  const bucket = s3Options(settings);
  const lock = await lockFolder(dir);
  try {
    const store = bucket
      ? await openBucket({ ...bucket, ...limits, dir })
      : await FolderStore.open({ dir, prefix: settings.S3_PREFIX });
    return {
      store,
      close: () => store.close().finally(() => lock.release()),
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}
