import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getQueueToken } from '@nestjs/bullmq';
import { Logger } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { type PlatformCurrent, platformCurrentSchema } from '../../src/dashboard/contract.js';
import { TrackingServer } from '../../src/demo/tracking-server.js';
import type { PipelineRun } from '../../src/pipeline/pipeline-run.js';
import { type OpenService, openService } from '../support/open-service.js';

Logger.overrideLogger(false);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A Friday. */
const FRIDAY = Date.parse('2026-03-13T15:30:00Z');

let mlflow: TrackingServer;
let service: OpenService;
let folder: string;
/** Clock of the tracking server, and by default of the service, ms. */
let now: number;
let serviceClock: () => number;

async function thresholds(critical: number, warning: number): Promise<void> {
  const row = { metric_name: 'accuracy', critical_threshold: critical, warning_threshold: warning };
  await writeFile(join(folder, 'thresholds.json'), JSON.stringify({ metrics: [], thresholds: [row] }));
}

beforeEach(async () => {
  now = FRIDAY;
  serviceClock = () => now;
  folder = await mkdtemp(join(tmpdir(), 'break-it-'));
  await thresholds(0.7, 0.8);
  mlflow = await TrackingServer.start(() => now);
  const file = `file:${join(folder, 'thresholds.json')}`;
  service = await openService({
    http: true,
    trackingUri: mlflow.uri,
    catalog: {},
    clock: () => serviceClock(),
    env: {
      METRICS_API_URL: file,
      THRESHOLDS_API_URL: file,
      CATALOG_CACHE_TTL_SECONDS: '0',
      LOOKBACK_DAYS_HISTORICAL: '12',
    },
  });
});
afterEach(async () => {
  await service.close();
  await mlflow.close();
  await rm(folder, { recursive: true, force: true });
});

const current = async (): Promise<PlatformCurrent> =>
  platformCurrentSchema.parse(await (await fetch(`${service.url}/api/v1/platform/current`)).json());

let experiment_id: string;
const log = (start_time: number, metrics: Record<string, number>, tags: Record<string, string> = {}) =>
  mlflow.run({
    experiment_id,
    start_time,
    metrics: Object.entries(metrics).map(([key, value]) => ({ key, value, step: 0, timestamp: start_time })),
    tags,
  });

describe('six things to try to break it', () => {
  beforeEach(() => {
    experiment_id = mlflow.experiment('churn').experiment_id;
  });

  it('a weekend without runs: the light is no_data, and the last known light is shown', async () => {
    for (let hour = 1; hour < 40; hour++) log(FRIDAY - hour * HOUR, { accuracy: 0.9 });
    await service.run('bootstrap');
    expect((await current()).platform.light).toBe('healthy');
    now += 2.5 * DAY;
    await service.run('delta');
    const { platform, applications, needs_attention } = await current();
    expect(platform).toMatchObject({ light: 'no_data', total: 0 });
    expect(applications[0]?.last_known).toMatchObject({ light: 'healthy' });
    expect(needs_attention.map(({ light }) => light)).toEqual(['no_data']);
  });

  it('a hyperparameter sweep of 500 trials: it counts as one run, not 500 incidents', async () => {
    const parent = log(FRIDAY - HOUR, { accuracy: 0.9 });
    for (let trial = 0; trial < 500; trial++) {
      log(FRIDAY - HOUR + trial, { accuracy: 0.1 }, { 'mlflow.parentRunId': parent.run_id });
    }
    await service.run('bootstrap');
    expect((await current()).platform).toMatchObject({ light: 'healthy', total: 1, critical: 0 });
  });

  it('a renamed metric: its runs are unmonitored, which coverage shows; they are not healthy', async () => {
    log(FRIDAY - 3 * HOUR, { accuracy: 0.9 });
    for (const hours of [2, 1]) log(FRIDAY - hours * HOUR, { acc: 0.2 });
    await service.run('bootstrap');
    const { platform } = await current();
    expect(platform).toMatchObject({ total: 3, unmonitored: 2 });
    expect(platform.coverage).toBeCloseTo(100 / 3, 10);
    expect(platform.reason).toContain('2 have none');
  });

  it('an edited threshold: recent days are reevaluated, older days are not', async () => {
    log(FRIDAY - 9 * DAY, { accuracy: 0.75 });
    log(FRIDAY - HOUR, { accuracy: 0.75 });
    await service.run('bootstrap');
    expect((await current()).platform.light).toBe('warning');
    await thresholds(0.8, 0.85);
    now += HOUR / 2;
    await service.run('reevaluation');
    const { platform } = await current();
    expect(platform).toMatchObject({ light: 'critical', critical: 1 });
    const status = async (day: string) => {
      const stored = await service.resources.store.fetch(`runs/2026/03/${day}/part-0.parquet`);
      const rows = await service.resources.duck.session((session) =>
        session.rows<{ status: string }>('SELECT status FROM read_parquet($file)', {
          file: stored?.file ?? '',
        }),
      );
      return rows.map((row) => row.status);
    };
    expect(await status('13')).toEqual(['critical']);
    expect(await status('04')).toEqual(['warning']);
  });

  it('a paused queue: the service stays alive and catches up', async () => {
    log(FRIDAY - HOUR, { accuracy: 0.9 });
    const queue = service.app.get<Queue>(getQueueToken('ingestion'), { strict: false });
    await queue.pause();
    const finished = new Promise<PipelineRun>((resolve) => service.engine.events.once('finished', resolve));
    await service.engine.create('bootstrap', { scheduledAt: null });
    expect(await queue.getJobCounts('prioritized')).toEqual({ prioritized: 1 });
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    expect((await current()).platform.light).toBe('no_data');
    await queue.resume();
    expect((await finished).status).toBe('done');
    expect((await current()).platform).toMatchObject({ light: 'healthy', total: 1 });
  });

  it.each([
    ['two hours behind', -2 * HOUR],
    ['two hours ahead', 2 * HOUR],
  ])('a service clock that is temporarily %s: no run is lost', async (_, skew) => {
    log(FRIDAY - HOUR, { accuracy: 0.9 });
    await service.run('bootstrap');
    serviceClock = () => now + skew;
    now += HOUR;
    log(now - HOUR / 2, { accuracy: 0.9 });
    await service.run('delta');
    serviceClock = () => now;
    now += HOUR;
    log(now - HOUR / 2, { accuracy: 0.9 });
    await service.run('delta');
    expect((await current()).platform.total).toBe(3);
  });
});
