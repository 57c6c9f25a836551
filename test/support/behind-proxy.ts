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
/** The fault befalls a request before the upstream sees it. */
export const unseen = (fault: Fault): Fault => ({ ...fault, forward: false });
/** The fault befalls the first request that is meant. */
export function once(fault: Fault, meant: (request: ProxiedRequest) => boolean = () => true): Decide {
  let met = false;
  return (request) => {
    if (met || !meant(request)) return undefined;
    met = true;
    return fault;
  };
}

/** A bucket of its own for each test, and two ways to it. */
export class BehindProxy {
  /** What the store would have waited for. */
  readonly pauses: number[] = [];

  private constructor(
    readonly bucket: string,
    readonly dir: string,
    readonly proxy: FaultProxy,
    /** Past the proxy. */
    readonly direct: S3Store,
    readonly client: S3Client,
    public store: S3Store,
  ) {}

  static async open(endpoint: string, bucket: string): Promise<BehindProxy> {
    const dir = await mkdtemp(join(tmpdir(), 's3-faults-'));
    const proxy = await FaultProxy.start(endpoint);
    const direct = await S3Store.open({
      ...optionsOf(endpoint, bucket, join(dir, 'direct')),
      timeoutMs: 10_000,
    });
    const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true });
    const opened = new BehindProxy(bucket, dir, proxy, direct, client, direct);
    opened.store = await opened.another({});
    return opened;
  }

  /** Replaces the store by one with other options. */
  async reopen(options: Partial<S3StoreOptions>): Promise<void> {
    await this.store.close();
    this.store = await this.another(options);
  }

  private another(options: Partial<S3StoreOptions>): Promise<S3Store> {
    return S3Store.open({
      ...optionsOf(this.proxy.url, this.bucket, join(this.dir, 'store')),
      pause: async (ms) => this.pauses.push(ms),
      ...options,
    });
  }

  /** How many requests of a method were sent. */
  sent(method: string): number {
    return this.proxy.requests.filter((each) => each.method === method).length;
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

export function describeBehindProxy(name: string, tests: (s3: () => BehindProxy) => void): void {
  describeS3(name, (server) => {
    let s3: BehindProxy;
    let buckets = 0;
    beforeEach(async () => {
      s3 = await BehindProxy.open(server().endpoint, await server().bucket(`bucket-${++buckets}`));
    });
    afterEach(() => s3.close());
    tests(() => s3);
  });
}
