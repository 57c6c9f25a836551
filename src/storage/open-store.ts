import { setTimeout as wait } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { type Settings, s3Options } from '../config/settings.js';
import { FolderStore } from './folder-store.js';
import type { ObjectStore } from './object-store.js';
import { probeConditionalWrites } from './probe.js';
import type { S3Store, S3StoreOptions } from './s3-store.js';
import { type SingleWriterOptions, SingleWriterStore } from './single-writer.js';

/** A bucket that does not respond ends the start in seconds, however patient the service is later. */
const START_LIMITS = { maxRetries: 2, timeoutMs: 4_000 } as const;

/**
 * Opens the store of the settings.
 * @param dir `STORAGE_DIR`, locked by this process; with a bucket it holds only temporary files and local copies
 * @param stop closes the bucket, so that no request is waited for
 * @throws {StoreError} if the bucket is not writable, or another process must be stopped first
 */
export async function openStore(
  settings: Settings,
  dir: string,
  singleWriter: SingleWriterOptions = {},
  stop?: AbortSignal,
): Promise<ObjectStore> {
  const bucket = s3Options(settings);
  if (!bucket) return FolderStore.open({ dir, prefix: settings.S3_PREFIX });
  const problem = await probeBucket({ ...bucket, dir }, stop);
  const store = await openClosable({ ...bucket, dir }, stop);
  if (problem === undefined) return store;
  try {
    new Logger('Store').warn(
      `CONDITIONAL WRITES OF ${store.description} DO NOT WORK: ${problem}. Only one process may use this store, and no ` +
        'other program may write to it. This process claims the store in _state/owner.json. After an owner that ' +
        'was killed, the claim takes a minute.',
    );
    const pause = (ms: number) => wait(ms, undefined, { signal: stop });
    return await SingleWriterStore.open(store, { pause, ...singleWriter });
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** @returns why conditional writes do not work; `undefined` if they do */
async function probeBucket(
  options: S3StoreOptions,
  stop: AbortSignal | undefined,
): Promise<string | undefined> {
  const store = await openClosable(
    {
      ...options,
      maxRetries: Math.min(options.maxRetries, START_LIMITS.maxRetries),
      timeoutMs: Math.min(options.timeoutMs, START_LIMITS.timeoutMs),
    },
    stop,
  );
  try {
    return await probeConditionalWrites(store);
  } finally {
    await store.close();
  }
}

/** Closing it ends its requests. */
async function openClosable(options: S3StoreOptions, stop: AbortSignal | undefined): Promise<S3Store> {
  const store = await openBucket(options);
  stop?.addEventListener('abort', () => store.close(), { once: true });
  return store;
}

/** Loads the SDK only if there is a bucket: it takes a tenth of the startup time. */
export async function openBucket(options: S3StoreOptions): Promise<S3Store> {
  const { S3Store } = await import('./s3-store.js');
  return S3Store.open(options);
}
