import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrackingServer } from '../../src/demo/tracking-server.js';
import { PIPELINE_KINDS } from '../../src/domain/model.js';
import { SchedulerService } from '../../src/pipeline/scheduler.service.js';
import { readKindState } from '../../src/state/kind-state.js';
import { readWatermarks } from '../../src/state/watermarks.js';
import { HANG, s3Error, unseen } from '../support/behind-proxy.js';
import { type Fault, FaultProxy } from '../support/fault-proxy.js';
import { rounds } from '../support/long.js';
import { type OpenService, openService } from '../support/open-service.js';
import { describeRedis } from '../support/redis-server.js';
import { describeS3 } from '../support/s3-server.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = Date.parse('2026-03-10T15:30:00Z');

let mlflow: TrackingServer;
let experiment_id: string;
/** Both clocks, ms. */
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

/** What a pipeline publishes that nothing befalls. */
async function calmDigests(): Promise<Record<string, string>> {
  const calm = await openService({ trackingUri: mlflow.uri, clock: () => now });
  await calm.run('bootstrap');
  const digests = await calm.digests();
  await calm.close();
  return digests;
}

/** Resolves as soon as no pipeline run is unfinished. */
function idle({ engine, resources }: OpenService): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = async () => {
      const kinds = await Promise.all(PIPELINE_KINDS.map((kind) => readKindState(resources.store, kind)));
      if (kinds.every(({ active }) => active.length === 0)) resolve();
    };
    engine.events.on('finished', () => look().catch(reject));
    look().catch(reject);
  });
}

describeS3('the store', (server) => {
  it('may be away for 20 minutes in the middle of a pipeline run', async () => {
    // It resets connections, answers that it is busy, and carries out what it is told but does not answer.
    const faults: Fault[] = [
      unseen({ end: { how: 'reset' } }),
      unseen(s3Error(503, 'ServiceUnavailable')),
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
    const scheduler = new SchedulerService(pipeline.engine, store, settings, () => now);
    await scheduler.onApplicationBootstrap();
    expect(await pipeline.nextFinished('bootstrap')).toMatchObject({ status: 'done', summary: { runs: 60 } });
    const before = await readWatermarks(store);

    now += 5 * MINUTE;
    log(now - MINUTE, 0.1);
    let away = false;
    const struck = new Promise<void>((resolve) => {
      proxy.decide = ({ method, url, number }) => {
        if (!away && method === 'PUT' && url.includes('/_base/')) {
          away = true;
          resolve();
        }
        return away ? faults[number % faults.length] : undefined;
      };
    });
    const looked = scheduler.tick();
    await struck;
    await looked;
    for (let minute = 0; minute < 20; minute++) {
      now += MINUTE;
      if (minute % 7 === 0) log(now - 1, 0.2);
      // It says what is wrong and looks again; nothing is thrown at the process.
      await scheduler.tick();
    }
    proxy.decide = () => undefined;
    // It is not moved before what it stands for is published.
    expect(await readWatermarks(store)).toEqual(before);

    // Whatever became of the run under way: the next one covers its time.
    now += 5 * MINUTE;
    await scheduler.tick();
    await idle(pipeline);
    expect(Object.values(await readWatermarks(store)).every((at) => at > NOW + 20 * MINUTE)).toBe(true);
    const digests = await pipeline.digests();
    await pipeline.close();
    await proxy.close();
    await rm(folder, { recursive: true, force: true });
    expect(digests).toEqual(await calmDigests());
  });
});

describeRedis('the queue', (_, another) => {
  // Real seconds: the timers of BullMQ and of its connections are those of the machine.
  it('may be away for seconds in the middle of a pipeline run, silent or restarted with nothing kept', async () => {
    const calm = await calmDigests();
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
        let over: Promise<void> | undefined;
        pipeline.engine.events.on('progress', (_id, done) => {
          if (done < 5 || over) return;
          // The dispatcher comes by once a minute.
          over = server.outage(ms, how).then(() => pipeline.engine.dispatch());
        });
        const record = await pipeline.run('bootstrap');
        await over;
        expect({ ms, ...record }).toMatchObject({ ms, status: 'done', summary: { runs: 60 } });
        const published = await pipeline.digests();
        await pipeline.close();
        await server.stop();
        return published;
      }),
    );
    expect(digests).toEqual(outages.map(() => calm));
  });
});
