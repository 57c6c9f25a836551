import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import type { ObjectStore } from '../../src/storage/object-store.js';
import { S3Store, type S3StoreOptions } from '../../src/storage/s3-store.js';
import { type Decide, type Fault, FaultProxy, type ProxiedRequest } from './fault-proxy.js';
import { describeS3 } from './s3-server.js';

export const TIMEOUT_MS = 300;

export const text = (value: string): Buffer => Buffer.from(value);
export const reasonOf = (reason: unknown): unknown => reason;

export async function keysOf(store: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  return keys;
}

export const HANG: Fault = { end: { how: 'hang' } };
export const html = (status: number): Fault => ({
  answer: { status, headers: { 'Content-Type': 'text/html' }, body: '<html><body>Sorry</body></html>' },
});
export const s3Error = (status: number, code: string, headers: Record<string, string> = {}): Fault => ({
  answer: {
    status,
    headers: { 'Content-Type': 'application/xml', ...headers },
    body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`,
  },
});
/** The request fails before it reaches the upstream. */
export const notForwarded = (fault: Fault): Fault => ({ ...fault, forward: false });
/** Only the first matching request fails. */
export function once(fault: Fault, matches: (request: ProxiedRequest) => boolean = () => true): Decide {
  let applied = false;
  return (request) => {
    if (applied || !matches(request)) return undefined;
    applied = true;
    return fault;
  };
}

/** A bucket with a store behind the proxy and one beside it. */
export class ProxiedS3 {
  /** The requested pauses between attempts, ms; the store does not actually wait. */
  readonly pauses: number[] = [];

  private constructor(
    readonly bucket: string,
    readonly dir: string,
    readonly proxy: FaultProxy,
    /** Bypasses the proxy. */
    readonly direct: S3Store,
    readonly client: S3Client,
    public store: S3Store,
  ) {}

  static async open(endpoint: string, bucket: string): Promise<ProxiedS3> {
    const dir = await mkdtemp(join(tmpdir(), 's3-faults-'));
    const proxy = await FaultProxy.start(endpoint);
    const direct = await S3Store.open({
      ...optionsOf(endpoint, bucket, join(dir, 'direct')),
      timeoutMs: 10_000,
    });
    const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true });
    const opened = new ProxiedS3(bucket, dir, proxy, direct, client, direct);
    opened.store = await opened.openStore({});
    return opened;
  }

  /** Replaces the store by one with these options. */
  async reopen(options: Partial<S3StoreOptions>): Promise<void> {
    await this.store.close();
    this.store = await this.openStore(options);
  }

  private openStore(options: Partial<S3StoreOptions>): Promise<S3Store> {
    return S3Store.open({
      ...optionsOf(this.proxy.url, this.bucket, join(this.dir, 'store')),
      pause: async (ms) => this.pauses.push(ms),
      ...options,
    });
  }

  /** The number of requests with this method. */
  sent(method: string): number {
    return this.proxy.requests.filter((request) => request.method === method).length;
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.direct.close();
    this.client.destroy();
    await this.proxy.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}

const optionsOf = (endpoint: string, bucket: string, dir: string): S3StoreOptions => ({
  bucket,
  endpoint,
  pathStyle: true,
  checksumMode: 'WHEN_SUPPORTED',
  maxRetries: 2,
  timeoutMs: TIMEOUT_MS,
  dir,
});

/** Tests with a new bucket for each. */
export function describeProxiedS3(name: string, tests: (s3: () => ProxiedS3) => void): void {
  describeS3(name, (server) => {
    let s3: ProxiedS3;
    let buckets = 0;
    beforeEach(async () => {
      s3 = await ProxiedS3.open(server().endpoint, await server().bucket(`bucket-${++buckets}`));
    });
    afterEach(() => s3.close());
    tests(() => s3);
  });
}
