import { type Job, Queue, UnrecoverableError, Worker, type WorkerOptions } from 'bullmq';
import { openQueueConnection } from '../../../src/queue/open-queue.js';
import { type QueueConnection, queuePrefixOf } from '../../../src/queue/queue-connection.js';
import { describeRedis } from '../../support/redis-server.js';

export class Deferred<T = void> {
  resolve: (value: T) => void = () => undefined;
  readonly promise = new Promise<T>((resolve) => {
    this.resolve = resolve;
  });
}

/** Blocks its callers until `size` of them are waiting, then releases them all. */
export function barrier(size: number): () => Promise<void> {
  let waiting: (() => void)[] = [];
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length < size) return;
      for (const release of waiting) release();
      waiting = [];
    });
}

/** The names of the first `count` completed jobs, in the order of completion. */
export function completed(workers: readonly Worker[], count: number): Promise<string[]> {
  const names: string[] = [];
  return new Promise((resolve) => {
    for (const worker of workers) {
      worker.on('completed', ({ name }) => {
        names.push(name);
        if (names.length === count) resolve(names);
      });
    }
  });
}

/** The first job that fails and is not retried. */
export const failed = (worker: Worker): Promise<Job> =>
  new Promise((resolve) => {
    worker.on('failed', (job, error) => {
      const isLast = job && job.attemptsMade >= (job.opts.attempts ?? 1);
      if (job && (isLast || error instanceof UnrecoverableError)) resolve(job);
    });
  });

export interface QueueFixture {
  readonly connection: QueueConnection;
  /** A new queue for each test. */
  readonly queue: Queue;
  /** Starts a worker of the queue, which is closed after the test. */
  work(process: (job: Job) => Promise<unknown>, options?: Partial<WorkerOptions>): Worker;
}

/** Runs the tests on both backends. */
export function describeQueue(theme: string, tests: (fixture: QueueFixture) => void): void {
  describeBackend(`${theme} on the embedded backend`, () => undefined, tests);
  describeRedis('with a server', (server) => {
    describeBackend(`${theme} on Redis`, () => server().url, tests);
  });
}

function describeBackend(
  name: string,
  redisUrl: () => string | undefined,
  tests: (fixture: QueueFixture) => void,
): void {
  describe(name, () => {
    let connection: QueueConnection;
    let queue: Queue;
    let count = 0;
    const workers: Worker[] = [];
    beforeAll(async () => {
      connection = await openQueueConnection(redisUrl(), queuePrefixOf('test'));
    });
    afterAll(() => connection.close());
    beforeEach(() => {
      count += 1;
      queue = new Queue(`queue-${count}`, connection.options);
    });
    afterEach(async () => {
      await Promise.all(workers.splice(0).map((worker) => worker.close()));
      await queue.close();
    });
    tests({
      get connection() {
        return connection;
      },
      get queue() {
        return queue;
      },
      work(process, options = {}) {
        const worker = new Worker(queue.name, process, { ...connection.options, ...options });
        workers.push(worker);
        return worker;
      },
    });
  });
}
