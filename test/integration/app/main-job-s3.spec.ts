import { FaultProxy } from '../../support/fault-proxy.js';
import { derived, MainJob } from '../../support/main-job.js';
import { describeS3 } from '../../support/s3-server.js';
import { s3Error, unseen } from '../storage/behind-proxy.js';

describeS3('the main job on an S3 bucket', (server) => {
  let job: MainJob;
  let inFolder: Record<string, string>;
  beforeAll(async () => {
    job = await MainJob.start();
    job.seed();
    inFolder = await job.run(await job.newFolder(), 'bootstrap', {}, derived);
  });
  afterAll(() => job.close());

  const onBucket = (bucket: string, endpoint = server().endpoint) => ({
    S3_BUCKET: bucket,
    S3_PREFIX: 'team/monitor',
    S3_ENDPOINT: endpoint,
    S3_FORCE_PATH_STYLE: 'true',
  });

  it('publishes the bytes that it publishes in a folder, and goes on in another process', async () => {
    const bucket = await server().bucket('main-job');
    const first = await job.run(await job.newFolder(), 'bootstrap', onBucket(bucket), derived);
    expect(Object.keys(inFolder).length).toBeGreaterThan(10);
    expect(first).toEqual(inFolder);
    // All that lasts is in the bucket: another folder for temporary files and copies changes nothing.
    const second = await job.run(await job.newFolder(), 'delta', onBucket(bucket), async (outcome) => {
      expect(outcome.record).toMatchObject({ id: 'delta-1', status: 'done' });
      return derived(outcome);
    });
    expect(second).toEqual(inFolder);
  });

  it('publishes the same bytes while the store fails before and after it carried out a request', async () => {
    const proxy = await FaultProxy.start(server().endpoint);
    try {
      proxy.decide = ({ number }) => {
        if (number % 7 > 1) return undefined;
        const fault = s3Error(500, 'InternalError');
        return number % 7 === 0 ? fault : unseen(fault);
      };
      const env = { ...onBucket(await server().bucket('failing'), proxy.url), MAX_RETRIES: '10' };
      const digests = await job.run(await job.newFolder(), 'bootstrap', env, derived);
      expect(digests).toEqual(inFolder);
      expect(proxy.requests.length).toBeGreaterThan(100);
    } finally {
      await proxy.close();
    }
  });
});
