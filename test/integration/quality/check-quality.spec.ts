import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { readQuality } from '../../../src/state/quality.js';
import { readQualityFindings } from '../../../src/state/quality-findings.js';
import { type OpenService, openService } from '../../support/open-service.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.parse('2026-03-10T15:30:00Z');
const TODAY = '2026/03/10';
const CATALOG = {
  metrics: [{ metric_name: 'accuracy', higher_is_better: true, min: 0, max: 1 }],
  thresholds: [
    { metric_name: 'accuracy', critical_threshold: 0.7, warning_threshold: 0.8 },
    // The wrong way round: lower is better by the metadata below.
    { metric_name: 'loss', critical_threshold: 0.5, warning_threshold: 0.9 },
  ],
};

interface Row {
  readonly pipeline_run_id: string;
  readonly check_name: string;
  readonly application: string | null;
  readonly passed: boolean;
  readonly affected_rows: number;
}

let now = START;
let mlflow: TrackingServer;
let service: OpenService;
const open = async () => {
  service = await openService({ trackingUri: mlflow.uri, clock: () => now, catalog: CATALOG });
};

/** A run of an application that just ended, unless `rest` says otherwise. */
function addRun(application: string, accuracy: number, rest: object = {}) {
  const { experiment_id } = mlflow.experiment(application);
  const metrics = [{ key: 'accuracy', value: accuracy, step: 0, timestamp: now }];
  return mlflow.run({ experiment_id, start_time: now - MINUTE, end_time: now, metrics, ...rest });
}

async function delta(minutes = 5): Promise<void> {
  now += minutes * MINUTE;
  expect(await service.run('delta')).toMatchObject({ status: 'done', error: null });
}

const rowsOf = (day = TODAY) =>
  service.rows<Row>(
    'data_quality',
    day,
    'pipeline_run_id, check_name, application, passed, affected_rows::INTEGER AS affected_rows',
  );
const findings = async () =>
  (await readQualityFindings(service.resources.store)).map(({ check_name, application }) => [
    check_name,
    application,
  ]);

beforeAll(async () => {
  mlflow = await TrackingServer.start(() => now);
  for (let hour = 10; hour < 24 * 6; hour += 8) addRun('churn', 0.9, { start_time: now - hour * HOUR });
  addRun('fraud', 0.9);
  await open();
  expect(await service.run('bootstrap')).toMatchObject({ status: 'done' });
});
afterAll(async () => {
  await service.close();
  await mlflow.close();
});

describe('the dataset data_quality', () => {
  it('has one row per check while everything is good, and none for later pipeline runs of the day', async () => {
    const first = await rowsOf();
    expect(first.map(({ application, passed }) => [application, passed])).toEqual(
      Array.from({ length: 9 }, () => [null, true]),
    );
    expect(new Set(first.map(({ pipeline_run_id }) => pipeline_run_id))).toEqual(new Set(['bootstrap-1']));
    addRun('fraud', 0.91);
    await delta();
    await delta();
    expect(await rowsOf()).toEqual(first);
    expect(await findings()).toEqual([]);
  });

  it('shows each fault with its application, and that it is gone', async () => {
    const before = (await rowsOf()).length;
    const broken = addRun('churn', 85);
    const nan = addRun('fraud', Number.NaN);
    const unreadable = addRun('fraud', 0.9, { start_time: 10 ** 15, end_time: null });
    await delta();
    expect(await findings()).toEqual([
      ['null_values', null],
      ['null_values', 'fraud'],
      ['metric_ranges', null],
      ['metric_ranges', 'churn'],
      ['schema_compliance', null],
    ]);
    const added = (await rowsOf()).filter(({ pipeline_run_id }) => pipeline_run_id !== 'bootstrap-1');
    expect(added).toHaveLength(5);
    expect(added.every(({ passed, affected_rows }) => !passed && affected_rows === 1)).toBe(true);
    const [finding] = (await readQualityFindings(service.resources.store)).filter(
      ({ application }) => application === 'churn',
    );
    expect(finding).toMatchObject({ severity: 'error', limit: 0, since: new Date(now).toISOString() });
    expect(JSON.parse(finding?.sample ?? '')).toMatchObject([{ run_id: broken.run_id, value: 85, max: 1 }]);

    for (const run of [broken, nan, unreadable]) run.lifecycle_stage = 'deleted';
    unreadable.start_time = now - MINUTE;
    unreadable.end_time = now;
    now += MINUTE;
    expect(await service.run('historical')).toMatchObject({ status: 'done' });
    expect(await findings()).toEqual([]);
    expect(await rowsOf()).toHaveLength(before + 10);
  });

  it('has a row of each check on the next day', async () => {
    now = Date.parse('2026-03-11T00:05:00Z');
    await delta(0);
    expect(await rowsOf('2026/03/11')).toHaveLength(9);
  });

  it('shows an application that no longer runs', async () => {
    now = START + 2 * DAY;
    addRun('fraud', 0.9);
    await delta();
    expect(await findings()).toEqual([
      ['data_freshness', null],
      ['data_freshness', 'churn'],
    ]);
  });

  it('has the same rows if a pipeline run is completed twice', async () => {
    const { store } = service.resources;
    addRun('churn', 85);
    await delta();
    const rows = await rowsOf('2026/03/12');
    const { checked } = await readQuality(store);
    const id = checked.at(-1) ?? '';
    await service.engine.afterPublishing({ id, kind: 'delta', to: now, touched: new Set(['2026-03-12']) });
    expect(await rowsOf('2026/03/12')).toEqual(rows);
    expect((await readQuality(store)).pending).toEqual([]);
  });
});
