import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { type PlatformCurrent, platformCurrentSchema } from '../../../src/dashboard/contract.js';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { DuckSession } from '../../../src/storage/duck.js';
import { type OpenService, openService, type ServiceOptions } from '../../support/open-service.js';

Logger.overrideLogger(false);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.parse('2026-03-10T15:30:00Z');
const CATALOG = {
  metrics: [{ metric_name: 'accuracy', display_name: 'Accuracy', higher_is_better: true, unit: '%' }],
  thresholds: [{ metric_name: 'accuracy', critical_threshold: 70, warning_threshold: 80 }],
};
const iso = (ms: number) => new Date(ms).toISOString();

let mlflow: TrackingServer;
let service: OpenService;
let now = START;

beforeEach(async () => {
  now = START;
  mlflow = await TrackingServer.start(() => now);
});
afterEach(async () => {
  await service.close();
  await mlflow.close();
});

const start = async (more: Partial<ServiceOptions> = {}) => {
  service = await openService({
    http: true,
    trackingUri: mlflow.uri,
    catalog: CATALOG,
    clock: () => now,
    ...more,
  });
};
/** Revalidates like a browser; without `Cache-Control`, Node's fetch would send `no-cache`. */
const revalidate = (etag: string) => request({ 'If-None-Match': etag, 'Cache-Control': 'max-age=0' });
const request = (headers: Record<string, string> = {}) =>
  fetch(`${service.url}/api/v1/platform/current`, { headers });
const current = async (): Promise<PlatformCurrent> => {
  const response = await request();
  expect(response.status).toBe(200);
  return platformCurrentSchema.strict().parse(await response.json());
};

let experiments: Map<string, string>;
beforeEach(() => {
  experiments = new Map();
});
function log(
  application: string,
  start_time: number,
  accuracy: number | null,
  more: {
    params?: Record<string, string>;
    tags?: Record<string, string>;
    status?: 'FAILED' | 'RUNNING';
    end_time?: null;
  } = {},
): string {
  const experiment_id =
    experiments.get(application) ??
    mlflow.experiment(application, { team: `${application} team` }).experiment_id;
  experiments.set(application, experiment_id);
  const metrics =
    accuracy === null ? [] : [{ key: 'accuracy', value: accuracy, step: 0, timestamp: start_time }];
  const { run_id } = mlflow.run({
    experiment_id,
    start_time,
    metrics,
    run_name: `${application} at ${iso(start_time)}`,
    ...more,
  });
  return run_id;
}

describe('GET /api/v1/platform/current', () => {
  it('shows who needs attention, since when, against which limit, and why', async () => {
    for (let hour = 60; hour > 0; hour--) {
      const bad = hour <= 5;
      log('churn', START - hour * HOUR, bad ? 61.4 : 91, {
        params: { model_version: bad ? '8' : '7', seed: `${hour}` },
        tags: { owner: 'Growth' },
      });
      log('fraud', START - hour * HOUR, 95);
    }
    for (let day = 2; day < 12; day++) log('nightly', START - day * DAY, 75);
    for (let hour = 1; hour < 4; hour++) log('broken', START - hour * HOUR, null, { status: 'FAILED' });
    log('old', START - 20 * DAY, 20);
    // Not counted: a running training, a nested run, and a job that hangs.
    log('churn', START - HOUR / 2, 3, { status: 'RUNNING', end_time: null });
    log('churn', START - HOUR / 4, 99, { tags: { 'mlflow.parentRunId': 'sweep' } });
    log('nightly', START - 20 * HOUR, 75, { status: 'RUNNING', end_time: null });
    await start();
    expect((await service.run('bootstrap')).status).toBe('done');
    const { platform, applications, needs_attention, days, ...rest } = await current();

    expect(rest).toMatchObject({
      from: '2026-03-09T16:00:00.000Z',
      to: '2026-03-10T16:00:00.000Z',
      all_unmonitored: false,
      // Only a bootstrap has run yet.
      stale: false,
      last_finished: iso(START),
      catalog_outage: null,
      partial: false,
      lagging: [],
      progress: [],
      last_failure: null,
    });
    expect([days.length, days[0], days.at(-1)]).toEqual([30, '2026-02-09', '2026-03-10']);
    expect(platform).toMatchObject({
      total: 49,
      critical: 5,
      healthy: 41,
      failed: 3,
      unmonitored: 3,
      evaluated: 46,
    });
    expect(platform.light).toBe('warning');
    expect(platform.running).toBe(2);
    expect(platform.days.at(-1)).toMatchObject({ light: 'warning', total: 49 });

    const names = applications.map(({ application, light, total }) => `${application} ${light} ${total}`);
    expect(names).toEqual([
      'broken warning 3',
      'churn critical 23',
      'fraud healthy 23',
      'nightly no_data 0',
      'old no_data 0',
    ]);
    const nightly = applications.find(({ application }) => application === 'nightly');
    expect(nightly?.last_known).toEqual({
      light: 'warning',
      reason: 'The strict pass rate is 0.0 %; the limit is 80 %.',
      at: '2026-03-08T16:00:00.000Z',
      age_hours: 47,
    });
    expect(nightly?.days.map(({ total }) => total).join('')).toBe(`${'0'.repeat(18)}${'1'.repeat(10)}00`);

    expect(needs_attention.map(({ application }) => application)).toEqual(['churn', 'broken', 'nightly']);
    const [churn, broken, silent] = needs_attention;
    const shown = [...mlflow.runs.values()].filter(({ metrics }) => metrics[0]?.value === 61.4);
    expect(churn).toMatchObject({
      owner: 'Growth',
      light: 'critical',
      since: iso(START - 5 * HOUR),
      since_before: false,
      cause: 'new_value',
      why: 'The model version changed from 7 to 8; the metric fell from 91 % to 61.4 %.',
      run: {
        run_id: shown.at(-1)?.run_id,
        at: iso(START - HOUR),
        url: `${mlflow.uri}/#/experiments/${experiments.get('churn')}/runs/${shown.at(-1)?.run_id}`,
      },
      metric: {
        name: 'accuracy',
        display_name: 'Accuracy',
        unit: '%',
        critical: 5,
        status: 'critical',
        value: 61.4,
        critical_threshold: 70,
        warning_threshold: 80,
      },
    });
    expect(churn?.metric?.points.at(-1)).toEqual({ at: iso(START - HOUR), value: 61.4 });
    expect(broken).toMatchObject({ light: 'warning', metric: null, since: null, owner: 'broken team' });
    expect(silent).toMatchObject({
      light: 'no_data',
      metric: null,
      since: '2026-03-09T15:00:00.000Z',
      cause: null,
      why: 'It used to run every 24 h.',
      explanation: null,
    });
  });

  it('counts each span once in the last hour of a day, when the previous span is yesterday', async () => {
    now = Date.parse('2026-03-10T23:30:00Z');
    // The last one is in the first hour of the day.
    for (const hour of [2, 4, 23]) log('churn', now - hour * HOUR, 90);
    for (const hour of [26, 28]) log('churn', now - hour * HOUR, hour === 26 ? 10 : 90);
    await start();
    await service.run('delta');
    const { platform, applications } = await current();
    expect(platform).toMatchObject({ total: 3, pass_rate: 100, pass_rate_trend: 50 });
    expect(platform.days.slice(-2).map(({ total }) => total)).toEqual([2, 3]);
    expect(applications[0]?.days.slice(-2)).toEqual([
      { light: 'critical', total: 2 },
      { light: 'healthy', total: 3 },
    ]);
  });

  it('says which runs are stored and in no status', async () => {
    for (let hour = 1; hour < 4; hour++) {
      log('campaign', START - hour * HOUR, 30, { tags: { 'mlflow.parentRunId': 'open' } });
    }
    log('alive', START - 3 * DAY, 90, { status: 'RUNNING', end_time: null });
    const alive = [...mlflow.runs.values()].at(-1);
    alive?.metrics.push({ key: 'system/cpu', value: 1, step: 0, timestamp: START - HOUR });
    const dead = log('stuck', START - 3 * DAY, 90, { status: 'RUNNING', end_time: null });
    log('seconds', START / 1000, 90);
    await start({ env: { LOOKBACK_DAYS_HISTORICAL: '30', EXPERIMENT_EXCLUDE: 'sec*' } });
    await service.run('bootstrap');
    const { applications, needs_attention, notes, scope } = await current();
    expect(applications.map(({ application, reason }) => [application, reason])).toEqual([
      ['alive', 'No run in the last 24 h.'],
      [
        'campaign',
        'No run that counts in the last 24 h: 3 runs are children of another run and not counted (3 critical).',
      ],
      ['stuck', 'No run in the last 24 h.'],
    ]);
    expect(needs_attention).toMatchObject([
      {
        application: 'stuck',
        light: 'no_data',
        since: iso(START - 3 * DAY),
        run: { run_id: dead },
        why: expect.stringContaining('has not ended since 7 Mar at 15:30 UTC'),
      },
    ]);
    expect(notes).toEqual([expect.stringMatching(/^1 run has not ended .*of stuck, since 7 Mar/)]);
    expect(scope).toEqual([
      expect.stringContaining('1 experiment of MLflow is excluded'),
      'Metrics like system/* are not judged (METRIC_EXCLUDE).',
      expect.stringContaining('within a day if the run started in the last 30 days'),
    ]);
  });

  it('says which runs have a time that cannot be right, until they are gone', async () => {
    log('churn', START - HOUR, 90);
    log('churn', START / 1000, 90);
    log('churn', START + 2 * HOUR, 90);
    log('churn', START + 40 * DAY, 90);
    await start({ env: { LOOKBACK_DAYS_HISTORICAL: '30' } });
    await service.run('bootstrap');
    await service.run('backfill', { from: 0, to: 30 * DAY });
    expect((await current()).notes).toEqual([
      expect.stringMatching(
        /^Runs that started on 1970-01-21 by their start_time are stored and in no status: /,
      ),
      expect.stringContaining(
        'runs start in the future (later today, 2026-04-19): they are stored and in no status',
      ),
    ]);
    for (const run of mlflow.runs.values()) {
      if (run.start_time !== START - HOUR) run.lifecycle_stage = 'deleted';
    }
    now += 60_000;
    await service.run('backfill', { from: 0, to: 30 * DAY });
    await service.run('historical');
    expect((await current()).notes).toEqual([]);
  });

  it('is empty before the first read', async () => {
    await start();
    const { applications, needs_attention, platform, stale, last_finished } = await current();
    expect({ applications, needs_attention, stale, last_finished }).toEqual({
      applications: [],
      needs_attention: [],
      stale: true,
      last_finished: null,
    });
    expect(platform.light).toBe('no_data');
  });

  it('shows that nothing has a threshold', async () => {
    log('churn', START - HOUR, 85);
    await start({ catalog: { metrics: [], thresholds: [] } });
    await service.run('delta');
    expect(await current()).toMatchObject({ all_unmonitored: true, platform: { light: 'unmonitored' } });
  });

  it('shows lagging experiments, the last failure, and stale data', async () => {
    log('good', START - HOUR, 85);
    log('bad', START - HOUR, 85);
    await start();
    await service.run('delta');
    now += 5 * 60_000;
    const bad = experiments.get('bad') ?? '';
    mlflow.intercept = ({ path, body }) =>
      path === 'runs/search' && (body.experiment_ids as string[]).includes(bad)
        ? { status: 403, body: JSON.stringify({ error_code: 'PERMISSION_DENIED', message: 'not yours' }) }
        : undefined;
    expect((await service.run('delta')).status).toBe('done');
    const read_until = iso(START);
    expect(await current()).toMatchObject({
      partial: true,
      lagging_experiments: [bad],
      lagging: [
        { experiment_id: bad, name: 'bad', read_until, message: expect.stringContaining('not yours') },
      ],
      stale: false,
    });
    mlflow.intercept = () => ({ status: 503, body: 'busy' });
    now += 20 * 60_000;
    await service.run('delta');
    expect(await current()).toMatchObject({
      stale: true,
      last_finished: iso(START + 5 * 60_000),
      last_failure: { run: 'delta-3', at: iso(now), message: expect.stringContaining('503') },
      lagging: [{ experiment_id: bad, message: expect.stringContaining('not yours') }],
    });
  });

  it('shows the progress of a bootstrap in days', async () => {
    for (let day = 0; day < 12; day++) log('churn', START - day * DAY, 85);
    await start({ env: { LOOKBACK_DAYS_HISTORICAL: '11', STAGE_TRIES: '100' } });
    const first = `attributes.start_time >= ${Date.parse('2026-02-27T00:00:00Z')}`;
    let failing = true;
    mlflow.intercept = ({ path, body }) =>
      failing && path === 'runs/search' && String(body.filter).includes(first)
        ? { status: 503, body: 'busy' }
        : undefined;
    // The two newest days are finished at once; the next two need the 7 days before them.
    const four = new Promise<void>((resolve) => {
      service.engine.events.on('progress', (_, done) => done === 1 + 11 * 2 + 4 && resolve());
    });
    const finished = service.run('bootstrap');
    await four;
    expect(await current()).toMatchObject({
      progress: [{ run: 'bootstrap-1', kind: 'bootstrap', days_done: 4, days_all: 12 }],
      applications: [{ application: 'churn', total: 1 }],
    });
    failing = false;
    expect((await finished).status).toBe('done');
    expect((await current()).progress).toEqual([]);
  });

  it('reads Parquet only after a change', async () => {
    log('churn', START - HOUR, 85);
    await start();
    await service.run('delta');
    const rows = jest.spyOn(DuckSession.prototype, 'rows');
    const readings = () => rows.mock.calls.filter(([statement]) => /^-- .* and span /.test(statement)).length;
    const first = await request();
    const etag = first.headers.get('ETag') ?? '';
    expect(first.headers.get('Content-Encoding')).toBe('gzip');
    expect((await revalidate(etag)).status).toBe(304);
    await Promise.all(Array.from({ length: 20 }, () => request()));
    service.engine.events.emit('progress', 'delta-2', 1, 2);
    expect((await revalidate(etag)).status).toBe(304);
    expect(readings()).toBeLessThanOrEqual(1);

    const before = readings();
    log('churn', START - HOUR, 20);
    now += 60_000;
    await service.run('delta');
    const changed = await revalidate(etag);
    expect(changed.status).toBe(200);
    expect(await changed.json()).toMatchObject({ platform: { total: 2, critical: 1 } });
    expect((await revalidate(changed.headers.get('ETag') ?? '')).status).toBe(304);
    expect(readings()).toBeGreaterThan(before);
    rows.mockRestore();
  });
});
