import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import type { HealthReport } from '../../../src/health/health-report.js';
import { readPipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { readRulebook } from '../../../src/state/rulebook.js';
import { type OpenService, openService } from '../../support/open-service.js';
import { describeRedis, type RedisServer } from '../../support/redis-server.js';
import { describeS3, type S3Server } from '../../support/s3-server.js';

Logger.overrideLogger(false);
const HOUR = 3_600_000;
/** The same for all runs: after midnight, one more day would be published. */
const NOW = Date.parse('2026-03-10T15:30:00Z');

/** Either service may execute the stages and close the run. */
async function run({ engine, resources }: OpenService): Promise<void> {
  const id = await engine.create('historical', { scheduledAt: null });
  for (;;) {
    const record = await readPipelineRun(resources.store, `${id}`);
    if (record?.status === 'done') return;
    if (record?.status !== 'active') throw new Error(`${id} ${record?.status}: ${record?.error?.message}`);
    await wait(100);
  }
}

describeS3('two services with different judging settings on one bucket', (server) => {
  describeRedis('and one Redis', (redis) => tests(server, redis));
});

function tests(server: () => S3Server, redis: () => RedisServer): void {
  let mlflow: TrackingServer;
  let folder: string;
  const services: OpenService[] = [];
  beforeEach(async () => {
    mlflow = await TrackingServer.start(() => NOW);
    folder = await mkdtemp(join(tmpdir(), 'judging-'));
    const { experiment_id } = mlflow.experiment('churn');
    const start_time = NOW - HOUR;
    const metrics = [{ key: 'accuracy', value: 0.75, step: 0, timestamp: start_time }];
    mlflow.run({ experiment_id, start_time, metrics, tags: { application: 'churn' } });
  });
  afterEach(async () => {
    for (const service of services.splice(0)) await service.close();
    await mlflow.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('judge by those of the scheduler, and the worker says so', async () => {
    const bucket = await server().bucket('judging');
    const open = async (roles: string, env: Record<string, string>) => {
      const service = await openService({
        trackingUri: mlflow.uri,
        clock: () => NOW,
        http: true,
        env: {
          ROLES: roles,
          STORAGE_DIR: join(folder, roles),
          REDIS_URL: redis().url,
          STAGE_TRIES: '5',
          S3_BUCKET: bucket,
          S3_ENDPOINT: server().endpoint,
          S3_FORCE_PATH_STYLE: 'true',
          LOOKBACK_DAYS_HISTORICAL: '2',
          CATALOG_CACHE_TTL_SECONDS: '0',
          ...env,
        },
      });
      services.push(service);
      return service;
    };
    const scheduler = await open('worker,scheduler', { LIGHT_SPAN_HOURS: '5' });
    const worker = await open('worker', { LIGHT_SPAN_HOURS: '7', EXPERIMENT_EXCLUDE: 'churn' });
    await run(scheduler);
    const before = await scheduler.digests();
    expect(Object.keys(before)).not.toHaveLength(0);
    for (const each of [worker, scheduler, worker]) {
      await run(each);
    }
    expect(await scheduler.digests()).toEqual(before);
    const book = await readRulebook(scheduler.resources.store);
    expect(book?.settings.map(({ settings }) => settings.light_span_hours)).toEqual([5]);
    const problemsOf = async (service: OpenService) =>
      ((await service.request('GET', '/health')).json as HealthReport).problems.filter((problem) =>
        problem.includes('settings'),
      );
    expect(await problemsOf(scheduler)).toEqual([]);
    expect(await problemsOf(worker)).toEqual([
      expect.stringMatching(
        /scheduler that started last .*, not its own EXPERIMENT_EXCLUDE, LIGHT_SPAN_HOURS, METRICS_API_URL, THRESHOLDS_API_URL\./,
      ),
    ]);
  });
}
