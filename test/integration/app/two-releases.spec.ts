import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { WAIT_MS } from '../../../src/pipeline/engine.js';
import { type PipelineRun, readPipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { Processes } from '../../../src/state/processes.js';
import { raiseVersions } from '../../../src/state/raise-versions.js';
import {
  FIRST_VERSIONS,
  OWN_VERSIONS,
  SUPPORTED_VERSIONS,
  type Versions,
} from '../../../src/state/versions.js';
import { readFooter } from '../../../src/storage/footer.js';
import type { ObjectStore } from '../../../src/storage/object-store.js';
import { ACCURACY_CATALOG, type OpenService, openService } from '../../support/open-service.js';
import { describeRedis, type RedisServer } from '../../support/redis-server.js';
import { describeS3, type S3Server } from '../../support/s3-server.js';

Logger.overrideLogger(false);
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

describeS3('two releases on one bucket', (server) => {
  describeRedis('and one Redis', (redis) => tests(server, redis));
});

function tests(server: () => S3Server, redis: () => RedisServer): void {
  let mlflow: TrackingServer;
  let folder: string;
  let now: number;
  const services: OpenService[] = [];
  beforeEach(async () => {
    now = Date.parse('2026-03-10T15:30:00Z');
    mlflow = await TrackingServer.start(() => now);
    folder = await mkdtemp(join(tmpdir(), 'releases-'));
    const { experiment_id } = mlflow.experiment('churn');
    for (let day = 0; day < 3; day++) addRun(experiment_id, now - 60 * MINUTE - day * DAY);
  });
  afterEach(async () => {
    for (const service of services.splice(0)) await service.close();
    await mlflow.close();
    await rm(folder, { recursive: true, force: true });
  });

  function addRun(experiment_id = '1', start_time = now - MINUTE): void {
    const metrics = [{ key: 'accuracy', value: 0.75, step: 0, timestamp: start_time }];
    mlflow.run({ experiment_id, start_time, end_time: start_time, metrics });
  }

  async function open(
    bucket: string,
    name: string,
    supported: Versions,
    wrapStore = (store: ObjectStore) => store,
  ): Promise<OpenService> {
    const service = await openService({
      trackingUri: mlflow.uri,
      clock: () => now,
      folder: join(folder),
      catalog: ACCURACY_CATALOG,
      env: {
        ROLES: 'worker,scheduler',
        STORAGE_DIR: join(folder, name),
        REDIS_URL: redis().url,
        STAGE_TRIES: '5',
        S3_BUCKET: bucket,
        S3_ENDPOINT: server().endpoint,
        S3_FORCE_PATH_STYLE: 'true',
        LOOKBACK_DAYS_HISTORICAL: '3',
      },
      wrapStore,
      overrides: new Map<symbol, unknown>([
        [SUPPORTED_VERSIONS, supported],
        [WAIT_MS, 100],
      ]),
    });
    services.push(service);
    return service;
  }

  /** Either process may execute the stages, and close the run. */
  async function run({ engine, resources }: OpenService, kind: PipelineRun['kind']): Promise<PipelineRun> {
    const id = await engine.create(kind, { scheduledAt: null });
    for (;;) {
      const record = await readPipelineRun(resources.store, `${id}`);
      if (record && record.status !== 'active') return record;
      await wait(50);
    }
  }

  async function schemas({ resources: { store, duck } }: OpenService): Promise<string[]> {
    const found = new Set<string>();
    for await (const { key } of store.list('')) {
      if (!/^(runs|enriched_metrics|[a-z_]+_summary|metric_timeseries)\//.test(key)) continue;
      const file = (await store.fetch(key))?.file ?? '';
      found.add((await duck.session((session) => readFooter(session, file, 'schema_version'))) ?? 'none');
    }
    return [...found];
  }

  it.each([FIRST_VERSIONS, { rules: 2, schema: 2 }])(
    'write the older versions %j until the older one is gone for 10 minutes, then it leaves all days to the newer one',
    async (versions) => {
      const bucket = await server().bucket(`releases-${versions.rules}`);
      let isPresent = true;
      /** A process that is suspended does not renew its document; this one then goes on with its jobs. */
      const older = await open(
        bucket,
        'older',
        versions,
        (store) =>
          new Proxy(store, {
            get(target, name) {
              const value = Reflect.get(target, name, target);
              if (name !== 'put') return typeof value === 'function' ? value.bind(target) : value;
              return async (...parameters: Parameters<ObjectStore['put']>) => {
                if (parameters[0].startsWith('_state/processes/') && !isPresent) return '';
                return target.put(...parameters);
              };
            },
          }),
      );
      const newer = await open(bucket, 'newer', OWN_VERSIONS);
      const processes = newer.app.get(Processes);
      expect(await run(older, 'bootstrap')).toMatchObject({ status: 'done' });
      const first = await newer.digests();
      for (const each of [newer, older, newer]) {
        now += MINUTE;
        expect(await raiseVersions(newer.resources.store, processes, now)).toBeUndefined();
        expect(await run(each, 'reevaluation')).toMatchObject({ summary: { partitions_written: 0 } });
      }
      expect(await newer.digests()).toEqual(first);
      expect(await schemas(newer)).toEqual([`${versions.schema}`]);

      isPresent = false;
      now += 11 * MINUTE;
      expect(await raiseVersions(newer.resources.store, processes, now)).toMatchObject(OWN_VERSIONS);
      await processes.renew();
      addRun();
      // A delta goes on beside the rewrite. Some of the jobs come to the older process, which leaves them.
      const [rewritten, delta] = await Promise.all([run(newer, 'reevaluation'), run(older, 'delta')]);
      expect([rewritten, delta]).toMatchObject([{ status: 'done' }, { status: 'done' }]);
      expect([rewritten.summary?.left_to_newer, delta.summary?.left_to_newer]).toEqual([
        undefined,
        undefined,
      ]);
      expect(await schemas(newer)).toEqual([`${OWN_VERSIONS.schema}`]);
      expect(await newer.rows('enriched_metrics', '2026/03/10', 'DISTINCT min_value')).toEqual([
        { min_value: null },
      ]);
      const second = await newer.digests();
      for (const each of [older, newer]) {
        now += MINUTE;
        await processes.renew();
        expect(await run(each, 'reevaluation')).toMatchObject({ summary: { partitions_written: 0 } });
      }
      expect(await newer.digests()).toEqual(second);
    },
  );
}
