import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { PreconditionFailedError, StoreError } from '../../../src/storage/errors.js';
import {
  describeBehindProxy,
  HANG,
  html,
  keysOf,
  once,
  reasonOf,
  s3Error,
  TIMEOUT_MS,
  text,
  unseen,
} from '../../support/behind-proxy.js';
import type { Fault } from '../../support/fault-proxy.js';

/** Two attempts, each with a look at what became of a put, and what a busy machine adds. */
const BOUND_MS = 4 * TIMEOUT_MS + 3_000;

type Operation = 'get' | 'head' | 'fetch' | 'put' | 'list' | 'delete';
const ALL: readonly Operation[] = ['get', 'head', 'fetch', 'put', 'list', 'delete'];
/** Those whose answers have a body, and one whose requests have. */
const READS: readonly Operation[] = ['get', 'fetch', 'list'];
const WRITES: readonly Operation[] = ['put'];
/** A deletion is answered by any success; only scratch is ever deleted. */
const BUT_DELETE = ALL.filter((operation) => operation !== 'delete');

const FAULTS: readonly (readonly [string, Fault, readonly Operation[]])[] = [
  ['silence before the request is carried out', unseen(HANG), ALL],
  ['silence after it was carried out', HANG, ALL],
  ['silence in the body', { end: { how: 'hang', after: 3 } }, READS],
  ['a connection that is reset before the answer', { end: { how: 'reset' } }, ALL],
  ['a connection that is reset in the body', { end: { how: 'reset', after: 3 } }, READS],
  ['a connection that is closed in the body', { end: { how: 'close', after: 3 } }, READS],
  ['a connection that is reset in the body of the request', { resetRequestAfter: 0 }, WRITES],
  ['an answer that drips', { drip: { bytes: 1, everyMs: TIMEOUT_MS / 3 } }, READS],
  ['500 before the request is carried out', unseen(s3Error(500, 'InternalError')), ALL],
  ['500 after it was carried out', s3Error(500, 'InternalError'), ALL],
  ['503', unseen(s3Error(503, 'SlowDown')), ALL],
  ['429 with Retry-After', unseen(s3Error(429, 'TooManyRequests', { 'Retry-After': '7' })), ALL],
  ['a request that was damaged', unseen(s3Error(400, 'XAmzContentChecksumMismatch')), WRITES],
  ['502 as HTML', unseen(html(502)), ALL],
  ['502 as HTML after it was carried out', html(502), ALL],
  ['the login page of a proxy', unseen(html(200)), BUT_DELETE],
];

describeBehindProxy('an S3 bucket behind a faulty network', (s3) => {
  describe.each(FAULTS)('%s', (_, fault, breaks) => {
    it('once changes nothing', async () => {
      const etag = await s3().direct.put('a/old', text('a text of some length'));
      const file = join(s3().dir, 'file');
      await writeFile(file, 'from a file');
      const faulty = <T>(operation: Operation, work: () => Promise<T>): Promise<T> => {
        s3().proxy.decide = breaks.includes(operation) ? once(fault) : () => undefined;
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

    it('for good ends in bounded time, with an error that says that it may pass', async () => {
      await s3().reopen({ maxRetries: 1 });
      // Big enough that the time allowed for all of it does not end a silence.
      await s3().direct.put('a', Buffer.alloc(fault.drip ? 20 : 2 * 2 ** 20));
      s3().proxy.decide = ({ method }) => (breaks === WRITES && method !== 'PUT' ? undefined : fault);
      const work: Record<Operation, () => Promise<unknown>> = {
        get: () => s3().store.get('a'),
        head: () => s3().store.head('a'),
        fetch: () => s3().store.fetch('a'),
        put: () => s3().store.put('b', text('b'), { ifNoneMatch: '*' }),
        list: () => keysOf(s3().store),
        delete: () => s3().store.delete('a'),
      };
      for (const operation of breaks) {
        const begun = Date.now();
        const error = await work[operation]().then(() => operation, reasonOf);
        expect(Date.now() - begun).toBeLessThan(BOUND_MS);
        expect(error).toBeInstanceOf(StoreError);
        expect(error).not.toBeInstanceOf(PreconditionFailedError);
        expect(error).toMatchObject({ retryable: true });
        // It goes into logs: no signature, no key.
        expect(inspect(error, { depth: 9 })).not.toMatch(/Signature=|Credential=|Authorization/i);
      }
    });
  });
});
