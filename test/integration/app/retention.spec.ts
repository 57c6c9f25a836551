import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { maintain } from '../../../src/pipeline/maintenance.js';
import { applyRetention } from '../../../src/pipeline/retention.js';
import { advanceFirstDays } from '../../../src/state/retention.js';
import { dayOfKey } from '../../../src/storage/keys.js';
import type { ObjectStore } from '../../../src/storage/object-store.js';
import { type OpenService, openService } from '../../support/open-service.js';

const DAY = 86_400_000;
const NOW = Date.parse('2026-03-31T12:00:00Z');
/** How many days ago there are runs. */
const AGES = [12, 10, 8, 5, 1, 0];
const RETENTION_DAYS =
  '_base=3,runs=9,enriched_metrics=9,metric_timeseries=9,application_summary=9,platform_summary=9,quarantine=9';
const WINDOW = { from: NOW - 12.5 * DAY, to: NOW + 0.5 * DAY };

let mlflow: TrackingServer;
let service: OpenService;
let now: number;
/** Called before each put. */
let beforePut: (key: string) => Promise<void>;

const dayAgo = (age: number): string => new Date(NOW - age * DAY).toISOString().slice(0, 10);
const addRun = (age: number, value = 0.9): void => {
  const start_time = NOW - age * DAY - 3_600_000;
  const metrics = [{ key: 'accuracy', value, step: 0, timestamp: start_time }];
  mlflow.run({ experiment_id: '1', start_time, end_time: start_time + 1_000, metrics });
};

beforeEach(async () => {
  now = NOW;
  beforePut = async () => undefined;
  mlflow = await TrackingServer.start(() => now);
  mlflow.experiment('churn');
  for (const age of AGES) addRun(age);
  const wrapStore = (store: ObjectStore): ObjectStore =>
    new Proxy(store, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        if (name !== 'put') return typeof value === 'function' ? value.bind(target) : value;
        return async (...parameters: Parameters<ObjectStore['put']>) => {
          await beforePut(parameters[0]);
          return target.put(...parameters);
        };
      },
    });
  service = await openService({
    trackingUri: mlflow.uri,
    clock: () => now,
    wrapStore,
    http: true,
    env: { RETENTION_DAYS, LOOKBACK_DAYS_HISTORICAL: '2', REEVALUATE_DAYS: '0', ROLES: 'api,worker' },
  });
  expect(await service.run('delta')).toMatchObject({ status: 'done' });
  expect(await service.run('backfill', WINDOW)).toMatchObject({ status: 'done', summary: { runs: 6 } });
});
afterEach(async () => {
  await service.close();
  await mlflow.close();
});

const apply = () => applyRetention(service.resources.store, service.resources.settings.RETENTION_DAYS, now);

/** How many days ago the stored days of a dataset are. */
async function agesOf(dataset: string): Promise<number[]> {
  const ages: number[] = [];
  for await (const { key } of service.resources.store.list(`${dataset}/`)) {
    ages.push(Math.round((Date.parse(dayAgo(0)) - Date.parse(dayOfKey(key) ?? '')) / DAY));
  }
  return ages;
}
const allAges = async () => ({
  base: await agesOf('_base'),
  runs: await agesOf('runs'),
  enriched: await agesOf('enriched_metrics'),
  sums: await agesOf('_sums'),
  summaries: await agesOf('platform_summary'),
});
const KEPT = {
  base: [1, 0],
  runs: [8, 5, 1, 0],
  enriched: [8, 5, 1, 0],
  sums: [8, 5, 1, 0],
  summaries: [8, 5, 1, 0],
};

describe('days that are not kept', () => {
  it('are not brought back by a backfill, a sweep, a reevaluation or a late run, which are done', async () => {
    await apply();
    expect(await allAges()).toEqual(KEPT);
    const before = await service.digests();
    // A late run and a change of one: both on days whose facts are gone.
    addRun(12, 0.1);
    addRun(8, 0.1);
    const backfill = await service.run('backfill', WINDOW);
    expect(backfill).toMatchObject({ status: 'done', error: null, summary: { runs: 8, expired: 6 } });
    expect(await service.run('historical')).toMatchObject({ status: 'done' });
    expect(await service.run('reevaluation')).toMatchObject({ status: 'done' });
    expect(await allAges()).toEqual(KEPT);
    expect(await service.digests()).toEqual(before);
  });

  it('leave what is computed from them as it is, when newer days change', async () => {
    await apply();
    const before = await service.digests();
    addRun(1, 0.1);
    expect(await service.run('historical')).toMatchObject({ status: 'done' });
    const after = await service.digests();
    const changed = Object.keys(after).filter((key) => before[key] !== after[key]);
    expect(changed).toContain(`platform_summary/${dayAgo(1).replaceAll('-', '/')}/part-0.parquet`);
    expect(changed.filter((key) => (dayOfKey(key) ?? '') < dayAgo(1))).toEqual([]);
    expect(Object.keys(after).sort()).toEqual(Object.keys(before).sort());
  });

  it('are missing on the page, which works', async () => {
    await apply();
    const shown = await service.request('GET', '/api/v1/platform/current');
    expect(shown.status).toBe(200);
    const [run] = await service.rows<{ run_id: string }>('runs', dayAgo(8).replaceAll('-', '/'), 'run_id');
    for (const age of [8, 12]) {
      const path = `/api/v1/explanation?day=${dayAgo(age)}&run_id=${run?.run_id}&metric=accuracy`;
      expect((await service.request('GET', path)).status).toBe(404);
    }
  });

  it('are deleted again within an hour if somebody put them who had looked before', async () => {
    addRun(10, 0.1);
    let isDeleted = false;
    beforePut = async (key) => {
      if (!isDeleted && key.startsWith('_base/')) {
        isDeleted = true;
        await apply();
      }
    };
    expect(await service.run('backfill', WINDOW)).toMatchObject({ status: 'done', error: null });
    expect(isDeleted).toBe(true);
    // The facts were put without the condition failing, as there is no such object; nothing was judged from them.
    expect((await allAges()).runs).toEqual(KEPT.runs);
    beforePut = async () => undefined;
    await maintain(service.resources.store, service.resources.settings.RETENTION_DAYS, now);
    expect(await allAges()).toEqual(KEPT);
  });

  it('do not keep a run open that is not stored any more', async () => {
    const start_time = NOW - 12 * DAY;
    mlflow.run({ experiment_id: '1', start_time, status: 'RUNNING', end_time: null });
    now += 2 * 3_600_000;
    await service.run('delta');
    const open = () =>
      service.resources.store.get('_state/open-runs.json').then((stored) => String(stored?.body));
    expect(await open()).toContain(dayAgo(12));
    await apply();
    now += 2 * 3_600_000;
    expect(await service.run('delta')).toMatchObject({ status: 'done', summary: { expired: 1 } });
    expect(await open()).not.toContain(dayAgo(12));
  });

  it('are not published by a plan from before the first days moved', async () => {
    await advanceFirstDays(service.resources.store, { runs: dayAgo(5), enriched_metrics: dayAgo(5) });
    const before = await service.digests();
    addRun(4, 0.1);
    expect(await service.run('backfill', WINDOW)).toMatchObject({ status: 'done' });
    const after = await service.digests();
    const changed = Object.keys(after).filter((key) => before[key] !== after[key]);
    // The aggregates of all these days need judged days that are about to be deleted.
    expect(changed.filter((key) => key.startsWith('platform_summary/'))).toEqual([]);
    expect(changed).toContain(`runs/${dayAgo(4).replaceAll('-', '/')}/part-0.parquet`);
  });
});
