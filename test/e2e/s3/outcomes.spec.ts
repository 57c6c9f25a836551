import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeadObjectCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import { PreconditionFailedError } from '../../../src/storage/errors.js';
import type { Fault, ProxiedRequest } from '../../support/fault-proxy.js';
import {
  describeProxiedS3,
  HANG,
  html,
  keysOf,
  notForwarded,
  once,
  reasonOf,
  s3Error,
  text,
} from '../../support/proxied-s3.js';
import { eventsDuring } from '../../support/recorded-events.js';

/** A time such as `20260310T153000Z`, ms. */
const signedAt = (date: unknown): number =>
  Date.parse(String(date).replace(/^(....)(..)(..T..)(..)/, '$1-$2-$3:$4:'));

describeProxiedS3('an S3 store', (s3) => {
  const uploads = async (): Promise<number> => {
    const { Uploads } = await s3().client.send(new ListMultipartUploadsCommand({ Bucket: s3().bucket }));
    return Uploads?.length ?? 0;
  };

  it('determines the outcome of a put without a response by one HEAD request, and does not repeat the put', async () => {
    await s3().reopen({ maxRetries: 0 });
    const reset = { end: { how: 'reset' } } as const;
    for (const fault of [s3Error(500, 'InternalError'), html(502), HANG, reset]) {
      s3().proxy.requests.length = 0;
      const before = await s3().direct.put('a', text('before'));
      s3().proxy.decide = once(fault);
      const after = await s3().store.put('a', text('after'), { ifMatch: before });
      expect(await s3().direct.get('a')).toEqual({ body: text('after'), etag: after });
      expect(s3().proxy.requests.map(({ method }) => method)).toEqual(['PUT', 'HEAD']);
    }
  });

  it('publishes an event for each attempt, and one for a put with an unknown outcome', async () => {
    s3().proxy.decide = once(s3Error(500, 'InternalError'));
    expect(await eventsDuring(() => s3().store.put('a', text('x')))).toEqual([
      { type: 'store_unclear' },
      { type: 'request', upstream: 'store', outcome: 'answered' },
    ]);
    s3().proxy.decide = once(notForwarded(s3Error(503, 'SlowDown')));
    expect(await eventsDuring(() => s3().store.get('a'))).toEqual(
      ['failed', 'answered'].map((outcome) => ({ type: 'request', upstream: 'store', outcome })),
    );
    expect(await eventsDuring(() => s3().store.get('none'))).toEqual([
      { type: 'request', upstream: 'store', outcome: 'answered' },
    ]);
    s3().proxy.decide = once(notForwarded(s3Error(403, 'AccessDenied')));
    expect(await eventsDuring(() => s3().store.get('a'))).toContainEqual({
      type: 'denied',
      upstream: 'store',
    });
    const [lost] = await eventsDuring(() => s3().store.put('a', text('y'), { ifNoneMatch: '*' }));
    expect(lost).toEqual({ type: 'request', upstream: 'store', outcome: 'answered' });
  });

  it('recognizes its own object if the condition fails because of it', async () => {
    // For example if a proxy repeats a request.
    s3().proxy.decide = once(s3Error(412, 'PreconditionFailed'));
    const etag = await s3().store.put('a', text('own'), { ifNoneMatch: '*' });
    expect(await s3().direct.get('a')).toEqual({ body: text('own'), etag });
  });

  it.each([
    ['other bytes', 'other'],
    ['the same bytes', 'own'],
  ])('loses to another writer of %s after a put without a response', async (_, other) => {
    s3().proxy.decide = async ({ method }) => {
      if (method !== 'PUT') return undefined;
      await s3().direct.put('a', text(other), { ifNoneMatch: '*' });
      s3().proxy.decide = () => undefined;
      return notForwarded(s3Error(500, 'InternalError'));
    };
    await expect(s3().store.put('a', text('own'), { ifNoneMatch: '*' })).rejects.toThrow(
      PreconditionFailedError,
    );
    expect((await s3().direct.get('a'))?.body).toEqual(text(other));
    expect(s3().sent('PUT')).toBe(1);
  });

  it('repeats a put that conflicts with a concurrent one (409)', async () => {
    s3().proxy.decide = once(notForwarded(s3Error(409, 'ConditionalRequestConflict')));
    const etag = await s3().store.put('a', text('x'), { ifNoneMatch: '*' });
    expect((await s3().direct.head('a'))?.etag).toBe(etag);
    expect(s3().sent('PUT')).toBe(2);
  });

  it('treats 404 for If-Match as a lost race: Amazon S3 responds with it if the object is missing', async () => {
    s3().proxy.decide = once(notForwarded(s3Error(404, 'NoSuchKey')));
    await expect(s3().store.put('a', text('x'), { ifMatch: '"0"' })).rejects.toThrow(PreconditionFailedError);
  });

  it('respects Retry-After up to a minute, and otherwise backs off', async () => {
    await s3().reopen({ maxRetries: 4 });
    const halfAMinuteFromNow = new Date(Date.now() + 30_000).toUTCString();
    const headers = ['7', halfAMinuteFromNow, '86400', undefined];
    s3().proxy.decide = ({ number }) => {
      const retryAfter = headers[number - 1];
      return number > headers.length
        ? undefined
        : notForwarded(s3Error(503, 'SlowDown', retryAfter ? { 'Retry-After': retryAfter } : {}));
    };
    await s3().store.get('a');
    expect(s3().pauses).toHaveLength(4);
    expect(s3().pauses[0]).toBe(7_000);
    expect(Math.abs((s3().pauses[1] ?? 0) - 29_500)).toBeLessThan(1_500);
    expect(s3().pauses[2]).toBe(60_000);
    expect(s3().pauses[3]).toBeLessThan(1_000);
  });

  it('signs with the clock of the store if its own is wrong', async () => {
    const hour = 3_600_000;
    const serverTime = new Date(Date.now() + hour).toUTCString();
    const found: Fault = { answer: { status: 200, headers: { ETag: '"1"' }, body: 'x' } };
    s3().proxy.decide = ({ number }) =>
      notForwarded(number === 1 ? s3Error(403, 'RequestTimeTooSkewed', { Date: serverTime }) : found);
    expect((await s3().store.get('a'))?.body).toEqual(text('x'));
    const [first, second] = s3().proxy.requests.map(({ headers }) => signedAt(headers['x-amz-date']));
    expect(Math.abs((second ?? 0) - (first ?? 0) - hour)).toBeLessThan(60_000);
  });

  it.each([
    [403, 'AccessDenied', 'store_denied'],
    [404, 'NoSuchBucket', 'store_no_bucket'],
    [301, 'PermanentRedirect', 'store_refused'],
    [501, 'NotImplemented', 'store_refused'],
  ])('does not retry permanent errors: %i %s', async (status, name, code) => {
    s3().proxy.decide = () => notForwarded(s3Error(status, name));
    for (const work of [
      () => s3().store.get('a'),
      () => s3().store.put('a', text('x')),
      () => keysOf(s3().store),
    ]) {
      s3().proxy.requests.length = 0;
      expect(await work().catch(reasonOf)).toMatchObject({ code, retryable: false, context: { status } });
      expect(s3().proxy.requests).toHaveLength(1);
    }
  });

  it('downloads again if the object was replaced between HEAD and GET', async () => {
    await s3().direct.put('a', text('old'));
    s3().proxy.decide = async ({ method }) => {
      if (method === 'GET' && s3().sent('GET') === 1) await s3().direct.put('a', text('new'));
      return undefined;
    };
    const fetched = await s3().store.fetch('a');
    expect(await readFile(fetched?.file ?? '', 'utf8')).toBe('new');
    expect(fetched?.etag).toBe((await s3().direct.head('a'))?.etag);
  });

  it('downloads an object once for concurrent fetches, and again only if it changed', async () => {
    await s3().direct.put('a', text('first'));
    const fetched = await Promise.all(Array.from({ length: 5 }, () => s3().store.fetch('a')));
    expect(new Set(fetched.map((entry) => entry?.file)).size).toBe(1);
    await s3().store.fetch('a');
    expect(s3().sent('GET')).toBe(1);
    await s3().direct.put('a', text('second'));
    await s3().store.fetch('a');
    expect(s3().sent('GET')).toBe(2);
  });

  it('does not download a file that it has just put', async () => {
    const file = join(s3().dir, 'file');
    await writeFile(file, 'first');
    const etag = await s3().store.put('a.parquet', { file });
    await rm(file);
    const fetched = await s3().store.fetch('a.parquet', { key: 'a.parquet', etag, size: 5 });
    expect(fetched?.etag).toBe(etag);
    expect(await readFile(fetched?.file ?? '', 'utf8')).toBe('first');
    expect(s3().proxy.requests.map(({ method }) => method)).toEqual(['PUT']);
  });

  it('sends no request for a listed object whose copy an earlier process made, unless the copy is damaged', async () => {
    await s3().direct.put('a.parquet', text('first'));
    const listed = await s3().direct.head('a.parquet');
    await s3().store.fetch('a.parquet');
    await s3().reopen({});
    s3().proxy.requests.length = 0;
    const fetched = await s3().store.fetch('a.parquet', listed);
    expect(s3().proxy.requests).toEqual([]);

    await writeFile(fetched?.file ?? '', 'worst');
    await s3().reopen({});
    const again = await s3().store.fetch('a.parquet', listed);
    expect(s3().sent('GET')).toBe(1);
    expect(await readFile(again?.file ?? '', 'utf8')).toBe('first');
  });

  it('returns the object that replaced a listed one', async () => {
    await s3().direct.put('a', text('old'));
    const listed = await s3().direct.head('a');
    const etag = await s3().direct.put('a', text('new'));
    expect((await s3().store.fetch('a', listed))?.etag).toBe(etag);
    await s3().direct.delete('a');
    expect(await s3().store.fetch('a', listed && { ...listed, etag: '"none"' })).toBeUndefined();
  });

  it('does not use the copies of another bucket', async () => {
    await s3().direct.put('a', text('first'));
    await s3().store.fetch('a');
    await s3().reopen({ prefix: 'other' });
    expect(await s3().store.fetch('a')).toBeUndefined();
  });

  it('rejects a body that does not match its checksum', async () => {
    await s3().direct.put('a', text('right'));
    s3().proxy.decide = async ({ method }) => {
      if (method !== 'GET') return undefined;
      const { ChecksumSHA256 = '', ETag = '' } = await s3().client.send(
        new HeadObjectCommand({ Bucket: s3().bucket, Key: 'a', ChecksumMode: 'ENABLED' }),
      );
      const headers = { ETag, 'x-amz-checksum-sha256': ChecksumSHA256 };
      return { answer: { status: 200, headers, body: 'wrong' } };
    };
    for (const work of [() => s3().store.get('a'), () => s3().store.fetch('a')]) {
      expect(await work().catch(reasonOf)).toMatchObject({ code: 'store_unreachable', retryable: true });
    }
  });

  it('requests the configured encryption', async () => {
    await s3().reopen({ sse: 'aws:kms', kmsKeyId: 'key-1', multipartFrom: 10, partBytes: 5 });
    const requested: unknown[] = [];
    s3().proxy.decide = ({ method, url, headers }) => {
      requested.push([
        method,
        headers['x-amz-server-side-encryption'],
        headers['x-amz-server-side-encryption-aws-kms-key-id'],
      ]);
      return notForwarded(
        url.includes('uploads')
          ? s3Error(403, 'AccessDenied')
          : { answer: { status: 200, headers: { ETag: '"1"' } } },
      );
    };
    await s3().store.put('small', text('x'));
    await s3()
      .store.put('big', text('x'.repeat(11)))
      .catch(() => undefined);
    expect(requested).toEqual([
      ['PUT', 'aws:kms', 'key-1'],
      ['POST', 'aws:kms', 'key-1'],
    ]);
  });

  it.each([
    ['WHEN_SUPPORTED', true],
    ['WHEN_REQUIRED', false],
  ] as const)('sends a file with its length (%s, checksum: %s)', async (checksumMode, hasChecksum) => {
    await s3().reopen({ checksumMode });
    const file = join(s3().dir, 'file');
    await writeFile(file, 'x'.repeat(100_000));
    await s3().store.put('a', { file });
    const headers = s3().proxy.requests[0]?.headers ?? {};
    expect(headers['content-length']).toBe('100000');
    expect(headers['transfer-encoding']).toBeUndefined();
    expect('x-amz-checksum-sha256' in headers).toBe(hasChecksum);
    expect(Object.keys(headers).some((name) => name.startsWith('x-amz-checksum-'))).toBe(hasChecksum);
  });

  describe('a multipart upload', () => {
    const whole = 'x'.repeat(7 * 2 ** 20);
    const isComplete = ({ method, url }: ProxiedRequest) => method === 'POST' && url.includes('uploadId=');
    beforeEach(() => s3().reopen({ multipartFrom: 2 ** 20, partBytes: 5 * 2 ** 20, timeoutMs: 5_000 }));

    it('repeats only the failed part', async () => {
      s3().proxy.decide = once({ resetRequestAfter: 1_000 }, ({ url }) => url.includes('partNumber=2'));
      await s3().store.put('a', text(whole), { ifNoneMatch: '*' });
      expect(s3().sent('PUT')).toBe(3);
      expect((await s3().direct.get('a'))?.body.toString()).toBe(whole);
    });

    it.each([
      [500, 'InternalError'],
      [404, 'NoSuchUpload'],
    ])('recognizes that it was completed although the response is %i', async (status, name) => {
      s3().proxy.decide = once(s3Error(status, name), isComplete);
      const etag = await s3().store.put('a', text(whole), { ifNoneMatch: '*' });
      expect((await s3().direct.head('a'))?.etag).toBe(etag);
      expect(s3().proxy.requests.filter(isComplete)).toHaveLength(1);
    });

    it('starts over if it was not completed, and leaves no parts behind', async () => {
      s3().proxy.decide = once(notForwarded(s3Error(409, 'ConditionalRequestConflict')), isComplete);
      await s3().store.put('a', text(whole), { ifNoneMatch: '*' });
      expect((await s3().direct.get('a'))?.body.toString()).toBe(whole);
      expect(await uploads()).toBe(0);
    });

    it('keeps the other object if the race is lost, and leaves no parts behind', async () => {
      const etag = await s3().direct.put('a', text('other'));
      for (const condition of [{ ifNoneMatch: '*' }, { ifMatch: '"0"' }] as const) {
        await expect(s3().store.put('a', text(whole), condition)).rejects.toThrow(PreconditionFailedError);
      }
      expect((await s3().direct.head('a'))?.etag).toBe(etag);
      expect(await uploads()).toBe(0);
    });
  });

  it('aborts active requests when it is closed, and leaves no connection open', async () => {
    await s3().reopen({ timeoutMs: 60_000 });
    const reached = new Promise<void>((resolve) => {
      s3().proxy.decide = ({ number }) => {
        if (number < 3) return undefined;
        resolve();
        return HANG;
      };
    });
    // Two connections; one of them is idle when the store is closed.
    await Promise.all([s3().store.get('a'), s3().store.get('a')]);
    const pending = s3().store.get('a').catch(reasonOf);
    await reached;
    await s3().store.close();
    expect(await pending).toMatchObject({ code: 'store_closed' });
    expect(await s3().store.get('a').catch(reasonOf)).toMatchObject({ code: 'store_closed' });
    await s3().proxy.idle();
    expect(s3().proxy.requests).toHaveLength(3);
  });

  it('stops waiting for a retry when it is closed', async () => {
    await s3().reopen({
      pause: (ms, signal) => {
        const pausing = sleep(ms, undefined, { signal });
        void s3().store.close();
        return pausing;
      },
    });
    s3().proxy.decide = () => notForwarded(s3Error(503, 'SlowDown', { 'Retry-After': '60' }));
    expect(await s3().store.get('a').catch(reasonOf)).toMatchObject({ code: 'store_closed' });
  });
});
