import type { QueueConnection } from './queue-connection.js';

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
  if (redisUrl !== undefined) {
    const { openRedisQueue } = await import('./redis-queue.js');
    return openRedisQueue(redisUrl, prefix);
  }
  // With Redis, Postgres is not loaded.
  const { openEmbeddedQueue } = await import('./embedded-queue.js');
  return openEmbeddedQueue();
}
