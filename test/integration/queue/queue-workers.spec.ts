import { BullModule, getQueueToken, Processor, WorkerHost } from '@nestjs/bullmq';
import { Test } from '@nestjs/testing';
import type { Job, Queue } from 'bullmq';
import { barrier, completed, Deferred, describeQueue } from './queue-fixture.js';

describeQueue('a worker', (fixture) => {
  it('runs exactly as many jobs at the same time as its concurrency allows', async () => {
    const { queue, work } = fixture;
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

  it('shares the jobs with a second worker, each job once', async () => {
    const { queue, work } = fixture;
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

  it('is woken by a new job while it waits', async () => {
    const { queue, work } = fixture;
    // Longer than the time limit of the test, so only a notification can end the wait.
    const worker = work(async () => undefined, { drainDelay: 300 });
    const drained = new Promise((resolve) => worker.once('drained', () => resolve(undefined)));
    await queue.add('first', {});
    await drained;
    const done = completed([worker], 1);
    await queue.add('second', {});
    expect(await done).toEqual(['second']);
  });

  it('closes when its active job has completed, and leaves the next one waiting', async () => {
    const { queue, work } = fixture;
    const [started, release] = [new Deferred(), new Deferred()];
    const active = await queue.add('blocked', {});
    const next = await queue.add('next', {});
    const worker = work(async () => {
      started.resolve();
      await release.promise;
    });
    await started.promise;
    let closed = false;
    const closing = worker.close().then(() => {
      closed = true;
    });
    expect(await active.getState()).toBe('active');
    expect(closed).toBe(false);
    release.resolve();
    await closing;
    expect(await active.getState()).toBe('completed');
    expect(await next.getState()).toBe('waiting');
  });

  it('does not block the timers of the process while it runs 2,000 jobs', async () => {
    const { queue, work } = fixture;
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

  it('continues after a flush, which drops all jobs', async () => {
    const { connection, queue, work } = fixture;
    const [started, release] = [new Deferred(), new Deferred()];
    const worker = work(async (job) => {
      if (job.name !== 'blocked') return;
      started.resolve();
      await release.promise;
    });
    // The queue no longer has the job when the worker completes it.
    const workerError = new Promise<Error>((resolve) => worker.on('error', resolve));
    await queue.add('blocked', {}, { jobId: 'blocked' });
    await queue.add('waiting', {}, { jobId: 'waiting' });
    await queue.add('delayed', {}, { delay: 3_600_000 });
    await started.promise;
    await connection.flush();
    expect(Object.values(await queue.getJobCounts()).every((number) => number === 0)).toBe(true);
    release.resolve();
    expect((await workerError).message).toContain('blocked');
    const done = completed([worker], 1);
    await queue.add('again', {}, { jobId: 'waiting' });
    expect(await done).toEqual(['again']);
  });

  it('works through @nestjs/bullmq', async () => {
    const { connection, queue } = fixture;
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
