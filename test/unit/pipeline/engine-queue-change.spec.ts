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
