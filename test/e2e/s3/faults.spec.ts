import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { PreconditionFailedError, StoreError } from '../../../src/storage/errors.js';
import type { Fault } from '../../support/fault-proxy.js';
import {
  describeProxiedS3,
  HANG,
  html,
  keysOf,
  notForwarded,
  once,
  reasonOf,
  s3Error,
  TIMEOUT_MS,
  text,
} from '../../support/proxied-s3.js';

/** Two attempts, each with a HEAD request to determine the outcome of a put, and time for a busy machine. */
const BOUND_MS = 4 * TIMEOUT_MS + 3_000;

type Operation = 'get' | 'head' | 'fetch' | 'put' | 'list' | 'delete';
const ALL: readonly Operation[] = ['get', 'head', 'fetch', 'put', 'list', 'delete'];
/** Operations whose responses have a body, and the one whose requests have one. */
const READS: readonly Operation[] = ['get', 'fetch', 'list'];
const WRITES: readonly Operation[] = ['put'];
/** A delete accepts any 2xx response: only temporary objects are deleted. */
const ALL_BUT_DELETE = ALL.filter((operation) => operation !== 'delete');

const FAULTS: readonly (readonly [string, Fault, readonly Operation[]])[] = [
  ['no response, request not executed', notForwarded(HANG), ALL],
  ['no response, request executed', HANG, ALL],
  ['response body that stalls', { end: { how: 'hang', after: 3 } }, READS],
  ['connection reset before the response', { end: { how: 'reset' } }, ALL],
  ['connection reset in the response body', { end: { how: 'reset', after: 3 } }, READS],
  ['connection closed in the response body', { end: { how: 'close', after: 3 } }, READS],
  ['connection reset in the request body', { resetRequestAfter: 0 }, WRITES],
  ['response body that arrives byte by byte', { drip: { bytes: 1, everyMs: TIMEOUT_MS / 3 } }, READS],
  ['500, request not executed', notForwarded(s3Error(500, 'InternalError')), ALL],
  ['500, request executed', s3Error(500, 'InternalError'), ALL],
  ['503', notForwarded(s3Error(503, 'SlowDown')), ALL],
  ['429 with Retry-After', notForwarded(s3Error(429, 'TooManyRequests', { 'Retry-After': '7' })), ALL],
  ['corrupted request', notForwarded(s3Error(400, 'XAmzContentChecksumMismatch')), WRITES],
  ['502 as HTML, request not executed', notForwarded(html(502)), ALL],
  ['502 as HTML, request executed', html(502), ALL],
  ['login page of a proxy', notForwarded(html(200)), ALL_BUT_DELETE],
];

describeProxiedS3('an S3 store with network faults', (s3) => {
  describe.each(FAULTS)('%s', (_, fault, affected) => {
    it('once: every operation succeeds', async () => {
      const etag = await s3().direct.put('a/old', text('a text of some length'));
      const file = join(s3().dir, 'file');
      await writeFile(file, 'from a file');
      const faulty = <T>(operation: Operation, work: () => Promise<T>): Promise<T> => {
        s3().proxy.decide = affected.includes(operation) ? once(fault) : () => undefined;
        return work();
      };
      expect((await faulty('get', () => s3().store.get('a/old')))?.body.toString()).toBe(
        'a text of some length',
      );
      expect((await faulty('head', () => s3().store.head('a/old')))?.etag).toBe(etag);
      const fetched = await faulty('fetch', () => s3().store.fetch('a/old'));
      expect(await readFile(fetched?.file ?? '', 'utf8')).toBe('a text of some length');
      await faulty('put', () => s3().store.put('a/new', text('new'), { ifNoneMatch: '*' }));
      await faulty('put', () => s3().store.put('a/old', { file }, { ifMatch: etag }));
      await faulty('put', () => s3().store.put('a/any', text('any')));
      expect(await faulty('list', () => keysOf(s3().store))).toEqual(['a/any', 'a/new', 'a/old']);
      await faulty('delete', () => s3().store.delete('a/any'));
      expect(await keysOf(s3().direct)).toEqual(['a/new', 'a/old']);
      expect((await s3().direct.get('a/new'))?.body).toEqual(text('new'));
      expect((await s3().direct.get('a/old'))?.body).toEqual(text('from a file'));
    });

    it('permanently: every operation fails in bounded time with a retryable error', async () => {
      await s3().reopen({ maxRetries: 1 });
      // Large enough that the idle timeout, not the one for the whole download, detects a stalled body.
      await s3().direct.put('a', Buffer.alloc(fault.drip ? 20 : 2 * 2 ** 20));
      s3().proxy.decide = ({ method }) => (affected === WRITES && method !== 'PUT' ? undefined : fault);
      const work: Record<Operation, () => Promise<unknown>> = {
        get: () => s3().store.get('a'),
        head: () => s3().store.head('a'),
        fetch: () => s3().store.fetch('a'),
        put: () => s3().store.put('b', text('b'), { ifNoneMatch: '*' }),
        list: () => keysOf(s3().store),
        delete: () => s3().store.delete('a'),
      };
      for (const operation of affected) {
        const startedAt = Date.now();
        const error = await work[operation]().then(() => operation, reasonOf);
        expect(Date.now() - startedAt).toBeLessThan(BOUND_MS);
        expect(error).toBeInstanceOf(StoreError);
        expect(error).not.toBeInstanceOf(PreconditionFailedError);
        expect(error).toMatchObject({ retryable: true });
        // The error is logged: it must not contain a signature or key.
        expect(inspect(error, { depth: 9 })).not.toMatch(/Signature=|Credential=|Authorization/i);
      }
    });
  });
});
