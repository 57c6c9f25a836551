import type { Job, Queue } from 'bullmq';
import { MonitorError } from '../../../src/domain/errors.js';
import type { Engine } from '../../../src/pipeline/engine.js';
import { readPipelineRun } from '../../../src/pipeline/pipeline-run.js';
import type { Handler } from '../../../src/pipeline/stage-execution.js';
import { MemoryStore } from '../../support/memory-store.js';
import { planOf, sliceOf } from '../../support/stage-results.js';
import { createEngine, enrichResultOf, handlersOf } from './engine-fixture.js';

const MINUTE = 60_000;
const WAIT_MS = 30_000;
const ATTEMPTS = 3;

interface EnqueuedJob {
  /** When its delay ends, ms. */
  readonly due: number;
  readonly job: Job;
}
let now: number;
let jobs: EnqueuedJob[];
let engine: Engine;
let store: MemoryStore;
let running: Job | undefined;

beforeEach(() => {
  now = 0;
  jobs = [];
  store = new MemoryStore();
  const queue = {
    getJob: async (id: string) =>
      jobs.some(({ job }) => job.id === id) ? { getState: async () => 'delayed' } : undefined,
    add: async (name: string, data: unknown, opts: { jobId: string; delay: number }) => {
      jobs.push({
        due: now + opts.delay,
        job: { id: opts.jobId, name, data, opts, attemptsMade: 0 } as unknown as Job,
      });
    },
  } as unknown as Queue;
  engine = createEngine(queue, { store, clock: () => now, stageAttempts: ATTEMPTS, waitMs: WAIT_MS });
});

/** Runs a delta to its end: sets the clock to when the next job is due, and dispatches after each job. */
async function runDelta(enrich: Handler<'enrich'>): Promise<void> {
  const plan = planOf({ slices: [sliceOf({ id: 'a', last: true })] });
  const handlers = { ...handlersOf(plan), enrich };
  await engine.create('delta', { scheduledAt: null });
  for (;;) {
    jobs.sort((a, b) => a.due - b.due);
    const next = jobs.shift();
    if (!next) return;
    now = Math.max(now, next.due);
    running = next.job;
    await engine.runStage(next.job, handlers).catch(() => undefined);
    await engine.dispatch();
  }
}

describe('a stage that waits for a service or a newer process', () => {
  it.each(['catalog_awaited', 'newer_process'])(
    'runs again until it need not wait, without using up its attempts: %s',
    async (code) => {
      let executions = 0;
      await runDelta(async () => {
        executions++;
        if (now < 40 * MINUTE) throw new MonitorError(code, 'No response', {}, true);
        return enrichResultOf();
      });
      expect((await readPipelineRun(store, 'delta-1'))?.status).toBe('done');
      expect(executions).toBe((40 * MINUTE) / WAIT_MS + 1);
      expect(now).toBe(40 * MINUTE);
    },
  );

  it('counts the attempts that fail for other reasons, before and after it waits', async () => {
    let executions = 0;
    await runDelta(async () => {
      const waits = ++executions % 2 === 0;
      throw new MonitorError(waits ? 'catalog_awaited' : 'duckdb', 'No', {}, true);
    });
    const record = await readPipelineRun(store, 'delta-1');
    expect(record).toMatchObject({ status: 'failed', error: { stage: 'enrich', code: 'too_many_tries' } });
    expect(executions).toBe(2 * ATTEMPTS - 1);
  });

  it('is postponed once, even if two workers run it at the same time', async () => {
    let executions = 0;
    await runDelta(async () => {
      // With Redis, a second worker may get a stalled job while the first one still runs it.
      if (++executions === 1 && running) jobs.push({ due: now, job: running });
      if (now >= 2 * MINUTE) return enrichResultOf();
      throw new MonitorError('catalog_awaited', 'No response', {}, true);
    });
    expect((await readPipelineRun(store, 'delta-1'))?.status).toBe('done');
    expect(executions).toBe((2 * MINUTE) / WAIT_MS + 2);
  });
});
