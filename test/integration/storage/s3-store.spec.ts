import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Store, type S3StoreOptions } from '../../../src/storage/s3-store.js';
import { findS3Server, S3_CREDENTIALS, type S3Server, startS3 } from '../../support/s3-server.js';
import { describeObjectStore } from './conformance.js';

Object.assign(process.env, S3_CREDENTIALS);
const program = findS3Server();
const folders: string[] = [];
let server: S3Server;
let buckets = 0;

async function open(options: Partial<S3StoreOptions> = {}): Promise<S3Store> {
  const dir = await mkdtemp(join(tmpdir(), 's3-store-'));
  folders.push(dir);
  return S3Store.open({
    bucket: await server.bucket(`bucket-${++buckets}`),
    endpoint: server.endpoint,
    pathStyle: true,
    checksumMode: 'WHEN_SUPPORTED',
    maxRetries: 5,
    timeoutMs: 10_000,
    dir,
    ...options,
  });
}

describe('with a server', () => {
  beforeAll(async () => {
    server = await startS3(program ?? '');
  });
  afterAll(async () => {
    await server.stop();
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });
  describeObjectStore('an S3 bucket', () => open());
  describeObjectStore('an S3 bucket with a prefix', () => open({ prefix: 'team/monitor/' }));
  describeObjectStore('an S3 bucket, in parts and without checksums', () =>
    open({ multipartFrom: 1024, partBytes: 5 * 2 ** 20, checksumMode: 'WHEN_REQUIRED' }),
  );
});
