import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrackingServer } from '../../src/demo/tracking-server.js';
import { PIPELINE_KINDS } from '../../src/domain/model.js';
import { SchedulerService } from '../../src/pipeline/scheduler.service.js';
import { readKindState } from '../../src/state/kind-state.js';
import { readWatermarks } from '../../src/state/watermarks.js';
import { onlyProcess } from '../support/defaults.js';
import { type Fault, FaultProxy } from '../support/fault-proxy.js';
import { type OpenService, openService } from '../support/open-service.js';
import { HANG, notForwarded, s3Error } from '../support/proxied-s3.js';
import { describeRedis } from '../support/redis-server.js';
import { rounds } from '../support/rounds.js';
import { describeS3 } from '../support/s3-server.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = Date.parse('2026-03-10T15:30:00Z');

let mlflow: TrackingServer;
let experiment_id: string;
/** Clock of both service and tracking server, ms. */
let now = NOW;

const log = (start_time: number, value: number) =>
  mlflow.run({
    experiment_id,
    start_time,
    metrics: [{ key: 'accuracy', value, step: 0, timestamp: start_time }],
  });

beforeEach(async () => {
  now = NOW;
  mlflow = await TrackingServer.start(() => now);
  experiment_id = mlflow.experiment('churn').experiment_id;
  for (let i = 0; i < 60; i++) log(NOW - i * 2 * HOUR, i / 60);
});
afterEach(() => mlflow.close());

/** Digests of the objects that an undisturbed service publishes. */
async function undisturbedDigests(): Promise<Record<string, string>> {
  const service = await openService({ trackingUri: mlflow.uri, clock: () => now });
  await service.run('bootstrap');
  const digests = await service.digests();
  await service.close();
  return digests;
}

/** Resolves once all pipeline runs are finished. */
function idle({ engine, resources }: OpenService): Promise<void> {
  return new Promise((resolve, reject) => {
    const check = async () => {
      const kinds = await Promise.all(PIPELINE_KINDS.map((kind) => readKindState(resources.store, kind)));
      if (kinds.every(({ active }) => active.length === 0)) resolve();
    };
    engine.events.on('finished', () => check().catch(reject));
    check().catch(reject);
  });
}

describeS3('the store', (server) => {
  it('can be unavailable for 20 minutes during a pipeline run', async () => {
    // It resets connections, responds with 503, or executes requests without responding.
    const faults: Fault[] = [
      notForwarded({ end: { how: 'reset' } }),
      notForwarded(s3Error(503, 'ServiceUnavailable')),
      HANG,
    ];
    const proxy = await FaultProxy.start(server().endpoint);
    const folder = await mkdtemp(join(tmpdir(), 'outage-'));
    const pipeline = await openService({
      trackingUri: mlflow.uri,
      clock: () => now,
      folder,
      env: {
        S3_BUCKET: await server().bucket('outage'),
        S3_ENDPOINT: proxy.url,
        S3_FORCE_PATH_STYLE: 'true',
        TIMEOUT: '1',
        STAGE_TRIES: '2',
      },
    });
    const { settings, store } = pipeline.resources;
    const scheduler = new SchedulerService(pipeline.engine, store, settings, () => now, onlyProcess);
    await scheduler.start();
    expect(await pipeline.nextFinished('bootstrap')).toMatchObject({ status: 'done', summary: { runs: 60 } });
    const before = await readWatermarks(store);

    now += 5 * MINUTE;
    log(now - MINUTE, 0.1);
    let unavailable = false;
    const outageBegan = new Promise<void>((resolve) => {
      proxy.decide = ({ method, url, number }) => {
        if (!unavailable && method === 'PUT' && url.includes('/_base/')) {
          unavailable = true;
          resolve();
        }
        return unavailable ? faults[number % faults.length] : undefined;
      };
    });
    const firstTick = scheduler.tick();
    await outageBegan;
    await firstTick;
    for (let minute = 0; minute < 20; minute++) {
      now += MINUTE;
      if (minute % 7 === 0) log(now - 1, 0.2);
      // It logs the error and continues at the next tick: nothing is thrown.
      await scheduler.tick();
    }
    proxy.decide = () => undefined;
    // The watermark moves only after publishing.
    expect(await readWatermarks(store)).toEqual(before);

    // Whatever the outcome of the interrupted pipeline run, the next one covers its window.
    now += 5 * MINUTE;
    await scheduler.tick();
    await idle(pipeline);
    expect(Object.values(await readWatermarks(store)).every((at) => at > NOW + 20 * MINUTE)).toBe(true);
    const digests = await pipeline.digests();
    await pipeline.close();
    await proxy.close();
    await rm(folder, { recursive: true, force: true });
    expect(digests).toEqual(await undisturbedDigests());
  });
});

describeRedis('the queue', (_, another) => {
  // In real time: BullMQ and its connections use the system's timers.
  it('can be unavailable for seconds during a pipeline run, unresponsive or restarted without its data', async () => {
    const undisturbed = await undisturbedDigests();
    const all = [
      [500, 'SIGKILL'],
      [6_000, 'SIGSTOP'],
      [20_000, 'SIGKILL'],
      [60_000, 'SIGSTOP'],
    ] as const;
    const outages = all.slice(0, rounds(2, all.length));
    const digests = await Promise.all(
      outages.map(async ([ms, how]) => {
        const server = await another();
        const env = { REDIS_URL: server.url, STAGE_TRIES: '5' };
        const pipeline = await openService({ trackingUri: mlflow.uri, clock: () => now, env });
        let outageEnd: Promise<void> | undefined;
        pipeline.engine.events.on('progress', (_id, done) => {
          if (done < 5 || outageEnd) return;
          // Otherwise the engine dispatches only once a minute.
          outageEnd = server.outage(ms, how).then(() => pipeline.engine.dispatch());
        });
        const record = await pipeline.run('bootstrap');
        await outageEnd;
        expect({ ms, ...record }).toMatchObject({ ms, status: 'done', summary: { runs: 60 } });
        const published = await pipeline.digests();
        await pipeline.close();
        await server.stop();
        return published;
      }),
    );
    expect(digests).toEqual(outages.map(() => undisturbed));
  });
});
