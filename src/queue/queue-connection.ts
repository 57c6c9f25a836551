import type { QueueOptions } from 'bullmq';

/**
 * The backend of the queues: Redis (`redis-queue.ts`) or embedded (`embedded-queue.ts`). Open it before creating any queue
 * or worker, and close it after all of them.
 */
export interface QueueConnection {
  readonly backend: 'redis' | 'embedded';
  /** For `BullModule.forRoot`, `new Queue` and `new Worker`. */
  readonly options: QueueOptions;
  /** Drops all queues with their jobs, and on Redis everything else in the database. */
  flush(): Promise<void>;
  /** The response of Redis to `INFO`; `undefined` without Redis. */
  info(): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Prefix of all keys. The braces keep them in one slot of a Redis cluster. */
export const QUEUE_PREFIX = '{mlflow-monitor}';
