import { TrackingServer } from '../../../src/demo/tracking-server.js';
import type { PipelineKind } from '../../../src/domain/model.js';
import { s3Error, unseen } from '../../support/behind-proxy.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { openService } from '../../support/open-service.js';
import { describeS3 } from '../../support/s3-server.js';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-03-10T15:30:00Z');

/** 120 runs of three applications over several days. */
function seed(mlflow: TrackingServer): void {
  const { experiment_id } = mlflow.experiment('churn');
  for (let i = 0; i < 120; i++) {
    const start = Math.min(NOW - 90 * HOUR + Math.floor(i / 9) * 7 * HOUR, NOW - 1);
    mlflow.run({
      experiment_id,
      start_time: start,
      metrics: [
        { key: 'accuracy', value: i % 17 === 0 ? Number.NaN : 0.6 + (i % 5) / 10, step: 1, timestamp: start },
      ],
      tags: { application: `app-${i % 3}` },
    });
  }
}

describeS3('the main job on an S3 bucket', (server) => {
  let mlflow: TrackingServer;
  /** Both clocks, ms; each pipeline run begins a minute after the one before. */
  let now = NOW;
  let inFolder: Record<string, string>;

  const run = async (kind: PipelineKind, env: Record<string, string>) => {
    now += 60_000;
    const pipeline = await openService({ trackingUri: mlflow.uri, clock: () => now, env });
    try {
      expect(await pipeline.run(kind)).toMatchObject({ id: `${kind}-1`, status: 'done' });
      return await pipeline.digests();
    } finally {
      await pipeline.close();
    }
  };
  const onBucket = (bucket: string, endpoint = server().endpoint) => ({
    S3_BUCKET: bucket,
    S3_PREFIX: 'team/monitor',
    S3_ENDPOINT: endpoint,
    S3_FORCE_PATH_STYLE: 'true',
  });

  beforeAll(async () => {
    mlflow = await TrackingServer.start(() => now);
    seed(mlflow);
    inFolder = await run('bootstrap', {});
  });
  afterAll(() => mlflow.close());

  it('publishes the bytes that it publishes in a folder, and goes on in another process', async () => {
    const bucket = onBucket(await server().bucket('main-job'));
    const first = await run('bootstrap', bucket);
    expect(Object.keys(inFolder).length).toBeGreaterThan(10);
    expect(first).toEqual(inFolder);
    // All that lasts is in the bucket: another folder for temporary files and copies changes nothing.
    expect(await run('delta', bucket)).toEqual(inFolder);
  });

  it('publishes the same bytes while the store fails before and after it carried out a request', async () => {
    const proxy = await FaultProxy.start(server().endpoint);
    try {
      proxy.decide = ({ number }) => {
        if (number % 7 > 1) return undefined;
        const fault = s3Error(500, 'InternalError');
        return number % 7 === 0 ? fault : unseen(fault);
      };
      const bucket = onBucket(await server().bucket('failing'), proxy.url);
      expect(await run('bootstrap', { ...bucket, MAX_RETRIES: '10' })).toEqual(inFolder);
      expect(proxy.requests.length).toBeGreaterThan(100);
    } finally {
      await proxy.close();
    }
  });
});
