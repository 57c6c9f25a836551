import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { getQueueToken } from '@nestjs/bullmq';
import { Logger } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { type Decide, FaultProxy } from '../../support/fault-proxy.js';
import type { HttpResponse } from '../../support/http-request.js';
import { type OpenService, openService } from '../../support/open-service.js';
import { Program } from '../../support/program.js';
import { findRedisServer, freePort, startRedis } from '../../support/redis-server.js';
import { describeS3 } from '../../support/s3-server.js';
import { skipSuite } from '../../support/skip.js';

Logger.overrideLogger(false);
const HOUR = 3_600_000;
/** Probes, `/health` and `/metrics` must respond within this time. */
const MAX_RESPONSE_MS = 2_000;

let mlflow: TrackingServer;
let folder: string;
let env: Record<string, string>;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  mlflow = await TrackingServer.start();
  folder = await mkdtemp(join(tmpdir(), 'health-'));
  env = {
    MLFLOW_TRACKING_URI: mlflow.uri,
    STORAGE_DIR: join(folder, 'store'),
    MAX_RETRIES: '0',
    LOOKBACK_DAYS_HISTORICAL: '2',
  };
  const { experiment_id } = mlflow.experiment('churn');
  for (let i = 0; i < 12; i++) {
    const start_time = Date.now() - (i + 1) * HOUR;
    const metrics = [{ key: 'accuracy', value: 0.9, step: 0, timestamp: start_time }];
    mlflow.run({ experiment_id, start_time, metrics, tags: { application: 'churn' } });
  }
  mlflow.run({ experiment_id, start_time: Date.now() - HOUR, run_id: "o'brien" });
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await mlflow.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(more: Readonly<Record<string, string>> = {}): Promise<OpenService> {
  const service = await openService({
    trackingUri: mlflow.uri,
    catalog: null,
    http: true,
    env: { STAGE_TRIES: '5', ...env, ...more },
  });
  closing.push(() => service.close());
  return service;
}

async function proxyTo(upstream: string, decide: Decide): Promise<FaultProxy> {
  const proxy = await FaultProxy.start(upstream);
  proxy.decide = decide;
  closing.push(() => proxy.close());
  return proxy;
}

/** A tracking server that responds to requests of `path` only after `release`; `requested` resolves with the first one. */
async function heldMlflow(path: string) {
  let arrived: () => void = () => undefined;
  let release: () => void = () => undefined;
  const requested = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const released = new Promise<undefined>((resolve) => {
    release = () => resolve(undefined);
  });
  const { url: uri } = await proxyTo(mlflow.uri, ({ url }) => {
    if (!url.endsWith(path)) return undefined;
    arrived();
    return released;
  });
  return { uri, requested, release };
}

/** The response, which must arrive in time. */
async function probe(service: OpenService, path: string): Promise<HttpResponse> {
  const startedAt = performance.now();
  const response = await service.request('GET', path);
  expect(performance.now() - startedAt).toBeLessThan(MAX_RESPONSE_MS);
  return response;
}

/** The samples of a scrape, without the prefix. */
async function scrape(service: OpenService): Promise<string[]> {
  const { status, headers, text } = await probe(service, '/metrics');
  expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  return text
    .split('\n')
    .filter((line) => line.startsWith('mlflow_monitor_'))
    .map((line) => line.slice('mlflow_monitor_'.length));
}

const sample = (lines: readonly string[], name: string): number | undefined => {
  const line = lines.find((each) => each.startsWith(`${name} `));
  return line === undefined ? undefined : Number(line.slice(name.length));
};

describe('health and metrics', () => {
  it('show the work and the status of a service that has published', async () => {
    const service = await start();
    const id = await service.engine.create('bootstrap', { scheduledAt: null });
    await service.finished(`${id}`);
    const lines = await scrape(service);
    expect(sample(lines, 'runs_in_total')).toBe(13);
    expect(sample(lines, 'runs_published_total{change="inserted"}')).toBe(12);
    expect(sample(lines, 'runs_quarantined_total')).toBe(1);
    expect(sample(lines, 'pipeline_runs_total{kind="bootstrap",status="done"}')).toBe(1);
    expect(sample(lines, 'stage_duration_seconds_count{stage="select-rebuild",outcome="done"}')).toBe(1);
    expect(sample(lines, 'downloaded_bytes_total')).toBeGreaterThan(1_000);
    expect(sample(lines, 'upstream_requests_total{upstream="mlflow",outcome="answered"}')).toBeGreaterThan(3);
    for (const upstream of ['store', 'queue', 'mlflow']) {
      expect(sample(lines, `upstream_up{upstream="${upstream}"}`)).toBe(1);
    }
    expect(sample(lines, 'experiments{state="current"}')).toBe(2);
    expect(sample(lines, 'platform_light{light="unmonitored"}')).toBe(1);
    expect(sample(lines, 'application_light{application="churn",owner="",light="unmonitored"}')).toBe(1);
    expect(sample(lines, 'platform_coverage_ratio')).toBe(0);
    expect(sample(lines, 'process_resident_memory_bytes')).toBeGreaterThan(1e7);
    const { json } = await probe(service, '/health');
    expect(json).toMatchObject({
      status: 'ok',
      problems: [],
      mlflow: { up: true },
      catalog: null,
      watermark: { experiments: { current: 2, lagging: 0, unread: 0 } },
    });
    expect((await probe(service, '/health/startup')).status).toBe(200);
  });

  it('are served by every process, with lights only by those with the page', async () => {
    const service = await start({ ROLES: 'worker' });
    for (const path of ['live', 'ready', 'startup']) {
      expect((await probe(service, `/health/${path}`)).status).toBe(200);
    }
    expect((await probe(service, '/health')).json).toMatchObject({
      roles: ['worker'],
      problems: ['No delta or bootstrap has succeeded yet.'],
    });
    const lines = await scrape(service);
    expect(sample(lines, 'queue_paused{queue="ingestion"}')).toBe(0);
    expect(lines.join('\n')).not.toMatch(/^(platform|application)/m);
    // Jobs may continue for a while, but no new requests are accepted.
    service.resources.stopping.abort();
    expect((await probe(service, '/health/ready')).json).toMatchObject({
      detail: 'The service is stopping.',
    });
    expect((await probe(service, '/health/live')).status).toBe(200);
  });

  it('liveness fails only if a job makes no progress for too long', async () => {
    const { uri, requested, release } = await heldMlflow('runs/search');
    const service = await start({ MLFLOW_TRACKING_URI: uri });
    const id = await service.engine.create('bootstrap', { scheduledAt: null });
    await requested;
    const lines = await scrape(service);
    expect(sample(lines, 'held_job_idle_seconds')).toBeGreaterThan(0);
    expect(sample(lines, 'queue_jobs{queue="ingestion",state="active"}')).toBeGreaterThan(0);
    expect((await probe(service, '/health/live')).status).toBe(200);

    // Longer than any request may take.
    const longestIdle = jest.spyOn(service.engine.activeJobs, 'longestIdleMs').mockReturnValue(HOUR);
    const stalled = await probe(service, '/health/live');
    expect([stalled.status, stalled.headers['content-type']]).toEqual([
      503,
      'application/problem+json; charset=utf-8',
    ]);
    expect(stalled.json).toMatchObject({ status: 503, detail: 'A job has made no progress for 60 minutes.' });
    longestIdle.mockRestore();

    release();
    expect((await service.finished(`${id}`)).status).toBe('done');
    expect((await probe(service, '/health/live')).status).toBe(200);
  });

  it('a paused queue is a problem in /health, but not for probes', async () => {
    const service = await start();
    const queue = service.app.get<Queue>(getQueueToken('ingestion'), { strict: false });
    await queue.pause();
    const id = await service.engine.create('bootstrap', { scheduledAt: null });
    const lines = await scrape(service);
    expect(sample(lines, 'queue_paused{queue="ingestion"}')).toBe(1);
    const waiting = ['waiting', 'prioritized'].map((state) =>
      sample(lines, `queue_jobs{queue="ingestion",state="${state}"}`),
    );
    expect(waiting.reduce((sum = 0, n = 0) => sum + n)).toBe(1);
    expect(sample(lines, 'pipeline_runs_active{kind="bootstrap"}')).toBe(1);
    for (const path of ['live', 'ready']) expect((await probe(service, `/health/${path}`)).status).toBe(200);
    const report = await probe(service, '/health');
    expect([report.status, report.json]).toMatchObject([
      200,
      { status: 'degraded', problems: expect.arrayContaining(['The queue ingestion is paused.']) },
    ]);
    await queue.resume();
    expect((await service.finished(`${id}`)).status).toBe('done');
  });

  it('a service that waits for its tracking server is live, but not started', async () => {
    const { uri, requested, release } = await heldMlflow('experiments/search');
    const port = await freePort();
    const program = Program.start(['serve'], { ...env, MLFLOW_TRACKING_URI: uri, PORT: `${port}` });
    closing.push(() => program.stop('SIGKILL'));
    await Promise.race([
      requested,
      program.exited.then(() => Promise.reject(new Error(program.lines.join('\n')))),
    ]);
    const request = (path: string) => fetch(`http://127.0.0.1:${port}/health/${path}`);
    expect((await request('live')).status).toBe(200);
    expect((await request('ready')).status).toBe(503);
    const startup = await request('startup');
    expect([startup.status, startup.headers.get('content-type')]).toEqual([503, 'application/problem+json']);
    expect(startup.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(startup.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await startup.json()).toMatchObject({ status: 503, title: 'Service Unavailable' });
    release();
    await program.line(/Page: http/);
    for (const path of ['live', 'ready', 'startup']) expect((await request(path)).status).toBe(200);
  });
});

describeS3('health on a bucket', (server) => {
  it('responds in time while the store hangs, reports it, and recovers', async () => {
    let hangs = false;
    const proxy = await proxyTo(server().endpoint, () =>
      hangs ? { forward: false, end: { how: 'hang' } } : undefined,
    );
    const bucket = await server().bucket('health');
    const service = await start({
      S3_BUCKET: bucket,
      S3_ENDPOINT: proxy.url,
      S3_FORCE_PATH_STYLE: 'true',
      TIMEOUT: '2',
    });
    const id = await service.engine.create('bootstrap', { scheduledAt: null });
    await service.finished(`${id}`);
    const before = await scrape(service);
    expect(sample(before, 'upstream_up{upstream="store"}')).toBe(1);
    expect(sample(before, 'watermark_lag_seconds')).toBeGreaterThanOrEqual(0);
    expect(sample(before, 'upstream_requests_total{upstream="store",outcome="answered"}')).toBeGreaterThan(
      10,
    );

    hangs = true;
    // The last result may still be cached.
    for (;;) if ((await probe(service, '/health/ready')).status === 503) break;
    const ready = await probe(service, '/health/ready');
    expect(ready.json).toMatchObject({ detail: 'The store is unavailable: no response within 1.5 s.' });
    expect((await probe(service, '/health/live')).status).toBe(200);
    for (;;) if (sample(await scrape(service), 'watermark_lag_seconds') === undefined) break;
    const lines = await scrape(service);
    expect(sample(lines, 'upstream_up{upstream="store"}')).toBe(0);
    expect(sample(lines, 'upstream_up{upstream="queue"}')).toBe(1);
    expect(sample(lines, 'runs_in_total')).toBe(13);
    const report = await probe(service, '/health');
    expect([report.status, report.json]).toMatchObject([
      200,
      { status: 'degraded', store: { up: false }, last_success: null },
    ]);

    hangs = false;
    for (;;) if ((await probe(service, '/health/ready')).status === 200) break;
    for (;;) if (sample(await scrape(service), 'watermark_lag_seconds') !== undefined) break;
  });
});

const redis = findRedisServer();
if (redis) {
  it('a process without Redis is live, but not ready until Redis is back', async () => {
    const first = await startRedis(redis);
    const service = await start({ REDIS_URL: first.url });
    const port = new URL(first.url).port;
    expect((await probe(service, '/health/ready')).status).toBe(200);
    await first.stop();
    for (;;) if ((await probe(service, '/health/ready')).status === 503) break;
    expect((await probe(service, '/health/live')).status).toBe(200);
    const lines = await scrape(service);
    expect(sample(lines, 'upstream_up{upstream="queue"}')).toBe(0);
    expect(sample(lines, 'upstream_up{upstream="store"}')).toBe(1);
    expect(lines.join('\n')).not.toMatch(/^queue_/m);
    expect((await probe(service, '/health')).json).toMatchObject({ queue: { up: false, backend: 'redis' } });
    const second = await startRedis(redis, ['--port', port]);
    closing.unshift(() => second.stop());
    for (;;) if ((await probe(service, '/health/ready')).status === 200) break;
  });
} else {
  skipSuite('health without Redis', 'redis-server or valkey-server on PATH');
}
