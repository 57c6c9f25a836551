import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { forecastAhead } from '../../../src/domain/forecast/forecast-ahead.js';
import { lastPoints } from '../../../src/domain/forecast/points.js';
import { MS_PER_DAY, MS_PER_HOUR } from '../../../src/domain/time.js';
import { oneStepAhead } from '../../support/models/one-step-ahead.js';
import { noiseFrom } from '../../support/noise.js';
import { type OpenService, openService } from '../../support/open-service.js';

const LOOKBACK = 90 * MS_PER_DAY;
const DAYS = 14;
/** A Wednesday. */
const NOW = Date.parse('2026-03-25T15:30:00Z');
const FIRST = Date.parse('2026-03-25T00:00:00Z') - (DAYS - 1) * MS_PER_DAY;
const HOURS = 3;
/** Two weeks are published twice. */
const LONGEST_MS = 300_000;

let mlflow: TrackingServer;
let now: number;
let runs: number;
const services: OpenService[] = [];

beforeEach(async () => {
  now = NOW;
  runs = 0;
  mlflow = await TrackingServer.start(() => now);
  mlflow.experiment('churn');
});
afterEach(async () => {
  for (const service of services.splice(0)) await service.close();
  await mlflow.close();
});

async function open(env: Record<string, string> = {}, catalog?: object): Promise<OpenService> {
  const service = await openService({
    trackingUri: mlflow.uri,
    clock: () => now,
    env: { LOOKBACK_DAYS_HISTORICAL: `${DAYS + 1}`, ...env },
    ...(catalog ? { catalog } : {}),
  });
  services.push(service);
  return service;
}

/** A run of a second. */
function addRun(start_time: number, metrics: Record<string, number>, rest: object = {}): void {
  mlflow.run({
    run_id: `run${String(++runs).padStart(6, '0')}`,
    experiment_id: '1',
    start_time,
    end_time: start_time + 1_000,
    metrics: Object.entries(metrics).map(([key, value]) => ({ key, value, step: 0, timestamp: start_time })),
    ...rest,
  });
}

/** A run every three hours: one metric falls towards its limits, the other one is noise. */
function addHistory(until = NOW): void {
  const noise = noiseFrom(5);
  for (let time = FIRST; time < until; time += HOURS * MS_PER_HOUR) {
    const days = (time - FIRST) / MS_PER_DAY;
    addRun(time, { accuracy: 0.95 - 0.01 * days + 0.004 * noise(), loss: 3 + noise() });
  }
}

const run = async (service: OpenService, ...parameters: Parameters<OpenService['run']>) => {
  now += 5 * 60_000;
  expect(await service.run(...parameters)).toMatchObject({ status: 'done', error: null });
};

type Forecasts = 'metric_timeseries' | 'metric_forecast';
type Row = Record<string, unknown>;

/** All rows of a dataset, by day and in the order of their files; times in ms. */
async function rowsOf({ resources: { store, duck } }: OpenService, dataset: Forecasts): Promise<Row[]> {
  const files: string[] = [];
  for await (const entry of store.list(`${dataset}/`))
    files.push((await store.fetch(entry.key, entry))?.file ?? '');
  const columns =
    'COLUMNS(* EXCLUDE (date, "timestamp")), epoch_ms("timestamp")::DOUBLE AS time, date::VARCHAR AS day';
  return duck.session((session) =>
    session.rows<Row>(`SELECT ${columns} FROM read_parquet($files)`, { files }),
  );
}

const numbers = (rows: readonly Row[], column: string): Float64Array =>
  Float64Array.from(rows, (row) => (typeof row[column] === 'number' ? row[column] : Number.NaN));
const of = (rows: readonly Row[], metric: string) => rows.filter(({ metric_name }) => metric_name === metric);

describe('the forecasts of a store', () => {
  it('are those of the model: of each row from the rows before it, and of each series from its last points', async () => {
    addHistory();
    const service = await open();
    await run(service, 'bootstrap');
    const timeseries = await rowsOf(service, 'metric_timeseries');
    const forecasts = await rowsOf(service, 'metric_forecast');
    for (const metric of ['accuracy', 'loss']) {
      const rows = of(timeseries, metric);
      const [times, values] = [numbers(rows, 'time'), numbers(rows, 'value')];
      expect(numbers(rows, 'forecast')).toEqual(oneStepAhead(times, values, LOOKBACK));
      const last = of(forecasts, metric).filter(({ day }) => day === '2026-03-25');
      expect(last).toHaveLength(24);
      const [{ model, points: count }] = last as [Row];
      const points = lastPoints(times, values, { end: times.length, after: NOW - LOOKBACK, before: NOW });
      const expected = forecastAhead(points, JSON.parse(String(model)));
      expect(numbers(last, 'forecast')).toEqual(expected.forecast);
      expect(numbers(last, 'lower_80')).toEqual(expected.lower80);
      expect(numbers(last, 'upper_95')).toEqual(expected.upper95);
      expect(count).toBe(times.length);
    }
    // The level is at 0.815; its limits are 0.8 and 0.7.
    const [{ breach_status, breach_expected, warning_earliest, warning_expected }] = of(
      forecasts,
      'accuracy',
    ).slice(-1) as [Row];
    expect(breach_status).toBe('warning');
    expect(breach_expected).toEqual(warning_expected);
    const days = (Number(warning_expected) - NOW) / MS_PER_DAY;
    expect(days).toBeGreaterThan(0.5);
    expect(days).toBeLessThan(4);
    expect(Number(warning_earliest)).toBeLessThan(Number(warning_expected));
    expect(new Set(of(forecasts, 'loss').map((row) => row.breach_status))).toEqual(new Set([null]));
    const before = await service.digests();
    addRun(now, { accuracy: 0.81 });
    await run(service, 'delta');
    const after = await service.digests();
    const changed = Object.keys(after).filter((key) => after[key] !== before[key]);
    expect(changed.filter((key) => /^(_tails|metric_)/.test(key))).toEqual(
      ['_tails', 'metric_forecast', 'metric_timeseries'].map(
        (dataset) => `${dataset}/2026/03/25/part-0.parquet`,
      ),
    );
    now += MS_PER_HOUR;
    expect((await service.run('reevaluation')).summary?.partitions_written).toBe(0);
  });

  it(
    'are the same whatever the order: late, changed and deleted runs change all days after them',
    async () => {
      addHistory();
      const daily = await open();
      await run(daily, 'bootstrap');
      const before = await rowsOf(daily, 'metric_timeseries');
      const late = FIRST + 2.7 * MS_PER_DAY;
      addRun(late, { accuracy: 0.2, loss: 80 }, { end_time: now });
      mlflow.runs.delete('run000050');
      addRun(now, { accuracy: 0.81, loss: 2.5 });
      await run(daily, 'delta');
      await run(daily, 'historical');
      await run(daily, 'reevaluation');
      const after = await rowsOf(daily, 'metric_timeseries');
      const changed = (row: Row) =>
        !before.some(
          (other) =>
            other.run_id === row.run_id &&
            other.metric_name === row.metric_name &&
            other.forecast === row.forecast,
        );
      expect(after.filter((row) => Number(row.time) < late).filter(changed)).toEqual([]);
      expect(
        after.filter((row) => Number(row.time) > NOW - 6 * MS_PER_HOUR).filter(changed).length,
      ).toBeGreaterThan(0);

      const fresh = await open();
      await run(fresh, 'bootstrap');
      expect(await daily.digests()).toEqual(await fresh.digests());
    },
    LONGEST_MS,
  );

  it('have the limits and the domain of the catalog of their day', async () => {
    addHistory();
    const catalog = (warning: number, max?: number) => ({
      metrics: [{ metric_name: 'accuracy', higher_is_better: true, min: 0.81, ...(max ? { max } : {}) }],
      thresholds: [{ metric_name: 'accuracy', warning_threshold: warning, critical_threshold: 0.5 }],
    });
    const service = await open({}, catalog(0.8));
    await run(service, 'bootstrap');
    const forecasts = async () =>
      of(await rowsOf(service, 'metric_forecast'), 'accuracy').filter(({ day }) => day === '2026-03-25');
    const first = await forecasts();
    expect(Math.min(...numbers(first, 'lower_95'))).toBe(0.81);
    expect(first[0]?.breach_status).toBe('warning');
    await service.writeCatalog(catalog(0.6, 0.812));
    now += MS_PER_HOUR;
    await run(service, 'reevaluation');
    const second = await forecasts();
    expect(Math.max(...numbers(second, 'upper_95'))).toBe(0.812);
    expect(second[0]?.breach_status).toBeNull();
  });

  it('are finite and ordered for bad input, and a run in the future changes no day before it', async () => {
    const noise = noiseFrom(8);
    for (let i = 0; i < 60; i++) {
      const time = NOW - 10 * MS_PER_DAY + i * 4 * MS_PER_HOUR;
      addRun(time, {
        nan: Number.NaN,
        infinite: i % 2 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY,
        holes: i % 3 ? noise() : Number.NaN,
        constant: 0.1,
        far: i % 2 ? 1e12 : 1e-12,
        largest: (i % 2 ? 1 : -1) * 1.7e308,
        ...(i === 20 ? { once: 1 } : {}),
      });
      // At one time, and as many in an hour as a tail does not hold.
      addRun(NOW - 5 * MS_PER_DAY, { equal: i });
    }
    for (let i = 0; i < 1_200; i++) addRun(NOW - 3 * MS_PER_DAY + 3_000 * i, { burst: noise() });
    const service = await open();
    await run(service, 'bootstrap');
    const forecasts = await rowsOf(service, 'metric_forecast');
    const names = [...new Set(forecasts.map(({ metric_name }) => metric_name))].sort();
    expect(names).toEqual(['burst', 'constant', 'far', 'holes', 'largest']);
    for (const row of forecasts) {
      const [a, b, c, d, e] = ['lower_95', 'lower_80', 'forecast', 'upper_80', 'upper_95'].map((name) =>
        Number(row[name]),
      );
      for (const number of [a, b, c, d, e]) expect(Number.isFinite(number)).toBe(true);
      expect([a, b, c, d, e]).toEqual([a, b, c, d, e].sort((x, y) => (x ?? 0) - (y ?? 0)));
    }
    const timeseries = await rowsOf(service, 'metric_timeseries');
    for (const { forecast } of timeseries) expect(forecast === null || Number.isFinite(forecast)).toBe(true);
    expect(
      of(timeseries, 'holes')
        .slice(-20)
        .every(({ forecast }) => forecast !== null),
    ).toBe(true);

    const before = await service.digests();
    addRun(NOW + 20 * MS_PER_DAY, { constant: 1e9 });
    await run(service, 'delta');
    const after = await service.digests();
    expect(Object.keys(before).filter((key) => after[key] !== before[key])).toEqual([]);
    expect(Object.keys(after)).toContain('metric_forecast/2026/04/14/part-0.parquet');
  });
});
