import type { Job, Queue } from 'bullmq';
import { MonitorError } from '../../../src/domain/errors.js';
import { Engine, type Handler } from '../../../src/pipeline/engine.js';
import { readPipelineRun } from '../../../src/pipeline/pipeline-run.js';
import type { EnrichResult } from '../../../src/pipeline/stage-contracts.js';
import { MemoryStore } from '../../support/memory-store.js';
import { answersOf, planOf, sliceOf } from '../../support/plan.js';

const MINUTE = 60_000;
const WAIT = 30_000;
const TRIES = 3;
const ENRICHED: EnrichResult = {
  touched_days: [],
  runs: 1,
  metrics: 0,
  inserted: 1,
  updated: 0,
  unchanged: 0,
  superseded: 0,
  quarantined: 0,
  closed: [],
  partitions_written: 0,
  partitions_unchanged: 0,
};
const rebuilt = async () => ({ days: [], partitions_written: 0, partitions_unchanged: 0 });

interface Due {
  readonly at: number;
  readonly job: Job;
}
let now: number;
let jobs: Due[];
let engine: Engine;
let store: MemoryStore;
let working: Job | undefined;

beforeEach(() => {
  now = 0;
  jobs = [];
  store = new MemoryStore();
  const queue = {
    getJob: async (id: string) =>
      jobs.some(({ job }) => job.id === id) ? { getState: async () => 'delayed' } : undefined,
    add: async (name: string, data: unknown, opts: { jobId: string; delay: number }) => {
      jobs.push({
        at: now + opts.delay,
        job: { id: opts.jobId, name, data, opts, attemptsMade: 0 } as unknown as Job,
      });
    },
  } as unknown as Queue;
  const silent = () => undefined;
  engine = new Engine({
    store,
    queues: { ingestion: queue, enrichment: queue, aggregation: queue },
    clock: () => now,
    stageTries: TRIES,
    waitMs: WAIT,
    backfillConcurrency: 1,
    log: { debug: silent, log: silent, warn: silent, error: silent },
  });
});

/** Runs a delta to its end: the clock goes on to when the next job is due, which is dispatched each minute. */
async function runDelta(enrich: Handler<'enrich'>): Promise<void> {
  const handlers = {
    plan: async () => planOf({ slices: [sliceOf({ id: 'a', last: true })] }),
    fetch: async () => answersOf({}),
    enrich,
    aggregate: rebuilt,
    publish: rebuilt,
  };
  await engine.create('delta', { scheduledAt: null });
  for (;;) {
    jobs.sort((a, b) => a.at - b.at);
    const next = jobs.shift();
    if (!next) return;
    now = Math.max(now, next.at);
    working = next.job;
    await engine.runStage(next.job, handlers).catch(() => undefined);
    await engine.dispatch();
  }
}

describe('a stage that waits for another service', () => {
  it('waits for 40 minutes without using up its tries, and goes on then', async () => {
    let asked = 0;
    await runDelta(async () => {
      asked++;
      if (now < 40 * MINUTE) throw new MonitorError('catalog_awaited', 'It is away', {}, true);
      return ENRICHED;
    });
    expect((await readPipelineRun(store, 'delta-1'))?.status).toBe('done');
    expect(asked).toBe((40 * MINUTE) / WAIT + 1);
    expect(now).toBe(40 * MINUTE);
  });

  it('counts the tries that fail otherwise, before and after it waited', async () => {
    let asked = 0;
    await runDelta(async () => {
      const waits = ++asked % 2 === 0;
      throw new MonitorError(waits ? 'catalog_awaited' : 'duckdb', 'No', {}, true);
    });
    const record = await readPipelineRun(store, 'delta-1');
    expect(record).toMatchObject({ status: 'failed', error: { stage: 'enrich', code: 'too_many_tries' } });
    expect(asked).toBe(2 * TRIES - 1);
  });

  it('has one successor, also when it is worked on twice', async () => {
    let asked = 0;
    await runDelta(async () => {
      // Redis hands the first job on to a second worker while the first one still holds it.
      if (++asked === 1 && working) jobs.push({ at: now, job: working });
      if (now >= 2 * MINUTE) return ENRICHED;
      throw new MonitorError('catalog_awaited', 'It is away', {}, true);
    });
    expect((await readPipelineRun(store, 'delta-1'))?.status).toBe('done');
    expect(asked).toBe((2 * MINUTE) / WAIT + 2);
  });
});
