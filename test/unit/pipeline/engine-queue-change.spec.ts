import type { Queue } from 'bullmq';
import { createPipelineRun, readPipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { SHARED_PREFIX } from '../../../src/queue/queue-connection.js';
import { MemoryStore } from '../../support/memory-store.js';
import { createEngine } from './engine-fixture.js';

/** A queue that loses every job. */
const emptyQueue = (jobs: string[]) =>
  ({
    getJob: async () => undefined,
    add: async (_name: string, _data: unknown, { jobId }: { jobId: string }) => jobs.push(jobId),
  }) as unknown as Queue;

it('a job left under another prefix is enqueued again, and its attempt does not count', async () => {
  const store = new MemoryStore();
  const jobs: string[] = [];
  const dispatch = (queuePrefix: string) =>
    createEngine(emptyQueue(jobs), { store, queuePrefix, stageAttempts: 1 }).dispatch();
  await createPipelineRun(store, 'delta', { scheduledAt: null, now: 0 });
  await dispatch(SHARED_PREFIX);
  await dispatch('{mlflow-monitor-a}');
  expect(jobs).toEqual(['delta-1.all.plan.1', 'delta-1.all.plan.2']);
  expect((await readPipelineRun(store, 'delta-1'))?.status).toBe('active');
  await dispatch('{mlflow-monitor-a}');
  expect(await readPipelineRun(store, 'delta-1')).toMatchObject({
    status: 'failed',
    error: { code: 'too_many_tries' },
  });
});

it('a job that a process of another version refused is enqueued again, and its attempt does not count', async () => {
  const store = new MemoryStore();
  const jobs: string[] = [];
  let failedReason = 'Job delta-1.all.plan.1 has an unknown format: another version enqueued it';
  const queue = {
    ...emptyQueue(jobs),
    getJob: async () => ({ getState: async () => 'failed', failedReason }),
  } as unknown as Queue;
  const engine = createEngine(queue, { store, stageAttempts: 1 });
  await createPipelineRun(store, 'delta', { scheduledAt: null, now: 0 });
  for (let dispatches = 0; dispatches < 3; dispatches++) await engine.dispatch();
  expect(jobs).toEqual([1, 2, 3].map((number) => `delta-1.all.plan.${number}`));
  expect((await readPipelineRun(store, 'delta-1'))?.status).toBe('active');
  failedReason = 'No response';
  await engine.dispatch();
  expect((await readPipelineRun(store, 'delta-1'))?.status).toBe('failed');
});
