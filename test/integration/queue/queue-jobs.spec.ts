import { UnrecoverableError } from 'bullmq';
import { completed, Deferred, describeQueue, failed } from './queue-fixture.js';

describeQueue('a queue', (fixture) => {
  it('returns a job by its id, with its data and its result', async () => {
    const { queue, work } = fixture;
    const data = {
      name: 'Żółć 模型 🚀 e\u0301',
      hostile: `../../x '"\\;-- $1 %s\n`,
      list: [1, null, { a: 0.1 }],
    };
    await queue.add('first', data, { jobId: 'delta-1.plan.1' });
    expect((await queue.getJob('delta-1.plan.1'))?.data).toEqual(data);
    expect(await queue.getJob('delta-1.plan.2')).toBeUndefined();
    const received: unknown[] = [];
    const worker = work(async (job) => {
      received.push(job.data);
      return { sum: 'größer', value: 1.5 };
    });
    await completed([worker], 1);
    const job = await queue.getJob('delta-1.plan.1');
    expect(received).toEqual([data]);
    expect(job?.returnvalue).toEqual({ sum: 'größer', value: 1.5 });
    expect(await job?.getState()).toBe('completed');
  });

  it('ignores a job with a known id, before and after that job has completed', async () => {
    const { queue, work } = fixture;
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

  it('delays a job until its time', async () => {
    const { queue, work } = fixture;
    const late = await queue.add('late', {}, { delay: 200 });
    expect(await late.getState()).toBe('delayed');
    await queue.add('soon', {});
    expect(await completed([work(async () => undefined)], 2)).toEqual(['soon', 'late']);
    const { processedOn = 0, timestamp } = (await queue.getJob(`${late.id}`)) ?? late;
    expect(processedOn - timestamp).toBeGreaterThanOrEqual(200);
  });

  it('runs jobs by priority, and jobs of the same priority in the order they were added', async () => {
    const { queue, work } = fixture;
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
    const { queue, work } = fixture;
    await queue.add('bad', {}, { priority: 1 });
    await queue.add('good', {}, { priority: 2 });
    await queue.add('blocked', {}, { priority: 3 });
    await queue.add('next', {}, { priority: 4 });
    await queue.add('later', {}, { delay: 3_600_000 });
    const [started, release] = [new Deferred(), new Deferred()];
    const worker = work(async (job) => {
      if (job.name === 'bad') throw new Error('bad');
      if (job.name !== 'blocked') return;
      started.resolve();
      await release.promise;
    });
    await started.promise;
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
      active: ['blocked'],
      completed: ['good'],
      failed: ['bad'],
      prioritized: ['next'],
      delayed: ['later'],
    });
    expect(counts).toEqual({ active: 1, completed: 1, failed: 1, prioritized: 1, delayed: 1 });
  });

  it('retries a failing job with growing delays, then fails it', async () => {
    const { queue, work } = fixture;
    const times: number[] = [];
    const worker = work(async (job) => {
      if (job.name === 'good') return;
      times.push(performance.now());
      throw new Error(`no ${job.attemptsMade}`);
    });
    const [lastFailure, good] = [failed(worker), completed([worker], 1)];
    await queue.add('bad', {}, { jobId: 'bad', attempts: 3, backoff: { type: 'exponential', delay: 100 } });
    await lastFailure;
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

  it('completes a job that succeeds when it is retried', async () => {
    const { queue, work } = fixture;
    const worker = work(async ({ attemptsMade }) => {
      if (attemptsMade === 0) throw new Error('at first');
      return attemptsMade;
    });
    const done = completed([worker], 1);
    const job = await queue.add('flaky', {}, { attempts: 2, backoff: 1 });
    await done;
    expect((await queue.getJob(`${job.id}`))?.returnvalue).toBe(1);
    expect(await queue.getFailedCount()).toBe(0);
  });

  it('does not retry a job after an unrecoverable error', async () => {
    const { queue, work } = fixture;
    let attempts = 0;
    const worker = work(async () => {
      attempts += 1;
      throw new UnrecoverableError('never');
    });
    const failure = failed(worker);
    const job = await queue.add('poison', {}, { attempts: 5, backoff: 1 });
    await failure;
    expect(attempts).toBe(1);
    expect(await job.getState()).toBe('failed');
  });
});
