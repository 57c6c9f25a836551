import { BullModule, getQueueToken, Processor, WorkerHost } from '@nestjs/bullmq';
import { Test } from '@nestjs/testing';
import { type Job, Queue, UnrecoverableError, Worker, type WorkerOptions } from 'bullmq';
import { openQueueConnection, type QueueConnection } from '../../../src/queue/queue-connection.js';
import { describeRedis } from '../../support/redis-server.js';

class Deferred<T = void> {
  resolve: (value: T) => void = () => undefined;
  readonly promise = new Promise<T>((resolve) => {
    this.resolve = resolve;
  });
}

/** Lets nobody through before so many wait, then all of them. */
function barrier(size: number): () => Promise<void> {
  let waiting: (() => void)[] = [];
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      if (waiting.length < size) return;
      for (const pass of waiting) pass();
      waiting = [];
    });
}

/** The names of the jobs in the order in which they were completed, once there are so many. */
function completed(workers: readonly Worker[], count: number): Promise<string[]> {
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

/** The first job that failed for good. */
const failed = (worker: Worker): Promise<Job> =>
  new Promise((resolve) => {
    worker.on('failed', (job, error) => {
      const last = job && job.attemptsMade >= (job.opts.attempts ?? 1);
      if (job && (last || error instanceof UnrecoverableError)) resolve(job);
    });
  });

function describeQueue(name: string, redisUrl: () => string | undefined): void {
  describe(`the queue on ${name}`, () => {
    let connection: QueueConnection;
    let queue: Queue;
    let count = 0;
    const workers: Worker[] = [];
    const work = (process: (job: Job) => Promise<unknown>, options: Partial<WorkerOptions> = {}): Worker => {
      const worker = new Worker(queue.name, process, { ...connection.options, ...options });
      workers.push(worker);
      return worker;
    };
    beforeAll(async () => {
      connection = await openQueueConnection(redisUrl());
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

    it('gives back a job by its id, with its data and what became of it', async () => {
      const data = {
        name: 'Żółć 模型 🚀 e\u0301',
        hostile: `../../x '"\\;-- $1 %s\n`,
        list: [1, null, { a: 0.1 }],
      };
      await queue.add('first', data, { jobId: 'delta-1.plan.1' });
      expect((await queue.getJob('delta-1.plan.1'))?.data).toEqual(data);
      expect(await queue.getJob('delta-1.plan.2')).toBeUndefined();
      const seen: unknown[] = [];
      const worker = work(async (job) => {
        seen.push(job.data);
        return { sum: 'größer', value: 1.5 };
      });
      await completed([worker], 1);
      const job = await queue.getJob('delta-1.plan.1');
      expect(seen).toEqual([data]);
      expect(job?.returnvalue).toEqual({ sum: 'größer', value: 1.5 });
      expect(await job?.getState()).toBe('completed');
    });

    it('makes nothing of an id that it knows, before and after the job is done', async () => {
      await queue.add('first', { number: 1 }, { jobId: 'once' });
      await queue.add('second', { number: 2 }, { jobId: 'once' });
      expect(await queue.getJobCounts('waiting', 'completed')).toEqual({ waiting: 1, completed: 0 });
      const worker = work(async () => undefined);
      const two = completed([worker], 2);
      await completed([worker], 1);
      await queue.add('third', { number: 3 }, { jobId: 'once' });
      await queue.add('last', {}, { jobId: 'another' });
      expect(await two).toEqual(['first', 'last']);
      expect(await queue.getJobCounts('waiting', 'completed')).toEqual({ waiting: 0, completed: 2 });
      expect((await queue.getJob('once'))?.data).toEqual({ number: 1 });
    });

    it('works on as many jobs at once as the concurrency says, and on no more', async () => {
      let running = 0;
      let most = 0;
      const three = barrier(3);
      for (let i = 0; i < 9; i += 1) await queue.add('job', { i });
      const worker = work(
        async () => {
          running += 1;
          most = Math.max(most, running);
          await three();
          running -= 1;
        },
        { concurrency: 3 },
      );
      await completed([worker], 9);
      expect(most).toBe(3);
    });

    it('tries a failing job again with growing pauses, then leaves it failed', async () => {
      const times: number[] = [];
      const worker = work(async (job) => {
        if (job.name === 'good') return;
        times.push(performance.now());
        throw new Error(`no ${job.attemptsMade}`);
      });
      const [broken, good] = [failed(worker), completed([worker], 1)];
      await queue.add('bad', {}, { jobId: 'bad', attempts: 3, backoff: { type: 'exponential', delay: 100 } });
      await broken;
      await queue.add('good', {});
      await good;
      const [first = 0, second = 0, third = 0] = times;
      expect(times).toHaveLength(3);
      expect(second - first).toBeGreaterThan(90);
      expect(third - second).toBeGreaterThan(190);
      const job = await queue.getJob('bad');
      expect(await job?.getState()).toBe('failed');
      expect(job).toMatchObject({ failedReason: 'no 2', attemptsMade: 3 });
      expect((await queue.getFailed()).map(({ id }) => id)).toEqual(['bad']);
    });

    it('completes a job that succeeds when it is tried again', async () => {
      const worker = work(async ({ attemptsMade }) => {
        if (attemptsMade === 0) throw new Error('at first');
        return attemptsMade;
      });
      const done = completed([worker], 1);
      const job = await queue.add('shy', {}, { attempts: 2, backoff: 1 });
      await done;
      expect((await queue.getJob(`${job.id}`))?.returnvalue).toBe(1);
      expect(await queue.getFailedCount()).toBe(0);
    });

    it('does not try again what a retry cannot mend', async () => {
      let tries = 0;
      const worker = work(async () => {
        tries += 1;
        throw new UnrecoverableError('never');
      });
      const broken = failed(worker);
      const job = await queue.add('poison', {}, { attempts: 5, backoff: 1 });
      await broken;
      expect(tries).toBe(1);
      expect(await job.getState()).toBe('failed');
    });

    it('holds a delayed job back until its time', async () => {
      const late = await queue.add('late', {}, { delay: 200 });
      expect(await late.getState()).toBe('delayed');
      await queue.add('soon', {});
      expect(await completed([work(async () => undefined)], 2)).toEqual(['soon', 'late']);
      const { processedOn = 0, timestamp } = (await queue.getJob(`${late.id}`)) ?? late;
      expect(processedOn - timestamp).toBeGreaterThanOrEqual(200);
    });

    it('takes what is more urgent first, and equals in the order they came', async () => {
      for (const [job, priority] of [
        ['reevaluation', 25],
        ['backup', 10],
        ['bootstrap', 5],
        ['backup too', 10],
        ['delta', 0],
      ] as const) {
        await queue.add(job, {}, { priority });
      }
      const order = await completed([work(async () => undefined)], 5);
      expect(order).toEqual(['delta', 'bootstrap', 'backup', 'backup too', 'reevaluation']);
    });

    it('lists and counts jobs by state', async () => {
      await queue.add('bad', {}, { priority: 1 });
      await queue.add('good', {}, { priority: 2 });
      await queue.add('held', {}, { priority: 3 });
      await queue.add('next', {}, { priority: 4 });
      await queue.add('later', {}, { delay: 3_600_000 });
      const [held, release] = [new Deferred(), new Deferred()];
      const worker = work(async (job) => {
        if (job.name === 'bad') throw new Error('bad');
        if (job.name !== 'held') return;
        held.resolve();
        await release.promise;
      });
      await held.promise;
      const names = async (state: 'active' | 'completed' | 'failed' | 'prioritized' | 'delayed') =>
        (await queue.getJobs([state])).map((job) => job.name);
      const found = {
        active: await names('active'),
        completed: await names('completed'),
        failed: await names('failed'),
        prioritized: await names('prioritized'),
        delayed: await names('delayed'),
      };
      const counts = await queue.getJobCounts('active', 'completed', 'failed', 'prioritized', 'delayed');
      const closing = worker.close();
      release.resolve();
      await closing;
      expect(found).toEqual({
        active: ['held'],
        completed: ['good'],
        failed: ['bad'],
        prioritized: ['next'],
        delayed: ['later'],
      });
      expect(counts).toEqual({ active: 1, completed: 1, failed: 1, prioritized: 1, delayed: 1 });
    });

    it('closes a worker when the job in its hands is done, and leaves the next one waiting', async () => {
      const [begun, release] = [new Deferred(), new Deferred()];
      const held = await queue.add('held', {});
      const next = await queue.add('next', {});
      const worker = work(async () => {
        begun.resolve();
        await release.promise;
      });
      await begun.promise;
      let closed = false;
      const closing = worker.close().then(() => {
        closed = true;
      });
      expect(await held.getState()).toBe('active');
      expect(closed).toBe(false);
      release.resolve();
      await closing;
      expect(await held.getState()).toBe('completed');
      expect(await next.getState()).toBe('waiting');
    });

    it('shares the jobs between two workers, each job once', async () => {
      const both = barrier(2);
      const done: Record<string, string[]> = { first: [], second: [] };
      const pair = ['first', 'second'].map((name) =>
        work(async (job) => {
          done[name]?.push(`${job.data.i}`);
          await both();
        }),
      );
      const all = completed(pair, 20);
      for (let i = 0; i < 20; i += 1) await queue.add('job', { i });
      await all;
      expect([done.first?.length, done.second?.length]).toEqual([10, 10]);
      expect(new Set([...(done.first ?? []), ...(done.second ?? [])]).size).toBe(20);
    });

    it('wakes a worker that waits', async () => {
      // Longer than the test may take: only a notification wakes it.
      const worker = work(async () => undefined, { drainDelay: 300 });
      const drained = new Promise((resolve) => worker.once('drained', () => resolve(undefined)));
      await queue.add('first', {});
      await drained;
      const done = completed([worker], 1);
      await queue.add('second', {});
      expect(await done).toEqual(['second']);
    });

    it('lets the timers of the process tick while 2,000 jobs go through', async () => {
      let sinceTick = 0;
      let most = 0;
      const ticking = setInterval(() => {
        sinceTick = 0;
      }, 1);
      const worker = work(
        async () => {
          sinceTick += 1;
          most = Math.max(most, sinceTick);
        },
        { concurrency: 4 },
      );
      const done = completed([worker], 2_000);
      await Promise.all(Array.from({ length: 2_000 }, (_, i) => queue.add('job', { i })));
      await done;
      clearInterval(ticking);
      expect(await queue.getCompletedCount()).toBe(2_000);
      expect(most).toBeLessThan(100);
    });

    it('goes on after a flush, which drops everything', async () => {
      const [begun, release] = [new Deferred(), new Deferred()];
      const worker = work(async (job) => {
        if (job.name !== 'held') return;
        begun.resolve();
        await release.promise;
      });
      // Its job is no longer known when the worker wants to complete it.
      const told = new Promise<Error>((resolve) => worker.on('error', resolve));
      await queue.add('held', {}, { jobId: 'held' });
      await queue.add('waiting', {}, { jobId: 'waiting' });
      await queue.add('delayed', {}, { delay: 3_600_000 });
      await begun.promise;
      await connection.flush();
      expect(Object.values(await queue.getJobCounts()).every((number) => number === 0)).toBe(true);
      release.resolve();
      expect((await told).message).toContain('held');
      const done = completed([worker], 1);
      await queue.add('again', {}, { jobId: 'waiting' });
      expect(await done).toEqual(['again']);
    });

    it('serves @nestjs/bullmq', async () => {
      const done = new Deferred<unknown>();
      @Processor('nest', { concurrency: 2 })
      class Consumer extends WorkerHost {
        async process(job: Job): Promise<void> {
          done.resolve(job.data);
        }
      }
      const module = await Test.createTestingModule({
        imports: [BullModule.forRoot(connection.options), BullModule.registerQueue({ name: 'nest' })],
        providers: [Consumer],
      }).compile();
      await module.init();
      const nested: Queue = module.get(getQueueToken('nest'));
      await nested.add('job', { from: 'nest' });
      expect(await done.promise).toEqual({ from: 'nest' });
      await module.close();
      expect(await queue.getJobCounts('waiting')).toEqual({ waiting: 0 });
    });
  });
}

describeQueue('the embedded backend', () => undefined);

describeRedis('with a server', (server) => describeQueue('Redis', () => server().url));
