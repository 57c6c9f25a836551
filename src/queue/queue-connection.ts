import { Logger } from '@nestjs/common';
import { createPostgresBackend, DEFAULT_SCHEMA, type QueueOptions, setDefaultBackendFactory } from 'bullmq';
import { Redis } from 'ioredis';
import { MonitorError } from '../domain/errors.js';
import { PGlitePool } from './pglite-pool.js';
import { QUEUE_IMAGE } from './queue-image.js';

/** The braces keep all keys in one slot of a Redis cluster. */
const PREFIX = '{mlflow-monitor}';
const CONNECT_MS = 5_000;

/** Where the queues live. To be opened before any queue or worker is made, and closed after all of them. */
export interface QueueConnection {
  readonly backend: 'redis' | 'embedded';
  /** For `BullModule.forRoot`, `new Queue` and `new Worker`. */
  readonly options: QueueOptions;
  /** Drops every queue with all that is in it, and on Redis the rest of the database too. */
  flush(): Promise<void>;
  /** What Redis says of itself (`INFO`); undefined: there is no Redis. */
  info(): Promise<string | undefined>;
  close(): Promise<void>;
}

/**
 * Opens the backend of every queue and worker that this process makes from now on.
 * @param redisUrl Redis or Valkey; undefined: a queue inside this process, which starts empty
 * @throws {MonitorError} `queue_unreachable`, `queue_image_missing`
 */
export async function openQueueConnection(redisUrl: string | undefined): Promise<QueueConnection> {
  return redisUrl === undefined ? openEmbedded() : openRedis(redisUrl);
}

async function openEmbedded(): Promise<QueueConnection> {
  const pool = await PGlitePool.open(QUEUE_IMAGE).catch((cause) => {
    if (cause.code !== 'ENOENT') throw cause;
    const message = 'The image of the embedded queue is missing: `npm run build` makes it';
    throw new MonitorError('queue_image_missing', message, { path: QUEUE_IMAGE }, false, { cause });
  });
  await pool.query(`SET search_path TO ${DEFAULT_SCHEMA}`);
  setDefaultBackendFactory(createPostgresBackend);
  return {
    backend: 'embedded',
    options: { connection: pool, prefix: PREFIX },
    async flush() {
      const { rows } = await pool.query(
        `SELECT string_agg(format('%I', tablename), ', ') AS tables
           FROM pg_tables WHERE schemaname = $1 AND tablename <> 'migration'`,
        [DEFAULT_SCHEMA],
      );
      await pool.query(`TRUNCATE ${rows[0].tables}`);
    },
    info: async () => undefined,
    close: () => pool.end(),
  };
}

async function openRedis(url: string): Promise<QueueConnection> {
  const { protocol, host } = new URL(url);
  const address = `${protocol}//${host}`;
  let connected = false;
  let heard = `no answer within ${CONNECT_MS / 1000} s`;
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_MS,
    maxRetriesPerRequest: null,
    // A server that was there comes back; one that never was is most likely a wrong address.
    retryStrategy: (tries) => (connected ? Math.min(tries * 200, 2_000) : null),
  });
  // Queues and workers report what goes wrong later; without a listener here ioredis would print it once more.
  redis.on('error', (error: Error) => {
    heard = error.message;
  });
  const late = setTimeout(() => redis.disconnect(), CONNECT_MS);
  try {
    await redis.connect();
    await redis.ping();
    connected = true;
  } catch (error) {
    redis.disconnect();
    // Never the error itself as the cause: ioredis puts the failed command into it, and that of AUTH is the password.
    const closed = !(error instanceof Error) || error.message === 'Connection is closed.';
    const reason = closed ? heard : error.message;
    const message = `The queue at ${address} (REDIS_URL) cannot be used: ${reason}`;
    throw new MonitorError('queue_unreachable', message, { address, reason }, true);
  } finally {
    clearTimeout(late);
  }
  tellOutages(redis, address);
  setDefaultBackendFactory();
  return {
    backend: 'redis',
    options: { connection: redis, prefix: PREFIX },
    async flush() {
      await redis.flushdb();
    },
    info: () => redis.info(),
    async close() {
      // QUIT would wait for ever on a server that is gone.
      redis.disconnect();
    },
  };
}

/** One line when the server goes and one when it is back, whatever each of the many connections meets. */
function tellOutages(redis: Redis, address: string): void {
  const log = new Logger('Queue');
  let isAway = false;
  // A connection that is closed by this process does not reconnect.
  redis.on('reconnecting', () => {
    if (!isAway) log.warn(`The queue at ${address} is away. Work goes on when it is back.`);
    isAway = true;
  });
  redis.on('ready', () => {
    if (isAway) log.log(`The queue at ${address} is back.`);
    isAway = false;
  });
}
