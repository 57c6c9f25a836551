import type { Job, Queue } from 'bullmq';
import { MS_PER_DAY } from '../../../src/domain/time.js';
import { dueStages, stageName } from '../../../src/pipeline/due-stages.js';
import { Engine, type Handler } from '../../../src/pipeline/engine.js';
import type { PipelineRun } from '../../../src/pipeline/pipeline-run.js';
import type { Plan, Stage } from '../../../src/pipeline/stage-contracts.js';
import { MemoryStore } from '../../support/memory-store.js';

const DAYS = 12;
/** Newest first, as a bootstrap is planned. */
const plan: Plan = {
  from: 0,
  to: DAYS * MS_PER_DAY,
  chunks: [{ experiment_ids: ['1'], from: 0, sweep: false, observed_at: 0 }],
  slices: Array.from({ length: DAYS }, (_, i) => DAYS - 1 - i).map((day) => ({
    id: `c0-${String(day).padStart(8, '0')}`,
    chunk: 0,
    from: day * MS_PER_DAY,
    to: (day + 1) * MS_PER_DAY,
    open_end: day === DAYS - 1,
    last: day === DAYS - 1,
  })),
  open: [],
  page_size: 1000,
};
const rebuilt = { days: [], partitions_written: 0, partitions_unchanged: 0 };
const RESULTS = {
  plan,
  fetch: { pages: [], gone: [], answered: ['1'], refused: [], bytes: 0 },
  enrich: {
    touched_days: [],
    runs: 0,
    metrics: 0,
    inserted: 0,
    updated: 0,
    unchanged: 0,
    superseded: 0,
    quarantined: 0,
    closed: [],
    partitions_written: 0,
    partitions_unchanged: 0,
  },
  aggregate: rebuilt,
  publish: rebuilt,
};

describe('a bootstrap', () => {
  it('takes the newest days through all stages before it begins with older ones', () => {
    const done = new Set<string>();
    const order: string[] = [];
    // One stage after the other; the slice with the most stages done goes first, as the queues would have it.
    for (
      let due = dueStages('bootstrap', plan, done);
      due.length > 0;
      due = dueStages('bootstrap', plan, done)
    ) {
      expect(due.length).toBeLessThanOrEqual(4);
      const stages: Stage[] = ['publish', 'aggregate', 'enrich', 'fetch'];
      const [next] = due.sort((a, b) => stages.indexOf(a.stage) - stages.indexOf(b.stage));
      if (!next) break;
      done.add(stageName(next));
      order.push(stageName(next));
    }
    expect(order).toHaveLength(3 * DAYS + 1);
    expect(order.at(-1)).toBe('all.publish');
    expect(order.slice(0, 3)).toEqual(
      ['fetch', 'enrich', 'aggregate'].map((stage) => `c0-00000011.${stage}`),
    );
  });

  it('asks the queue for each stage once, however many slices it has', async () => {
    let asked = 0;
    const jobs: Job[] = [];
    const queue = {
      getJob: async () => {
        asked++;
        return { getState: async () => 'waiting' };
      },
      add: async (name: string, data: unknown, opts: { jobId: string }) => {
        jobs.push({ id: opts.jobId, name, data, opts, attemptsMade: 0 } as unknown as Job);
      },
    } as unknown as Queue;
    const engine = new Engine({
      store: new MemoryStore(),
      queues: { ingestion: queue, enrichment: queue, aggregation: queue },
      clock: () => DAYS * MS_PER_DAY,
      stageTries: 5,
      waitMs: 0,
      backfillConcurrency: 2,
      log: { debug: () => undefined, log: () => undefined, warn: () => undefined, error: () => undefined },
    });
    const ended: PipelineRun[] = [];
    engine.events.on('finished', (record) => ended.push(record));
    const handlers = Object.fromEntries(
      Object.entries(RESULTS).map(([stage, result]) => [stage, async () => result]),
    ) as unknown as { [S in Stage]: Handler<S> };
    await engine.create('bootstrap', { scheduledAt: null });
    let worked = 0;
    for (let job = jobs.shift(); job; job = jobs.shift()) {
      worked++;
      await engine.runStage(job, handlers);
    }
    expect(ended.map(({ status }) => status)).toEqual(['done']);
    expect(worked).toBe(3 * DAYS + 2);
    expect(asked).toBe(0);
  });
});
