import { readFile } from 'node:fs/promises';
import { PGlite } from '@electric-sql/pglite';
import { createPostgresBackend, type QueueOptions, setDefaultBackendFactory } from 'bullmq';
import { Redis } from 'ioredis';
import { MonitorError } from '../domain/errors.js';
import { PGlitePool } from './pglite-pool.js';
import { QUEUE_IMAGE } from './queue-image.js';

export interface QueueConnection {
  readonly backend: 'redis' | 'embedded';
  /** For every queue and worker. */
  readonly options: QueueOptions;
  close(): Promise<void>;
}

/** The braces keep all keys in one slot of a Redis cluster. */
const PREFIX = '{mlflow-monitor}';
const CONNECT_MS = 5_000;

/** Redis or Valkey if there is an address, else a queue inside this process. To be called before any queue is made. */
export function openQueueConnection(redisUrl: string | undefined): Promise<QueueConnection> {
  return redisUrl ? openRedis(redisUrl) : openEmbedded();
}

async function openRedis(url: string): Promise<QueueConnection> {
  const redis = new Redis(url, { maxRetriesPerRequest: null, connectTimeout: CONNECT_MS, lazyConnect: true });
  // Later errors are those of the commands; ioredis connects again by itself.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    const { host } = new URL(url);
    const reason = error instanceof Error ? error.message : String(error);
    throw new MonitorError(
      'queue_unreachable',
      `Redis at ${host} does not answer: ${reason}`,
      { host },
      true,
    );
  }
  return {
    backend: 'redis',
    options: { connection: redis, prefix: PREFIX },
    close: async () => {
      redis.disconnect();
    },
  };
}

/** BullMQ's Postgres backend on a database in memory: a restart is a flush, which loses nothing. */
async function openEmbedded(): Promise<QueueConnection> {
  const image = await readFile(QUEUE_IMAGE);
  const database = await PGlite.create({ loadDataDir: new Blob([new Uint8Array(image)]) });
  await database.exec('SET search_path TO bullmq');
  setDefaultBackendFactory(createPostgresBackend);
  return {
    backend: 'embedded',
    options: { connection: new PGlitePool(database) as never, prefix: PREFIX },
    close: () => database.close(),
  };
}
