import { Logger } from '@nestjs/common';
import { type Settings, s3Options } from '../config/settings.js';
import { FolderStore } from './folder-store.js';
import type { ObjectStore } from './object-store.js';
import { probeConditionalWrites } from './probe.js';
import type { S3Store, S3StoreOptions } from './s3-store.js';
import { type SingleWriterOptions, SingleWriterStore } from './single-writer.js';

/**
 * Opens the store of the settings.
 * @param dir `STORAGE_DIR`, locked by this process; with a bucket it holds only temporary files and local copies
 * @throws {StoreError} if the bucket is not writable, or another process must be stopped first
 */
export async function openStore(
  settings: Settings,
  dir: string,
  singleWriter: SingleWriterOptions = {},
): Promise<ObjectStore> {
  const bucket = s3Options(settings);
  if (!bucket) return FolderStore.open({ dir, prefix: settings.S3_PREFIX });
  const store = await openBucket({ ...bucket, dir });
  try {
    const problem = await probeConditionalWrites(store);
    if (problem === undefined) return store;
    new Logger('Store').warn(
      `CONDITIONAL WRITES OF ${store.description} DO NOT WORK: ${problem}. Only one process may use this store, and no ` +
        'other program may write to it. This process claims the store in _state/owner.json. After an owner that ' +
        'was killed, the claim takes a minute.',
    );
    return await SingleWriterStore.open(store, singleWriter);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Loads the SDK only if there is a bucket: it takes a tenth of the startup time. */
export async function openBucket(options: S3StoreOptions): Promise<S3Store> {
  const { S3Store } = await import('./s3-store.js');
  return S3Store.open(options);
}
