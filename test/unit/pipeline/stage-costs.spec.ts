import type { Job, Queue } from 'bullmq';
import type { PipelineKind } from '../../../src/domain/model.js';
import { MS_PER_DAY } from '../../../src/domain/time.js';
import type { Engine } from '../../../src/pipeline/engine.js';
import type { PipelineRun } from '../../../src/pipeline/pipeline-run.js';
import type { Plan } from '../../../src/pipeline/stage-contracts.js';
import { CountingStore } from '../../support/counting-store.js';
import { MemoryStore } from '../../support/memory-store.js';
import { planOf, sliceOf } from '../../support/stage-results.js';
import { createEngine, handlersOf } from './engine-fixture.js';

/** The chunks of 2,000 experiments. */
const CHUNKS = 40;
/** The slices of a run of two processes. */
const SHARED_SLICES = 120;
/** 4,000 stages are executed. */
const TIME_LIMIT_MS = 60_000;

function planOfSlices(kind: PipelineKind, count: number): Plan {
  const days = Math.ceil(count / CHUNKS);
  const slices = Array.from({ length: count }, (_, i) => {
    const day = Math.floor(i / CHUNKS);
    const from = (kind === 'bootstrap' ? days - 1 - day : day) * MS_PER_DAY;
    return sliceOf({ id: `c${i % CHUNKS}-${from / MS_PER_DAY}`, from, to: from + MS_PER_DAY });
  });
  return planOf({ to: days * MS_PER_DAY, slices });
}

/** Processes that share a store and a queue, and run its jobs in turn. */
class Processes {
  private readonly memory = new MemoryStore();
  private readonly jobs: Job[] = [];
  readonly stores: CountingStore[] = [];
  private readonly engines: Engine[] = [];
  /** Names of the executed stages. */
  readonly executed: string[] = [];
  readonly finished: PipelineRun[] = [];

  constructor(count: number) {
    const queue = {
      getJob: async (id: string) =>
        this.jobs.some((job) => job.id === id) ? { getState: async () => 'waiting' } : undefined,
      add: async (name: string, data: unknown, opts: { jobId: string }) => {
        this.jobs.push({ id: opts.jobId, name, data, opts, attemptsMade: 0 } as unknown as Job);
      },
    } as unknown as Queue;
    for (let i = 0; i < count; i++) {
      const store = new CountingStore(this.memory);
      const engine = createEngine(queue, { store, clock: () => 0, backfillConcurrency: 4 });
      engine.events.on('finished', (record, here) => here && this.finished.push(record));
      this.stores.push(store);
      this.engines.push(engine);
    }
  }

  /** @returns the requests of each executed job, by stage */
  async run(kind: PipelineKind, plan: Plan): Promise<Map<string, string[][]>> {
    await this.engines[0]?.create(kind, { scheduledAt: null });
    for (const store of this.stores) store.take();
    const requests = new Map<string, string[][]>();
    for (let job = this.jobs.shift(); job; job = this.jobs.shift()) {
      const turn = this.executed.length % this.engines.length;
      await this.engines[turn]?.runStage(job, handlersOf(plan));
      this.executed.push(`${job.data.slice}.${job.name}`);
      const ofStage = requests.get(job.name) ?? [];
      ofStage.push([...(this.stores[turn]?.requests ?? [])]);
      requests.set(job.name, ofStage);
      this.stores[turn]?.take();
    }
    return requests;
  }
}

/** The average number of requests. */
const averageOf = (requests: readonly string[][] = []): number =>
  requests.reduce((sum, each) => sum + each.length, 0) / requests.length;

it(
  'the end of a stage sends as many requests in a run of 2,000 slices as in one of 10',
  async () => {
    const few = await new Processes(1).run('delta', planOfSlices('delta', 10));
    const processes = new Processes(1);
    const many = await processes.run('delta', planOfSlices('delta', 2_000));
    expect(processes.finished.map(({ status }) => status)).toEqual(['done']);
    expect(processes.executed).toHaveLength(2 * 2_000 + 3);
    for (const stage of ['fetch', 'enrich']) {
      const [small, large] = [averageOf(few.get(stage)), averageOf(many.get(stage))];
      expect(large).toBeLessThanOrEqual(small + 0.5);
      expect(large).toBeGreaterThan(2);
    }
    const listings = [...many.values()].flat(2).filter((request) => request.startsWith('list '));
    // Each time a sixteenth of what is left has ended.
    expect(listings.length).toBeLessThanOrEqual(16 * Math.log(4_000) + 16);
  },
  TIME_LIMIT_MS,
);

it('the end of a stage lists the markers in a small run, so that it knows of every other process', async () => {
  const requests = await new Processes(1).run('delta', planOfSlices('delta', 4));
  const ends = [...requests.values()].flat();
  expect(ends.map((each) => each.filter((request) => request.startsWith('list ')).length)).not.toContain(0);
});

describe('two processes that share a run', () => {
  it.each([
    // Each of the days is forecast once.
    ['historical', 3, SHARED_SLICES / CHUNKS],
    ['backfill', 3, 0],
    ['bootstrap', 3, 0],
    ['delta', 2, 0],
  ] as [PipelineKind, number, number][])(
    'of the kind %s run each stage once, without a dispatch',
    async (kind, stages, forecasts) => {
      const processes = new Processes(2);
      await processes.run(kind, planOfSlices(kind, SHARED_SLICES));
      expect(processes.finished.map(({ status }) => status)).toEqual(['done']);
      expect(new Set(processes.executed).size).toBe(processes.executed.length);
      expect(processes.executed).toHaveLength(stages * SHARED_SLICES + forecasts + 3);
    },
  );
});
