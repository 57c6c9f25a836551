import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { type Clock } from './config/runtime.js';
import { queueBackendOf, type Settings } from './config/settings.js';
import { openQueueConnection } from './queue/open-queue.js';
import { type QueueConnection, queuePrefixOf, SHARED_PREFIX } from './queue/queue-connection.js';
import { ensureStoreIdentity } from './state/store-identity.js';
import { Duck } from './storage/duck.js';
import { lockFolder } from './storage/folder-lock.js';
import { indexOf } from './storage/object-index.js';
import type { ObjectStore } from './storage/object-store.js';
import { openStore } from './storage/open-store.js';

/** How long the last writes to the store may take during shutdown. */
export const MAX_SAVE_MS = 5_000;

/** Everything that is opened before the application and closed after it. */
export interface Resources {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly store: ObjectStore;
  readonly duck: Duck;
  readonly queue: QueueConnection;
  /** Aborted before the application is closed. */
  readonly stopping: AbortController;
  close(): Promise<void>;
}

/**
 * @param openQueue opens the queue connection
 * @param stop ends the start early
 * @throws {MonitorError} `store_owned`, `store_*` of a bucket, `queue_unreachable`, or `broken_document` of the store's identity; everything is closed then
 * @throws the reason of `stop` or an error of what was closed because of it
 */
export async function openResources(
  settings: Settings,
  clock: Clock = Date.now,
  openQueue = openQueueConnection,
  stop?: AbortSignal,
): Promise<Resources> {
  const dir = resolve(settings.STORAGE_DIR);
  const opened: (() => Promise<void> | void)[] = [];
  const stopped = new Promise<never>((_, reject) => {
    stop?.addEventListener('abort', () => reject(stop.reason), { once: true });
  });
  stopped.catch(() => undefined);
  const close = async () => {
    for (const step of opened.reverse()) await step();
  };
  try {
    // Even with a bucket: two processes must not share temporary files and local copies.
    const lock = await lockFolder(dir);
    opened.push(() => lock.release());
    stop?.throwIfAborted();
    const store = await openStore(settings, dir, {}, stop);
    opened.push(() => store.close());
    // The index only saves reads. An unreachable store must not delay the end: closing it aborts the requests.
    opened.push(() => Promise.race([indexOf(store).save(), wait(MAX_SAVE_MS, undefined, { ref: false })]));
    const duck = await Duck.open(dir, {
      memory: settings.DUCKDB_MEMORY_LIMIT,
      // With a second thread, DuckDB 1.5 polls without a pause while the other thread has the only task of a statement.
      threads: settings.DUCKDB_THREADS ?? 1,
      maxTempSize: settings.DUCKDB_MAX_TEMP_SIZE,
    });
    opened.push(() => duck.close());
    stop?.throwIfAborted();
    const [url, prefix] =
      queueBackendOf(settings) === 'redis'
        ? [settings.REDIS_URL, queuePrefixOf(settings.QUEUE_PREFIX ?? (await ensureStoreIdentity(store)))]
        : [undefined, SHARED_PREFIX];
    // What is left behind at a signal ends with the process.
    const queue = await Promise.race([openQueue(url, prefix), stopped]);
    opened.push(() => queue.close());
    stop?.throwIfAborted();
    return { settings, clock, store, duck, queue, stopping: new AbortController(), close };
  } catch (error) {
    await close();
    throw error;
  }
}
