import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { loadSettings } from '../../../src/config/settings.js';
import { PreconditionFailedError } from '../../../src/storage/errors.js';
import type { ObjectStore } from '../../../src/storage/object-store.js';
import { openStore } from '../../../src/storage/open-store.js';
import { FaultProxy } from '../../support/fault-proxy.js';
import { keysOf, notForwarded, reasonOf, s3Error } from '../../support/proxied-s3.js';
import { describeS3 } from '../../support/s3-server.js';

describeS3('the store of the settings', (server) => {
  let dir: string;
  let warnings: string[];
  let folders = 0;
  const stores: ObjectStore[] = [];
  const open = async (env: Record<string, string>): Promise<ObjectStore> => {
    const settings = loadSettings({
      MLFLOW_TRACKING_URI: 'http://localhost:5000',
      S3_ENDPOINT: server().endpoint,
      S3_FORCE_PATH_STYLE: 'true',
      MAX_RETRIES: '1',
      TIMEOUT: '5',
      ...env,
    });
    const folder = join(dir, `${++folders}`);
    const store = await openStore(settings, folder, { leaseMs: 60_000, pause: async () => undefined });
    stores.push(store);
    return store;
  };
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'open-store-'));
    warnings = [];
    const ignore = () => undefined;
    Logger.overrideLogger({ log: ignore, error: ignore, warn: (line: string) => warnings.push(line) });
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    await rm(dir, { recursive: true, force: true });
  });

  it('is the bucket if conditional writes work; the probe leaves nothing there', async () => {
    const store = await open({ S3_BUCKET: await server().bucket('good'), S3_PREFIX: 'team' });
    expect(store.description).toBe('s3://good/team');
    expect(await keysOf(store)).toEqual([]);
    await (await open({ S3_BUCKET: 'good', S3_PREFIX: 'team' })).put('a', Buffer.from('x'));
    expect(await keysOf(store)).toEqual(['a']);
    expect(warnings).toEqual([]);
  });

  it('logs a warning if they do not work, and has one owner', async () => {
    const proxy = await FaultProxy.start(server().endpoint);
    try {
      proxy.decide = ({ headers }) =>
        headers['if-none-match'] ? notForwarded(s3Error(501, 'NotImplemented')) : undefined;
      const store = await open({ S3_BUCKET: await server().bucket('careless'), S3_ENDPOINT: proxy.url });
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatch(
        /^CONDITIONAL WRITES OF s3:\/\/careless DO NOT WORK: .*501 NotImplemented.*one process/,
      );
      await store.put('a', Buffer.from('x'), { ifNoneMatch: '*' });
      await expect(store.put('a', Buffer.from('y'), { ifNoneMatch: '*' })).rejects.toThrow(
        PreconditionFailedError,
      );
      const owner = await store.get('_state/owner.json');
      expect(JSON.parse(owner?.body.toString() ?? '')).toMatchObject({ pid: process.pid });
      await store.close();
    } finally {
      stores.length = 0;
      await proxy.close();
    }
  });

  it.each([
    ['store_no_bucket', { S3_BUCKET: 'missing' }, /NoSuchBucket/],
    ['store_unreachable', { S3_BUCKET: 'good', S3_ENDPOINT: 'http://127.0.0.1:1' }, /ECONNREFUSED/],
  ])('fails with the reason: %s', async (code, env, message) => {
    const error = await open(env).catch(reasonOf);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('fails if the credentials are invalid', async () => {
    const { AWS_SECRET_ACCESS_KEY } = process.env;
    process.env.AWS_SECRET_ACCESS_KEY = 'wrong';
    try {
      const error = await open({ S3_BUCKET: 'good' }).catch(reasonOf);
      expect(error).toMatchObject({ code: 'store_denied', retryable: false });
      expect(error).toHaveProperty('message', expect.stringContaining('SignatureDoesNotMatch'));
    } finally {
      process.env.AWS_SECRET_ACCESS_KEY = AWS_SECRET_ACCESS_KEY;
    }
  });
});
