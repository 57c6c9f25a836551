import type { Job, Queue } from 'bullmq';
import { MS_PER_DAY } from '../../../src/domain/time.js';
import type { PipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { planOf, sliceOf } from '../../support/stage-results.js';
import { createEngine, handlersOf } from './engine-fixture.js';

const DAYS = 12;
/** Newest day first, as a bootstrap is planned. */
const plan = planOf({
  to: DAYS * MS_PER_DAY,
  chunks: [{ experiment_ids: ['1'], from: 0, sweep: false, observed_at: 0, never_ended: true }],
  slices: Array.from({ length: DAYS }, (_, i) => DAYS - 1 - i).map((day) =>
    sliceOf({ id: `d${day}`, from: day * MS_PER_DAY }),
  ),
});
const handlers = handlersOf(plan);

it('a bootstrap enqueues each stage once, without a request to the queue for its jobs', async () => {
  let requests = 0;
  const jobs: Job[] = [];
  const queue = {
    getJob: async () => {
      requests++;
      return { getState: async () => 'waiting' };
    },
    add: async (name: string, data: unknown, opts: { jobId: string }) => {
      jobs.push({ id: opts.jobId, name, data, opts, attemptsMade: 0 } as unknown as Job);
    },
  } as unknown as Queue;
  const engine = createEngine(queue, { clock: () => DAYS * MS_PER_DAY });
  const finished: PipelineRun[] = [];
  engine.events.on('finished', (record) => finished.push(record));
  await engine.create('bootstrap', { scheduledAt: null });
  let executed = 0;
  for (let job = jobs.shift(); job; job = jobs.shift()) {
    executed++;
    await engine.runStage(job, handlers);
  }
  expect(finished.map(({ status }) => status)).toEqual(['done']);
  expect(executed).toBe(3 * DAYS + 3);
  expect(requests).toBe(0);
});
