import { Logger } from '@nestjs/common';
import { type PlatformCurrent, platformCurrentSchema } from '../../../src/dashboard/contract.js';
import { PlatformView } from '../../../src/dashboard/platform-view.js';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { MS_PER_DAY, MS_PER_HOUR } from '../../../src/domain/time.js';
import { noiseFrom } from '../../support/noise.js';
import { type OpenService, openService } from '../../support/open-service.js';

Logger.overrideLogger(false);
const START = Date.parse('2026-03-10T15:30:00Z');
const DAYS = 9;
const RUNS = DAYS * 8;

let now: number;
let mlflow: TrackingServer;
let service: OpenService;

beforeEach(async () => {
  now = START;
  mlflow = await TrackingServer.start(() => now);
  service = await openService({ http: true, trackingUri: mlflow.uri, clock: () => now });
});
afterEach(async () => {
  await service.close();
  await mlflow.close();
});

/** A run every 3 hours until an hour ago; the accuracy moves from `first` to `last`. */
function log(application: string, first: number, last: number): void {
  const noise = noiseFrom(application.length);
  const { experiment_id } = mlflow.experiment(application, { owner: `${application} team` });
  for (let i = 0; i < RUNS; i++) {
    const start_time = START - MS_PER_HOUR - (RUNS - 1 - i) * 3 * MS_PER_HOUR;
    const value = first + ((last - first) * i) / (RUNS - 1) + 0.002 * noise();
    const metrics = [{ key: 'accuracy', value, step: 0, timestamp: start_time }];
    mlflow.run({ experiment_id, start_time, metrics, run_name: `${application} ${i}` });
  }
}

async function current(): Promise<PlatformCurrent> {
  // Only the clock of the test has moved since the last response.
  service.app.get(PlatformView, { strict: false }).invalidate();
  const response = await fetch(`${service.url}/api/v1/platform/current`);
  return platformCurrentSchema.strict().parse(await response.json());
}

it('lists the metrics that are likely to cross a limit, as metric_forecast says, without a change of any light', async () => {
  log('sinking', 0.95, 0.83);
  log('steady', 0.9, 0.9);
  // Warning already, and on its way below 0.7.
  log('red', 0.9, 0.72);
  expect((await service.run('bootstrap')).status).toBe('done');
  const { likely_soon, applications, needs_attention } = await current();
  expect(Object.fromEntries(applications.map(({ application, light }) => [application, light]))).toEqual({
    red: 'warning',
    sinking: 'healthy',
    steady: 'healthy',
  });
  expect(needs_attention.map(({ application }) => application)).toEqual(['red']);
  expect(likely_soon.map(({ application, next }) => [application, next]).sort()).toEqual([
    ['red', 'critical'],
    ['sinking', 'warning'],
  ]);
  const expectedTimes = likely_soon.map(({ expected }) => expected);
  expect(expectedTimes).toEqual([...expectedTimes].sort());

  const sinking = likely_soon.find(({ application }) => application === 'sinking');
  const [published] = await service.rows<{ earliest: number; expected: number }>(
    'metric_forecast',
    '2026/03/10',
    'DISTINCT epoch_ms(warning_earliest)::DOUBLE AS earliest, epoch_ms(warning_expected)::DOUBLE AS expected',
    "application = 'sinking'",
  );
  expect(sinking).toMatchObject({
    owner: 'sinking team',
    earliest: new Date(published?.earliest ?? 0).toISOString(),
    expected: new Date(published?.expected ?? 0).toISOString(),
    metric: { name: 'accuracy', status: 'healthy', warning_threshold: 0.8, critical_threshold: 0.7 },
    run: { run_name: `sinking ${RUNS - 1}`, at: new Date(START - MS_PER_HOUR).toISOString() },
  });
  expect(sinking?.metric.value).toBeCloseTo(0.83, 1);
  expect(sinking?.metric.points.at(-1)?.value).toBe(sinking?.metric.value);
  // The slope is about 0.0133 a day, so 0.03 are two days away.
  const days = (Date.parse(sinking?.expected ?? '') - START) / MS_PER_DAY;
  expect(days).toBeGreaterThan(1);
  expect(days).toBeLessThan(4);

  const metrics = await (await fetch(`${service.url}/metrics`)).text();
  const exposed =
    /^mlflow_monitor_seconds_to_breach\{application="sinking",owner="sinking team",metric="accuracy",status="warning"\} (.+)$/m;
  expect(Number(exposed.exec(metrics)?.[1])).toBe((Date.parse(sinking?.expected ?? '') - now) / 1000);
});

it('announces a breach until its expected time', async () => {
  log('sinking', 0.95, 0.83);
  await service.run('bootstrap');
  const [likely] = (await current()).likely_soon;
  now = Date.parse(likely?.expected ?? '') - MS_PER_HOUR;
  expect((await current()).likely_soon).toHaveLength(1);
  now += 3 * MS_PER_HOUR;
  expect((await current()).likely_soon).toEqual([]);
});
