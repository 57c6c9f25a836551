import type { Job, Queue } from 'bullmq';
import { MonitorError } from '../../../src/domain/errors.js';
import { Engine, type Handler, type StageEnd } from '../../../src/pipeline/engine.js';
import type { PipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { MemoryStore } from '../../support/memory-store.js';
import { planOf } from '../../support/plan.js';

interface Added {
  readonly name: string;
  readonly data: unknown;
  readonly opts: { readonly jobId: string };
}
let added: Added[];
let engine: Engine;
let ends: StageEnd[];
let finished: [string, boolean][];
let now: number;

beforeEach(async () => {
  added = [];
  now = 5;
  const queue = {
    getJob: async () => undefined,
    add: async (name: string, data: unknown, opts: { jobId: string }) => added.push({ name, data, opts }),
  } as unknown as Queue;
  const silent = () => undefined;
  engine = new Engine({
    store: new MemoryStore(),
    queues: { ingestion: queue, enrichment: queue, aggregation: queue },
    clock: () => now,
    stageTries: 2,
    waitMs: 1,
    backfillConcurrency: 1,
    log: { debug: silent, log: silent, warn: silent, error: silent },
  });
  ends = [];
  finished = [];
  engine.events.on('stage', (end) => ends.push(end));
  engine.events.on('finished', ({ status }: PipelineRun, here) => finished.push([status, here]));
  await engine.create('delta', { scheduledAt: null });
});

/** Works on the stage that makes the plan, in the given attempt of its job. */
async function plan(handler: Handler<'plan'>, attemptsMade = 0): Promise<void> {
  const [job] = added;
  const opts = { ...job?.opts, attempts: 2 };
  const working = { ...job, id: job?.opts.jobId, opts, attemptsMade } as unknown as Job;
  await engine.runStage(working, { plan: handler }).catch(() => undefined);
}
const throwing = (error: Error) => async () => {
  throw error;
};

describe('the end of a stage is told', () => {
  it('with what it left behind, once', async () => {
    await plan(async () => planOf({}));
    await plan(async () => planOf({}));
    expect(ends).toEqual([
      { stage: 'plan', outcome: 'done', seconds: expect.any(Number), result: planOf({}) },
    ]);
  });

  it('by whether it will be tried again', async () => {
    await plan(throwing(new Error('no')));
    expect(ends.at(-1)).toMatchObject({ stage: 'plan', outcome: 'retried', result: null });
    await plan(throwing(new MonitorError('catalog_awaited', 'wait', {}, true)));
    expect(ends.at(-1)).toMatchObject({ outcome: 'waiting' });
    await plan(throwing(new Error('no')), 1);
    expect(ends.at(-1)).toMatchObject({ outcome: 'failed' });
    expect(ends).toHaveLength(3);
  });

  it('also of an error that no retry mends', async () => {
    await plan(throwing(new MonitorError('mlflow_unauthorized', 'no')));
    expect(ends.map(({ outcome }) => outcome)).toEqual(['failed']);
  });
});

describe('the end of a pipeline run is told', () => {
  it('by who finished it: a second end is none', async () => {
    await engine.cancel({ kind: 'delta', id: 'delta-1' });
    now = 6;
    await engine.cancel({ kind: 'delta', id: 'delta-1' });
    expect(finished).toEqual([
      ['cancelled', true],
      ['cancelled', false],
    ]);
  });
});

it('a job that is worked on is held, and moves on when its handler says so', async () => {
  const still: number[] = [];
  await plan(async ({ heartbeat }) => {
    const begin = performance.now();
    while (performance.now() - begin < 5);
    still.push(engine.activeJobs.longestIdleMs());
    heartbeat();
    still.push(engine.activeJobs.longestIdleMs());
    return planOf({});
  });
  const [before = 0, after = 0] = still;
  expect(before).toBeGreaterThanOrEqual(5);
  expect(after).toBeLessThan(before);
  expect(engine.activeJobs.longestIdleMs()).toBe(0);
});
