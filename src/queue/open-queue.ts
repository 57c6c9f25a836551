import { openEmbeddedQueue } from './embedded-queue.js';
import type { QueueConnection } from './queue-connection.js';
import { openRedisQueue } from './redis-queue.js';

/**
 * Opens the backend of all queues and workers that this process creates afterwards.
 * @param redisUrl URL of Redis or Valkey; `undefined` for a queue inside this process, which starts empty
 * @param prefix the prefix of all keys on Redis
 * @throws {MonitorError} `queue_unreachable`, `queue_image_missing`
 */
export async function openQueueConnection(
  redisUrl: string | undefined,
  prefix: string,
): Promise<QueueConnection> {
  return redisUrl === undefined ? openEmbeddedQueue() : openRedisQueue(redisUrl, prefix);
}
