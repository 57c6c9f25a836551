import type { Job, Queue } from 'bullmq';
import { MonitorError } from '../../../src/domain/errors.js';
import type { OccurredError } from '../../../src/observability/diagnostics.js';
import type { Engine } from '../../../src/pipeline/engine.js';
import type { PipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { type Handler, type StageEnd, sizesOf } from '../../../src/pipeline/stage-execution.js';
import { StoreError } from '../../../src/storage/errors.js';
import { planOf } from '../../support/stage-results.js';
import { createEngine } from './engine-fixture.js';

interface Added {
  readonly name: string;
  readonly data: unknown;
  readonly opts: { readonly jobId: string };
}
let added: Added[];
let engine: Engine;
let ends: StageEnd[];
let finished: [string, boolean][];
let errors: OccurredError[];
let now: number;

beforeEach(async () => {
  added = [];
  now = 5;
  const queue = {
    getJob: async () => undefined,
    add: async (name: string, data: unknown, opts: { jobId: string }) => added.push({ name, data, opts }),
  } as unknown as Queue;
  errors = [];
  const report = (error: OccurredError) => void errors.push(error);
  engine = createEngine(queue, { clock: () => now, stageAttempts: 2, errors: { report } });
  ends = [];
  finished = [];
  engine.events.on('stage', (end) => ends.push(end));
  engine.events.on('finished', ({ status }: PipelineRun, here) => finished.push([status, here]));
  await engine.create('delta', { scheduledAt: null });
});

/** Runs the job of the stage `plan` after so many failed attempts. */
async function runPlan(handler: Handler<'plan'>, attemptsMade = 0): Promise<void> {
  const [job] = added;
  const opts = { ...job?.opts, attempts: 2 };
  const attempt = { ...job, id: job?.opts.jobId, opts, attemptsMade } as unknown as Job;
  await engine.runStage(attempt, { plan: handler }).catch(() => undefined);
}
const throwing = (error: Error) => async () => {
  throw error;
};

describe('the engine emits the end of a stage', () => {
  it('with its result, once', async () => {
    await runPlan(async () => planOf({}));
    await runPlan(async () => planOf({}));
    expect(ends).toEqual([
      { stage: 'plan', outcome: 'done', seconds: expect.any(Number), result: planOf({}) },
    ]);
  });

  it('with whether it is retried, waits or has failed', async () => {
    await runPlan(throwing(new Error('no')));
    expect(ends.at(-1)).toMatchObject({ stage: 'plan', outcome: 'retried', result: null });
    await runPlan(throwing(new MonitorError('catalog_awaited', 'wait', {}, true)));
    expect(ends.at(-1)).toMatchObject({ outcome: 'waiting' });
    await runPlan(throwing(new Error('no')), 1);
    expect(ends.at(-1)).toMatchObject({ outcome: 'failed' });
    expect(ends).toHaveLength(3);
  });

  it('as failed after an error that is not retryable', async () => {
    await runPlan(throwing(new MonitorError('mlflow_unauthorized', 'no')));
    expect(ends.map(({ outcome }) => outcome)).toEqual(['failed']);
  });
});

describe('the engine emits the end of a pipeline run', () => {
  it('with whether this call closed it', async () => {
    await engine.cancel({ kind: 'delta', id: 'delta-1' });
    now = 6;
    await engine.cancel({ kind: 'delta', id: 'delta-1' });
    expect(finished).toEqual([
      ['cancelled', true],
      ['cancelled', false],
    ]);
  });
});

it('the engine tracks a job while it runs, with the heartbeats of its handler', async () => {
  const idleMs: number[] = [];
  await runPlan(async ({ heartbeat }) => {
    const start = performance.now();
    while (performance.now() - start < 5);
    idleMs.push(engine.activeJobs.longestIdleMs());
    heartbeat();
    idleMs.push(engine.activeJobs.longestIdleMs());
    return planOf({});
  });
  const [before = 0, after = 0] = idleMs;
  expect(before).toBeGreaterThanOrEqual(5);
  expect(after).toBeLessThan(before);
  expect(engine.activeJobs.longestIdleMs()).toBe(0);
});

describe('an error of a stage is reported', () => {
  it('with what did not work and the attempt', async () => {
    await runPlan(throwing(new MonitorError('mlflow_unreachable', 'no answer', {}, true)));
    await runPlan(throwing(new StoreError('store_failed', 'no store', {}, true)), 1);
    expect(errors).toEqual([
      {
        code: 'mlflow_unreachable',
        upstream: 'mlflow',
        experiment_id: null,
        stage: 'plan',
        advice: null,
        attempt: 1,
        message: 'no answer',
      },
      expect.objectContaining({ upstream: 'store', attempt: 2 }),
    ]);
  });
});

it('the sizes of a result are its numbers and the lengths of its lists', () => {
  expect(sizesOf({ bytes: 5, pages: [1, 2], text: 'no', nothing: undefined })).toEqual({
    bytes: 5,
    pages: 2,
  });
});
