import { Logger } from '@nestjs/common';
import { setDefaultBackendFactory } from 'bullmq';
import { Redis } from 'ioredis';
import { MonitorError } from '../domain/errors.js';
import type { QueueConnection } from './queue-connection.js';

const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_STEP_MS = 200;
const LONGEST_RECONNECT_DELAY_MS = 2_000;

/**
 * Connects to Redis or Valkey.
 * @param prefix the prefix of all keys
 * @throws {MonitorError} `queue_unreachable`, retryable; its message and context hold no password
 */
export async function openRedisQueue(url: string, prefix: string): Promise<QueueConnection> {
  const { protocol, host } = new URL(url);
  const address = `${protocol}//${host}`;
  let connected = false;
  let lastError = `no response within ${CONNECT_TIMEOUT_MS / 1000} s`;
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: null,
    // Reconnect to a server that was reachable before. One that never was is most likely a wrong address.
    retryStrategy: (attempts) =>
      connected ? Math.min(attempts * RECONNECT_STEP_MS, LONGEST_RECONNECT_DELAY_MS) : null,
  });
  // Without a listener ioredis prints errors, which queues and workers report as well.
  redis.on('error', (error: Error) => {
    lastError = error.message;
  });
  const timeout = setTimeout(() => redis.disconnect(), CONNECT_TIMEOUT_MS);
  try {
    await redis.connect();
    await redis.ping();
    connected = true;
  } catch (error) {
    redis.disconnect();
    // Never set `cause`: an error of ioredis holds the failed command, and that of AUTH contains the password.
    const isDisconnect = !(error instanceof Error) || error.message === 'Connection is closed.';
    const reason = isDisconnect ? lastError : error.message;
    const message = `Cannot connect to the queue at ${address} (REDIS_URL): ${reason}`;
    throw new MonitorError('queue_unreachable', message, { address, reason }, true);
  } finally {
    clearTimeout(timeout);
  }
  logOutages(redis, address);
  setDefaultBackendFactory();
  return {
    backend: 'redis',
    options: { connection: redis, prefix },
    async flush() {
      await redis.flushdb();
    },
    info: () => redis.info(),
    otherPrefixes: async () => (await findPrefixes(redis)).filter((each) => each !== prefix),
    async close() {
      // QUIT would wait without a limit for a server that is gone.
      redis.disconnect();
    },
  };
}

/** Keys that one SCAN visits, and the most that are visited: a Redis with millions of other keys must not delay a start. */
const SCAN_COUNT = 1_000;
const MAX_SCANS = 1_000;

/** The prefixes of all installations: each queue has a key `<prefix>:<queue>:meta`. */
async function findPrefixes(redis: Redis): Promise<string[]> {
  const found = new Set<string>();
  let cursor = '0';
  for (let scans = 0; scans < MAX_SCANS; scans++) {
    const [next, keys] = await redis.scan(cursor, 'MATCH', '{mlflow-monitor*}:*:meta', 'COUNT', SCAN_COUNT);
    for (const key of keys) found.add(key.slice(0, key.indexOf('}') + 1));
    cursor = next;
    if (cursor === '0') break;
  }
  return [...found].sort();
}

/** Logs one line when the server becomes unreachable and one when it is back, however many connections are affected. */
function logOutages(redis: Redis, address: string): void {
  const log = new Logger('Queue');
  let isUnreachable = false;
  // `close()` does not trigger `reconnecting`.
  redis.on('reconnecting', () => {
    if (!isUnreachable) log.warn(`The queue at ${address} is unreachable. Jobs resume when it is back.`);
    isUnreachable = true;
  });
  redis.on('ready', () => {
    if (isUnreachable) log.log(`The queue at ${address} is back.`);
    isUnreachable = false;
  });
}
