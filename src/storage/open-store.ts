import { Logger } from '@nestjs/common';
import { type Settings, s3Options } from '../config/settings.js';
import { FolderStore } from './folder-store.js';
import type { ObjectStore } from './object-store.js';
import { probeConditionalWrites } from './probe.js';
import type { S3Store, S3StoreOptions } from './s3-store.js';
import { type SingleWriterOptions, SingleWriterStore } from './single-writer.js';

/**
 * Opens the store that the settings name.
 * @param dir `STORAGE_DIR`, owned by this process; with a bucket it holds only temporary files and local copies
 * @throws {StoreError} when the bucket cannot be written to, or another process must be stopped first
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
      `CONDITIONAL WRITES OF ${store.description} DO NOT HOLD: ${problem}. Exactly one process may use it. ` +
        'This one names itself as the owner in _state/owner.json, which takes a minute after an owner that was ' +
        'killed; no two processes are safe beside each other, and no other program may write there.',
    );
    return await SingleWriterStore.open(store, singleWriter);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The SDK is loaded only where there is a bucket: it is a tenth of a start. */
export async function openBucket(options: S3StoreOptions): Promise<S3Store> {
  const { S3Store } = await import('./s3-store.js');
  return S3Store.open(options);
}
