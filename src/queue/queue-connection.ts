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
  /** The fields of `INFO` of each Redis that holds keys; none with the embedded queue. */
  info(): Promise<readonly ReadonlyMap<string, string>[]>;
  /** The prefixes of other installations' queues on the same Redis, sorted. */
  otherPrefixes(): Promise<string[]>;
  close(): Promise<void>;
}

/** The prefix of all keys of the embedded queue. Versions without a name for each installation used it on Redis, too. */
export const SHARED_PREFIX = '{mlflow-monitor}';

/** The prefix of all keys of one installation on Redis. The braces keep them in one slot of a Redis cluster. */
export const queuePrefixOf = (installation: string): string => `{mlflow-monitor-${installation}}`;

/** For logs and `validate`. */
export const describePrefix = (prefix: string): string =>
  prefix === SHARED_PREFIX ? `${prefix} (an older version)` : prefix;
