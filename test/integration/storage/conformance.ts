import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { PreconditionFailedError, StoreError } from '../../../src/storage/errors.js';
import { listKeys } from '../../../src/storage/list-keys.js';
import type { ObjectStore } from '../../../src/storage/object-store.js';
import { describeRaces } from './conformance-races.js';

const WRITERS = 32;
const MEGABYTE = 2 ** 20;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in buffers; above the limit, only those still referenced, for Node may delay garbage collection. */
function heldBytes(limit: number): number {
  const bytes = process.memoryUsage().arrayBuffers;
  if (bytes <= limit) return bytes;
  collectGarbage();
  // V8 frees buffers in another thread; a second collection waits for the first.
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

const text = (value: string): Buffer => Buffer.from(value);

async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

/** The errors of the attempts that failed. */
async function failures(attempts: readonly Promise<unknown>[]): Promise<unknown[]> {
  const results = await Promise.allSettled(attempts);
  return results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
}

/**
 * Every guarantee of the port, for any adapter.
 * @param open opens a new empty store for each test; `close` need not delete it
 */
export function describeObjectStore(name: string, open: () => Promise<ObjectStore>): void {
  describe(`the object store of ${name}`, () => {
    let store: ObjectStore;
    let scratch: string;
    beforeEach(async () => {
      store = await open();
      scratch = await mkdtemp(join(tmpdir(), 'conformance-'));
    });
    afterEach(async () => {
      await store.close();
      await rm(scratch, { recursive: true, force: true });
    });

    it('returns what was put, with the ETag of the put', async () => {
      const etag = await store.put('runs/2026/01/02/part-0.parquet', text('first'));
      const key = 'runs/2026/01/02/part-0.parquet';
      expect(await store.get(key)).toEqual({ body: text('first'), etag });
      expect(await store.head(key)).toEqual({ key, etag, size: 5 });
      const fetched = await store.fetch(key);
      expect(fetched?.etag).toBe(etag);
      expect(await readFile(fetched?.file ?? '', 'utf8')).toBe('first');
    });

    it('finds no object that was never put, nor a folder of objects', async () => {
      await store.put('a/b/c', text('x'));
      for (const key of ['none', 'a', 'a/b', 'a/b/c/d', 'a/b/d']) {
        expect(await store.get(key)).toBeUndefined();
        expect(await store.head(key)).toBeUndefined();
        expect(await store.fetch(key)).toBeUndefined();
      }
    });

    it('replaces an object completely, and stores an empty one', async () => {
      const long = await store.put('a', text('a long text'));
      const short = await store.put('a', text(''));
      expect(short).not.toBe(long);
      expect(await store.get('a')).toEqual({ body: text(''), etag: short });
      expect(await store.head('a')).toEqual({ key: 'a', etag: short, size: 0 });
    });

    it('does not change a fetched file when the object is replaced', async () => {
      await store.put('a.parquet', text('first'));
      const first = await store.fetch('a.parquet');
      await store.put('a.parquet', text('second'));
      expect(await readFile(first?.file ?? '', 'utf8')).toBe('first');
      const second = await store.fetch('a.parquet');
      expect(await readFile(second?.file ?? '', 'utf8')).toBe('second');
      expect(second?.file).not.toBe(first?.file);
    });

    it('puts with If-None-Match only if there is no object', async () => {
      const etag = await store.put('a', text('first'), { ifNoneMatch: '*' });
      await expect(store.put('a', text('second'), { ifNoneMatch: '*' })).rejects.toThrow(
        PreconditionFailedError,
      );
      expect(await store.get('a')).toEqual({ body: text('first'), etag });
    });

    it('puts with If-Match only over the object with that ETag', async () => {
      const first = await store.put('a', text('first'));
      const second = await store.put('a', text('second'), { ifMatch: first });
      await expect(store.put('a', text('third'), { ifMatch: first })).rejects.toThrow(
        PreconditionFailedError,
      );
      await expect(store.put('none', text('x'), { ifMatch: first })).rejects.toThrow(PreconditionFailedError);
      expect((await store.get('a'))?.etag).toBe(second);
      expect(await store.get('none')).toBeUndefined();
    });

    it(`lets exactly one of ${WRITERS} writers put with If-None-Match`, async () => {
      const lost = await failures(
        Array.from({ length: WRITERS }, (_, i) =>
          store.put('a/b', text(`writer ${i}`), { ifNoneMatch: '*' }),
        ),
      );
      expect(lost).toHaveLength(WRITERS - 1);
      for (const error of lost) expect(error).toBeInstanceOf(PreconditionFailedError);
    });

    it(`lets exactly one of ${WRITERS} writers put with If-Match, and stores its body`, async () => {
      let etag = await store.put('a/b', text('start'));
      for (let round = 0; round < 3; round++) {
        const before = etag;
        const wins: string[] = [];
        const lost = await failures(
          Array.from({ length: WRITERS }, async (_, i) => {
            const body = `round ${round}, writer ${i}`;
            etag = await store.put('a/b', text(body), { ifMatch: before });
            wins.push(body);
          }),
        );
        expect(lost).toHaveLength(WRITERS - 1);
        for (const error of lost) expect(error).toBeInstanceOf(PreconditionFailedError);
        expect(await store.get('a/b')).toEqual({ body: text(wins[0] ?? ''), etag });
      }
    });

    it('returns a complete object to every reader while writers replace it', async () => {
      const bodies = ['a', 'b', 'c', 'd'].map((letter) => Buffer.alloc(MEGABYTE, letter));
      await store.put('a', Buffer.alloc(MEGABYTE, 'e'));
      const reads = Array.from({ length: 20 }, async () => {
        const body = (await store.get('a'))?.body;
        expect(body?.equals(Buffer.alloc(MEGABYTE, body[0]))).toBe(true);
        const fetched = await store.fetch('a');
        const copy = await readFile(fetched?.file ?? '');
        expect(copy.equals(Buffer.alloc(MEGABYTE, copy[0]))).toBe(true);
      });
      await Promise.all([...reads, ...bodies.map((body) => store.put('a', body))]);
    });

    it('puts a big file without loading it into memory, and does not touch the file', async () => {
      const file = join(scratch, 'big');
      const block = randomBytes(MEGABYTE);
      const blocks = 96;
      const hash = createHash('sha256');
      await writeFile(
        file,
        (function* () {
          for (let i = 0; i < blocks; i++) {
            block.writeUInt32LE(i);
            hash.update(block);
            yield Buffer.from(block);
          }
        })(),
      );
      const before = heldBytes(0);
      const limit = (blocks * MEGABYTE) / 2;
      let most = 0;
      const watch = setInterval(() => {
        most = Math.max(most, heldBytes(before + limit - 1) - before);
      }, 1);
      try {
        await store.put('big', { file });
      } finally {
        clearInterval(watch);
      }
      expect(most).toBeLessThan(limit);
      expect((await stat(file)).size).toBe(blocks * MEGABYTE);
      expect((await store.head('big'))?.size).toBe(blocks * MEGABYTE);
      const fetched = await store.fetch('big');
      const stored = createHash('sha256').update(await readFile(fetched?.file ?? ''));
      expect(stored.digest('hex')).toBe(hash.digest('hex'));
    });

    it.each([0, 1, 4095, MEGABYTE, MEGABYTE + 1, 2 * MEGABYTE])(
      'puts a file of %i bytes as it puts the same bytes',
      async (size) => {
        const file = join(scratch, `file-${size}`);
        const bytes = randomBytes(size);
        await writeFile(file, bytes);
        const etag = await store.put('a', { file });
        const stored = await store.get('a');
        expect(stored?.body.equals(bytes)).toBe(true);
        expect(stored?.etag).toBe(etag);
      },
    );

    it('is not affected by later changes of a file that was put', async () => {
      const file = join(scratch, 'part.parquet');
      await writeFile(file, 'first');
      const etag = await store.put('a', { file });
      await writeFile(file, 'other');
      expect(await store.get('a')).toEqual({ body: text('first'), etag });
      await rm(file);
      expect(await store.get('a')).toEqual({ body: text('first'), etag });
    });

    it('keeps the object when a put fails', async () => {
      await store.put('a', text('first'));
      await expect(store.put('a', { file: join(scratch, 'missing') })).rejects.toBeInstanceOf(StoreError);
      expect((await store.get('a'))?.body).toEqual(text('first'));
      expect(await keysOf(store, '')).toEqual(['a']);
    });

    it('lists more than 1,000 keys, each once, in byte order', async () => {
      const keys = Array.from({ length: 1_050 }, (_, i) => `many/${i % 7}/${i}`);
      for (let from = 0; from < keys.length; from += 50) {
        await Promise.all(keys.slice(from, from + 50).map((key) => store.put(key, text(key))));
      }
      expect(await keysOf(store, 'many/')).toEqual([...keys].sort());
    });

    it('lists by any prefix of a key, with ETag and size', async () => {
      const keys = ['a', 'a-b', 'a.b', 'a=b', 'A/b', 'a0', 'a_b', 'b/a-', 'b/a/x', 'b/a0', 'b/a.x', 'b/b'];
      for (const key of keys) await store.put(key, text(key));
      const sorted = [...keys].sort();
      for (const prefix of ['', 'a', 'a-', 'b/', 'b/a', 'b/a/', 'b/a/x', 'none', 'b/none/']) {
        expect(await keysOf(store, prefix)).toEqual(sorted.filter((key) => key.startsWith(prefix)));
      }
      for await (const entry of store.list('')) expect(entry).toEqual(await store.head(entry.key));
    });

    it('returns the keys of a listing alone', async () => {
      for (const key of ['a/b/c', 'a/d', 'b']) await store.put(key, text(key));
      for (const prefix of ['', 'a/', 'a/b', 'none/']) {
        const keys: string[] = [];
        for await (const key of listKeys(store, prefix)) keys.push(key);
        expect(keys).toEqual(await keysOf(store, prefix));
      }
    });

    it('deletes an object and nothing else, also if it does not exist', async () => {
      await store.put('a/b/c', text('x'));
      await store.put('a/d', text('y'));
      await store.delete('a/b/c');
      await store.delete('a/b/c');
      await store.delete('never/was');
      expect(await store.get('a/b/c')).toBeUndefined();
      expect(await keysOf(store, '')).toEqual(['a/d']);
      await store.put('a/b/c', text('again'), { ifNoneMatch: '*' });
      expect((await store.get('a/b/c'))?.body).toEqual(text('again'));
    });

    it('loses no put when another object of the folder is deleted', async () => {
      for (let round = 0; round < 20; round++) {
        await store.put('a/b/old', text('x'));
        await Promise.all([store.delete('a/b/old'), store.put('a/b/new', text('y'))]);
        expect((await store.get('a/b/new'))?.body).toEqual(text('y'));
        await store.delete('a/b/new');
      }
    });

    it.each([
      ['nothing', ''],
      ['a path out of the store', '../x'],
      ['a path out of the store further on', 'a/../../x'],
      ['a part that is a dot', 'a/./b'],
      ['a hidden part', '.lock/owner.json'],
      ['a hidden part further on', 'a/.b'],
      ['an absolute path', '/etc/passwd'],
      ['an empty part', 'a//b'],
      ['a slash at the end', 'a/'],
      ['a backslash', 'a\\b'],
      ['a space', 'a b'],
      ['a line break', 'a\n'],
      ['a null byte', 'a\0b'],
      ['a percent sign', 'a%2fb'],
      ['an accent', 'é'],
      ['an emoji', 'a/🙂'],
      ['half a surrogate pair', '\ud83d'],
      ['a part that is too long for a file system', 'a'.repeat(256)],
      ['more characters than S3 allows', `${'a/'.repeat(600)}a`],
    ])('rejects a key with %s', async (_, key) => {
      const errors = await failures([
        store.get(key),
        store.head(key),
        store.fetch(key),
        store.put(key, text('x')),
        store.delete(key),
      ]);
      expect(errors).toHaveLength(5);
      for (const error of errors) {
        expect(error).toBeInstanceOf(StoreError);
        expect(error).toMatchObject({ code: 'invalid_key', retryable: false });
      }
      expect(await keysOf(store, '')).toEqual([]);
    });

    it('rejects an invalid prefix', async () => {
      for (const prefix of ['../', '/', 'a//', '.c', 'a b', 'é']) {
        await expect(keysOf(store, prefix)).rejects.toMatchObject({ code: 'invalid_key' });
      }
    });

    it('behaves like a map, whatever the order of the calls', async () => {
      const key = fc.constantFrom('a', 'b/a', 'b/b', 'b-');
      const call = fc.oneof(
        fc.record({ call: fc.constant('put' as const), key, value: fc.string({ maxLength: 3 }) }),
        fc.record({ call: fc.constant('create' as const), key, value: fc.string({ maxLength: 3 }) }),
        fc.record({ call: fc.constant('delete' as const), key, value: fc.constant('') }),
      );
      const model = new Map<string, string>();
      await fc.assert(
        fc.asyncProperty(fc.array(call, { maxLength: 8 }), async (calls) => {
          for (const step of calls) {
            if (step.call === 'put') await store.put(step.key, text(step.value));
            else if (step.call === 'delete') await store.delete(step.key);
            else {
              const created = await store.put(step.key, text(step.value), { ifNoneMatch: '*' }).then(
                () => true,
                () => false,
              );
              expect(created).toBe(!model.has(step.key));
              if (!created) continue;
            }
            if (step.call === 'delete') model.delete(step.key);
            else model.set(step.key, step.value);
          }
          expect(await keysOf(store, '')).toEqual([...model.keys()].sort());
          for (const [stored, value] of model) expect((await store.get(stored))?.body).toEqual(text(value));
        }),
        { numRuns: 50 },
      );
    });

    describeRaces(() => ({ store, scratch }));
  });
}
