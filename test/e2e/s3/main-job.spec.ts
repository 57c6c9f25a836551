import { TrackingServer } from '../../../src/demo/tracking-server.js';
import type { PipelineKind } from '../../../src/domain/model.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { openService } from '../../support/open-service.js';
import { notForwarded, s3Error } from '../../support/proxied-s3.js';
import { runPython } from '../../support/python.js';
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

describeS3('a pipeline run on an S3 bucket', (server) => {
  let mlflow: TrackingServer;
  /** Clock of both service and tracking server, ms; each pipeline run begins a minute after the previous one. */
  let now = NOW;
  let folderDigests: Record<string, string>;

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
    folderDigests = await run('bootstrap', {});
  });
  afterAll(() => mlflow.close());

  it('publishes the same bytes as in a folder, and another process continues', async () => {
    const bucket = onBucket(await server().bucket('main-job'));
    const first = await run('bootstrap', bucket);
    expect(Object.keys(folderDigests).length).toBeGreaterThan(10);
    expect(first).toEqual(folderDigests);
    const { S3_BUCKET, S3_PREFIX, S3_ENDPOINT } = bucket;
    const aws = { AWS_ENDPOINT_URL_S3: S3_ENDPOINT, AWS_DEFAULT_REGION: 'us-east-1' };
    const script = [
      'test/independent/open_datasets.py',
      `s3://${S3_BUCKET}/${S3_PREFIX}`,
      'runs',
      'metric_forecast',
    ];
    expect(await runPython(script, aws)).toContain('platform_summary: ');
    // All persistent state is in the bucket: a new folder for temporary files and copies changes nothing.
    expect(await run('delta', bucket)).toEqual(folderDigests);
  });

  it('publishes the same bytes although requests to the store fail before and after their execution', async () => {
    const proxy = await FaultProxy.start(server().endpoint);
    try {
      proxy.decide = ({ number }) => {
        if (number % 7 > 1) return undefined;
        const fault = s3Error(500, 'InternalError');
        return number % 7 === 0 ? fault : notForwarded(fault);
      };
      const bucket = onBucket(await server().bucket('failing'), proxy.url);
      expect(await run('bootstrap', { ...bucket, MAX_RETRIES: '10' })).toEqual(folderDigests);
      expect(proxy.requests.length).toBeGreaterThan(100);
    } finally {
      await proxy.close();
    }
  });
});
