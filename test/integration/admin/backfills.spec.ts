import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getQueueToken } from '@nestjs/bullmq';
import { Logger } from '@nestjs/common';
import type { Job, Queue, Worker } from 'bullmq';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { EnrichmentProcessor } from '../../../src/enrichment/enrichment.processor.js';
import { IngestionProcessor } from '../../../src/ingestion/ingestion.processor.js';
import { readPipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { QUEUES, type QueueName } from '../../../src/queue/queue-names.js';
import { readKindState } from '../../../src/state/kind-state.js';
import { type OpenService, openService } from '../../support/open-service.js';
import { describeRedis } from '../../support/redis-server.js';

Logger.overrideLogger(false);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-03-10T15:30:00Z');
const BACKFILLS = '/api/v1/admin/backfills';
const WEEK = { from: '2026-02-01', to: '2026-02-07' };
let mlflow: TrackingServer;
let folder: string;
const open: OpenService[] = [];

beforeEach(async () => {
  mlflow = await TrackingServer.start(() => NOW);
  folder = await mkdtemp(join(tmpdir(), 'backfills-'));
  const { experiment_id } = mlflow.experiment('churn');
  for (let day = 0; day < 9; day++) {
    const start_time = Date.parse('2026-01-31T12:00:00Z') + day * DAY;
    mlflow.run({
      experiment_id,
      start_time,
      metrics: [{ key: 'accuracy', value: 0.9, step: 0, timestamp: start_time }],
    });
  }
});
afterEach(async () => {
  for (const service of open.splice(0)) await service.close();
  await mlflow.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(env: Readonly<Record<string, string>> = {}, scheduled = false): Promise<OpenService> {
  const service = await openService({
    trackingUri: mlflow.uri,
    folder,
    catalog: null,
    clock: () => NOW,
    http: true,
    scheduled,
    env: { LOOKBACK_DAYS_HISTORICAL: '1', ...env },
  });
  open.push(service);
  return service;
}

const queueOf = (service: OpenService, name: QueueName): Queue =>
  service.app.get(getQueueToken(name), { strict: false });

/** The sorted ids of the next `count` jobs that the worker completes. */
function completedJobs(worker: Worker, count: number): Promise<string[]> {
  return new Promise((resolve) => {
    const ids: string[] = [];
    const onCompleted = (job: Job): void => {
      ids.push(job.id ?? '');
      if (ids.length < count) return;
      worker.off('completed', onCompleted);
      resolve(ids.sort());
    };
    worker.on('completed', onCompleted);
  });
}

async function keysOf({ resources }: OpenService, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of resources.store.list(prefix)) keys.push(key.slice(prefix.length));
  return keys;
}

function describeAdmin(name: string, env: () => Record<string, string>): void {
  describe(name, () => {
    it('runs a backfill of whole days and returns its progress and address', async () => {
      const service = await start(env());
      const done = service.finished('backfill-1');
      const created = await service.requestAsAdmin('POST', BACKFILLS, { body: WEEK });
      expect([created.status, created.headers.location]).toEqual([202, 'backfills/backfill-1']);
      expect(created.json).toMatchObject({
        id: 'backfill-1',
        ...WEEK,
        progress: { days_done: 0, days_all: 7 },
      });
      // Stored, so it survives this process.
      expect(await readPipelineRun(service.resources.store, 'backfill-1')).toMatchObject({
        window: { from: Date.parse('2026-02-01'), to: Date.parse('2026-02-08') },
      });
      expect((await done).status).toBe('done');
      const shown = await service.requestAsAdmin('GET', `${BACKFILLS}/backfill-1`);
      expect(shown.json).toMatchObject({
        status: 'done',
        error: null,
        progress: { days_done: 7, days_all: 7 },
      });
      expect((await service.requestAsAdmin('GET', BACKFILLS)).json).toMatchObject({
        backfills: [{ id: 'backfill-1' }],
      });
      // The days before and after do not belong to it.
      expect(await keysOf(service, 'runs/')).toEqual(
        [1, 2, 3, 4, 5, 6, 7].map((day) => `2026/02/0${day}/part-0.parquet`),
      );
    });

    it('cancels a backfill: its waiting jobs do nothing, and the next backfill starts', async () => {
      const service = await start({ ...env(), BACKFILL_CONCURRENCY: '2' });
      const { resources, engine } = service;
      const enrichment = queueOf(service, 'enrichment');
      await enrichment.pause();
      // `plan` and the `fetch` of two slices; their `enrich` waits in the paused queue.
      const fetched = service.stepsDone('backfill-1', 3);
      await service.requestAsAdmin('POST', BACKFILLS, { body: WEEK });
      await fetched;
      await engine.dispatch();
      const next = { from: '2026-02-08', to: '2026-02-08' };
      const second = await service.requestAsAdmin('POST', BACKFILLS, { body: next });
      expect(second.json).toMatchObject({ id: 'backfill-2', waits_for: 'backfill-1' });
      const { waiting, prioritized } = await enrichment.getJobCounts('waiting', 'prioritized');
      expect((waiting ?? 0) + (prioritized ?? 0)).toBe(2);
      expect((await queueOf(service, 'ingestion').getJobs()).map((job) => job.id).sort()).toEqual([
        'backfill-1.all.plan.1',
        'backfill-1.c0-20260201.fetch.1',
        'backfill-1.c0-20260202.fetch.1',
      ]);

      const secondDone = service.finished('backfill-2');
      const { status, json } = await service.requestAsAdmin('DELETE', `${BACKFILLS}/backfill-1`);
      expect(status).toBe(200);
      expect(json).toMatchObject({ status: 'cancelled', progress: { days_done: 0, days_all: 7 } });
      expect((await service.requestAsAdmin('DELETE', `${BACKFILLS}/backfill-1`)).status).toBe(200);
      const drained = completedJobs(service.app.get(EnrichmentProcessor, { strict: false }).worker, 3);
      await enrichment.resume();
      expect(await drained).toEqual([
        'backfill-1.c0-20260201.enrich.1',
        'backfill-1.c0-20260202.enrich.1',
        'backfill-2.c0-20260208.enrich.1',
      ]);
      expect((await secondDone).status).toBe('done');
      expect((await keysOf(service, '_state/runs/backfill-1/done/')).sort()).toEqual([
        'all.plan.json',
        'c0-20260201.fetch.json',
        'c0-20260202.fetch.json',
      ]);
      expect(await keysOf(service, 'runs/')).toEqual(['2026/02/08/part-0.parquet']);
      expect((await readKindState(resources.store, 'backfill')).active).toEqual([]);
      const finished = await service.requestAsAdmin('DELETE', `${BACKFILLS}/backfill-2`);
      expect(finished.status).toBe(409);
      expect(finished.json).toMatchObject({ code: 'backfill_finished', title: 'Conflict' });
    });

    it('shows the queues in Bull Board, whose page may load its scripts', async () => {
      const service = await start(env());
      const { json } = await service.requestAsAdmin('GET', '/admin/queues/api/queues');
      const { queues } = json as { queues: { name: string }[] };
      expect(queues.map((queue) => queue.name)).toEqual([...QUEUES]);
      const page = await service.requestAsAdmin('GET', '/admin/queues');
      expect(page.headers['content-security-policy']).toContain("default-src 'self'");
      const base = /<base href="([^"]+)"/.exec(page.text)?.[1] ?? '';
      const scripts = [...page.text.matchAll(/<script[^>]* src="([^"]+)"/g)].map((found) => found[1] ?? '');
      expect(scripts.length).toBeGreaterThan(0);
      for (const script of scripts) {
        const { pathname } = new URL(script, `http://127.0.0.1${base}`);
        expect((await service.requestAsAdmin('GET', pathname)).headers['content-type']).toMatch(/javascript/);
      }
      const { headers } = await service.request('GET', '/api/v1/platform/current');
      expect(headers['content-security-policy']).toContain("default-src 'none'");
    });

    it('ignores a retry in Bull Board if the pipeline run is closed', async () => {
      mlflow.intercept = ({ path }) =>
        path === 'experiments/search'
          ? { status: 403, body: '{"error_code":"PERMISSION_DENIED"}' }
          : undefined;
      const service = await start(env());
      const failed = service.finished('backfill-1');
      const worker = service.app.get(IngestionProcessor, { strict: false }).worker;
      const jobFailed = once(worker, 'failed');
      await service.requestAsAdmin('POST', BACKFILLS, { body: WEEK });
      expect(await failed).toMatchObject({ status: 'failed', error: { code: 'mlflow_refused' } });
      await jobFailed;
      mlflow.intercept = undefined;
      mlflow.requests.splice(0);
      const before = await readPipelineRun(service.resources.store, 'backfill-1');
      const again = completedJobs(worker, 1);
      const job = 'backfill-1.all.plan.1';
      const retried = await service.requestAsAdmin('PUT', `/admin/queues/api/queues/ingestion/${job}/retry`);
      expect(retried.status).toBe(204);
      expect(await again).toEqual([job]);
      expect(await readPipelineRun(service.resources.store, 'backfill-1')).toEqual(before);
      expect(await keysOf(service, '_state/runs/backfill-1/done/')).toEqual([]);
      expect(mlflow.requests).toEqual([]);
    });
  });
}

describeAdmin('with the embedded queue', () => ({}));

describe('a service that is stopped during a backfill', () => {
  it('continues it after the next start', async () => {
    // A job that is lost by the restart counts as an attempt.
    const twoAttempts = { STAGE_TRIES: '2' };
    const first = await start(twoAttempts);
    await queueOf(first, 'enrichment').pause();
    const fetched = first.stepsDone('backfill-1', 3);
    await first.requestAsAdmin('POST', BACKFILLS, { body: WEEK });
    await fetched;
    await first.close();
    mlflow.requests.splice(0);

    const second = await start(twoAttempts, true);
    expect((await second.finished('backfill-1')).status).toBe('done');
    expect((await second.requestAsAdmin('GET', `${BACKFILLS}/backfill-1`)).json).toMatchObject({
      progress: { days_done: 7, days_all: 7 },
    });
    expect(await keysOf(second, 'runs/2026/02/')).toHaveLength(7);
    // Slices that were fetched before are not fetched again.
    const filters = mlflow.requests.map(({ body }) => String(body.filter));
    const from = (day: string) => `attributes.start_time >= ${Date.parse(day)}`;
    expect(filters.filter((filter) => filter.startsWith(from('2026-02-01')))).toEqual([]);
    expect(filters.filter((filter) => filter.startsWith(from('2026-02-03')))).toHaveLength(1);
  });
});

describe('the backfill API', () => {
  it('rejects an invalid request with problem details that point at the invalid parts', async () => {
    const service = await start({ ROLES: 'api' });
    const post = (body: unknown) => service.requestAsAdmin('POST', BACKFILLS, { body });
    const wrong = await post({ from: '2026-02-30', to: '2026-03-01' });
    expect(wrong.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(wrong.json).toEqual({
      status: 400,
      title: 'Bad Request',
      detail: 'The request is not valid.',
      errors: [{ pointer: '#/from', detail: 'a day such as 2026-03-31' }],
      instance: BACKFILLS,
      request_id: wrong.headers['x-request-id'],
    });
    for (const body of [{}, [], { ...WEEK, force: true }, { from: '2026-02-07', to: '2026-02-01' }]) {
      expect((await post(body)).status).toBe(400);
    }
    // The clock of the service is at the 10th.
    expect((await post({ from: '2026-03-10', to: '2026-03-11' })).json).toMatchObject({
      status: 400,
      code: 'backfill_window',
      detail: expect.stringContaining('in the future'),
    });
    expect((await post({ from: '2016-03-12', to: '2026-03-10' })).status).toBe(400);
    const unknown = await service.requestAsAdmin('GET', `${BACKFILLS}/backfill-7`);
    expect([unknown.status, unknown.json]).toMatchObject([404, { code: 'unknown_backfill' }]);
    expect((await service.requestAsAdmin('GET', BACKFILLS)).json).toEqual({ backfills: [] });
  });

  it('is described by OpenAPI with the same schemas', async () => {
    const service = await start({ ROLES: 'api' });
    const { json } = await service.request('GET', '/docs/openapi.json');
    const { paths } = json as { paths: Record<string, { post: object }> };
    expect(paths[BACKFILLS]?.post).toMatchObject({
      requestBody: {
        content: { 'application/json': { schema: { type: 'object', required: ['from', 'to'] } } },
      },
      responses: {
        202: {
          content: { 'application/json': { schema: { properties: { progress: { type: 'object' } } } } },
        },
      },
    });
    expect((await service.request('GET', '/docs')).text).toContain('swagger-ui');
  });
});

describeRedis('with a server', (server) => {
  // One database per test: the pipeline runs of all tests have the same numbers, and so have the ids of their jobs.
  let database = 0;
  afterEach(() => {
    database++;
  });
  describeAdmin('with Redis', () => ({ REDIS_URL: `${server().url}/${database}` }));
});
