import { Logger } from '@nestjs/common';
import { setDefaultBackendFactory } from 'bullmq';
import { Cluster, type Redis } from 'ioredis';
import { MonitorError } from '../domain/errors.js';
import { reportError } from '../observability/report-error.js';
import { connectRedis, deniedError, withinTime } from './connect-redis.js';
import type { QueueConnection } from './queue-connection.js';
import { evictionPolicy, parseInfo } from './redis-info.js';

/**
 * Connects to Redis or Valkey: a server, a cluster or what a Sentinel watches.
 * @param prefix the prefix of all keys
 * @throws {MonitorError} `queue_unreachable`, retryable; `queue_evicts` and `queue_denied`, not retryable; without a password
 */
export async function openRedisQueue(url: string, prefix: string): Promise<QueueConnection> {
  const { protocol, host, username } = new URL(url);
  const address = `${protocol}//${host}`;
  const redis = await connectRedis(url, address);
  try {
    await withinTime(redis, address, async () => {
      await refuseEviction(redis, address);
      // What the queues do with their keys, by a script as they do it. Without the right to, each job would fail.
      await redis.eval("return redis.call('DEL', KEYS[1])", 1, `${prefix}:probe`);
      await findPrefixes(redis);
    });
  } catch (error) {
    redis.disconnect();
    throw deniedError(error, address, decodeURIComponent(username)) ?? error;
  }
  logOutages(redis, address);
  setDefaultBackendFactory();
  return {
    backend: 'redis',
    options: { connection: redis, prefix },
    async flush() {
      for (const server of serversOf(redis)) await server.flushdb();
    },
    info: () => infoOf(redis),
    otherPrefixes: async () => (await findPrefixes(redis)).filter((each) => each !== prefix),
    async close() {
      // QUIT would wait without a limit for a server that is gone.
      redis.disconnect();
    },
  };
}

/** The servers that hold keys. */
const serversOf = (redis: Redis | Cluster): readonly Redis[] =>
  redis instanceof Cluster ? redis.nodes('master') : [redis];

const infoOf = (redis: Redis | Cluster): Promise<ReadonlyMap<string, string>[]> =>
  Promise.all(serversOf(redis).map(async (server) => parseInfo(await server.info())));

/** With eviction, jobs disappear when memory is full, some of them in part. */
async function refuseEviction(redis: Redis | Cluster, address: string): Promise<void> {
  for (const info of await infoOf(redis)) {
    const policy = evictionPolicy(info);
    if (policy === undefined) continue;
    const message = `Redis at ${address} (REDIS_URL) has maxmemory-policy ${policy}: it deletes jobs when its memory is full`;
    const advice =
      'Set maxmemory-policy noeviction in redis.conf, or: redis-cli CONFIG SET maxmemory-policy noeviction';
    throw new MonitorError('queue_evicts', message, { address, policy }, false, { advice });
  }
}

/** Keys that one SCAN visits, and the most that are visited: a Redis with millions of other keys must not delay a start. */
const SCAN_COUNT = 1_000;
const MAX_SCANS = 1_000;

/** The prefixes of all installations: each queue has a key `<prefix>:<queue>:meta`. */
async function findPrefixes(redis: Redis | Cluster): Promise<string[]> {
  const found = new Set<string>();
  for (const server of serversOf(redis)) {
    let cursor = '0';
    for (let scans = 0; scans < MAX_SCANS; scans++) {
      const [next, keys] = await server.scan(
        cursor,
        'MATCH',
        '{mlflow-monitor*}:*:meta',
        'COUNT',
        SCAN_COUNT,
      );
      for (const key of keys) found.add(key.slice(0, key.indexOf('}') + 1));
      cursor = next;
      if (cursor === '0') break;
    }
  }
  return [...found].sort();
}

/** Reports that the server is unreachable, and logs that it is back, however many connections are affected. */
function logOutages(redis: Redis | Cluster, address: string): void {
  const log = new Logger('Queue');
  let isUnreachable = false;
  // `close()` does not trigger `reconnecting`.
  redis.on('reconnecting', () => {
    isUnreachable = true;
    const message = `The queue at ${address} is unreachable. Jobs resume when it is back.`;
    reportError(new MonitorError('queue_unreachable', message, { address }, true), { stage: null });
  });
  redis.on('ready', () => {
    if (isUnreachable) log.log(`The queue at ${address} is back.`);
    isUnreachable = false;
  });
}
