import { jest } from '@jest/globals';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import type { PipelineKind } from '../../../src/domain/model.js';
import { latestOf } from '../../../src/storage/latest-objects.js';
import { CountingStore } from '../../support/counting-store.js';
import { openService } from '../../support/open-service.js';

const NOW = Date.parse('2026-03-10T15:30:00Z');
const DAY = 86_400_000;
/** From 1,000 on, slices do not list the experiments again. */
const EXPERIMENTS = 2_000;
/** Experiments of a chunk: those that are searched together. */
const PER_CHUNK = 50;
/** Requests for the list of experiments: a page has 1,000. */
const LISTING = 2;
/** Four services are started. */
const TIME_LIMIT_MS = 300_000;

interface Size {
  /** Chunks of experiments in scope. */
  readonly chunks: number;
  /** Days before today. */
  readonly days: number;
}
/** What nobody can wait for in a test: all experiments, and the default of 30 days. */
const FULL: Size = { chunks: EXPERIMENTS / PER_CHUNK, days: 30 };
const slicesOf = ({ chunks, days }: Size): number => chunks * (days + 1);

/** Requests to MLflow and to the store. */
interface Requests {
  readonly mlflow: number;
  /** But for the next. */
  readonly store: number;
  /** Puts of lists of the newest objects: jobs that end at the same time share one, so their number depends on the machine. */
  readonly latest: number;
}

/** The requests of a bootstrap, and of the third delta after it, on a server that lists all experiments. */
async function requestsOf({ chunks, days }: Size): Promise<Record<'bootstrap' | 'delta', Requests>> {
  let now = NOW;
  const mlflow = await TrackingServer.start(() => now);
  for (let i = 1; i < EXPERIMENTS; i++) mlflow.experiment(i <= chunks * PER_CHUNK ? `in-${i}` : `out-${i}`);
  for (let day = 0; day <= days; day++) {
    const start_time = NOW - day * DAY - 3_600_000;
    const metrics = [{ key: 'accuracy', value: 0.9, step: 0, timestamp: start_time }];
    mlflow.run({ experiment_id: '1', start_time, end_time: start_time + 1_000, metrics });
  }
  let counted: CountingStore | undefined;
  const service = await openService({
    trackingUri: mlflow.uri,
    clock: () => now,
    env: { EXPERIMENT_INCLUDE: 'in-*', LOOKBACK_DAYS_HISTORICAL: `${days}` },
    wrapStore: (store) => {
      counted = new CountingStore(store);
      return counted;
    },
  });
  const run = async (kind: PipelineKind): Promise<Requests> => {
    now += 60_000;
    // The end of the last pipeline run started a dispatch, whose requests would be counted for the next one.
    await service.engine.dispatch();
    mlflow.requests.length = 0;
    counted?.take();
    expect(await service.run(kind)).toMatchObject({ status: 'done', error: null });
    const requests = counted?.requests ?? [];
    const latest = requests.filter((request) => request.startsWith('put _latest/')).length;
    return { mlflow: mlflow.requests.length, store: requests.length - latest, latest };
  };
  try {
    // As if the store had published before: what is there when the first objects are listed depends on the machine.
    await latestOf(service.resources.store).repair();
    const bootstrap = await run('bootstrap');
    for (let i = 0; i < 2; i++) await run('delta');
    return { bootstrap, delta: await run('delta') };
  } finally {
    await service.close();
    await mlflow.close();
  }
}

/**
 * Four sizes show what each chunk, each day and each slice (a chunk on a day) costs: the full size is a thousand slices more
 * of the same.
 */
describe('the requests for 2,000 experiments and 30 days', () => {
  const sizes = { least: [1, 3], chunks: [3, 3], days: [1, 6], both: [3, 6] } as const;
  const found = {} as Record<keyof typeof sizes, Awaited<ReturnType<typeof requestsOf>>>;
  beforeAll(async () => {
    // Markers are listed again after 10 s: a slow machine would make more requests.
    jest.spyOn(performance, 'now').mockReturnValue(0);
    for (const [name, [chunks, days]] of Object.entries(sizes)) {
      found[name as keyof typeof sizes] = await requestsOf({ chunks, days });
    }
  }, TIME_LIMIT_MS);
  afterAll(() => jest.restoreAllMocks());

  it('to MLflow are one per slice of a bootstrap, three more per chunk, and the list of experiments', () => {
    const expected = ({ chunks, days }: Size) => LISTING + 3 * chunks + slicesOf({ chunks, days });
    for (const [name, [chunks, days]] of Object.entries(sizes)) {
      const { mlflow } = found[name as keyof typeof sizes].bootstrap;
      expect([name, mlflow]).toEqual([name, expected({ chunks, days })]);
    }
    expect(expected(FULL)).toBe(1_362);
  });

  it('to MLflow are four per chunk of a delta, and the list of experiments', () => {
    for (const [name, [chunks]] of Object.entries(sizes)) {
      const { mlflow } = found[name as keyof typeof sizes].delta;
      expect([name, mlflow]).toEqual([name, LISTING + 4 * chunks]);
    }
  });

  it('to the store are proportional to the slices of a bootstrap, and to the days', () => {
    const [least, chunks, days, both] = (['least', 'chunks', 'days', 'both'] as const).map(
      (name) => found[name].bootstrap.store,
    ) as [number, number, number, number];
    const slice = (both - days) / (2 * 7);
    const day = (days - least) / 3 - slice;
    expect(slice).toBeLessThanOrEqual(30);
    expect(day).toBeLessThanOrEqual(90);
    const full = least + slice * (slicesOf(FULL) - 4) + day * (FULL.days - 3);
    // 38,081 were measured. One request more or less in a size of the test is 88 more or less here.
    expect(full).toBeLessThanOrEqual(38_500);
    // A slice costs the same with few days and with many.
    expect((chunks - least) / (2 * 4)).toBeGreaterThan(0.8 * slice);
    expect((chunks - least) / (2 * 4)).toBeLessThan(1.2 * slice);
  });

  it('that list the newest objects are at most one per slice and four per day of a bootstrap', () => {
    for (const [name, [chunks, days]] of Object.entries(sizes)) {
      const { latest } = found[name as keyof typeof sizes].bootstrap;
      expect([name, latest, latest <= slicesOf({ chunks, days }) + 4 * (days + 1)]).toEqual([
        name,
        latest,
        true,
      ]);
    }
  });

  it('to the store are proportional to the chunks of a delta, however many days are stored', () => {
    const store = (name: keyof typeof sizes) => found[name].delta.store;
    expect((store('chunks') - store('least')) / 2).toBeLessThanOrEqual(22);
    for (const [few, many] of [
      ['least', 'days'],
      ['chunks', 'both'],
    ] as const) {
      expect(Math.abs(store(many) - store(few))).toBeLessThanOrEqual(2);
    }
  });
});
