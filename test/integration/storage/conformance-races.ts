import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PreconditionFailedError } from '../../../src/storage/errors.js';
import type { ObjectStore, PutCondition } from '../../../src/storage/object-store.js';

const text = (value: string): Buffer => Buffer.from(value);

/** Whether the put succeeded; throws any error but a failed condition. */
async function wins(put: Promise<string>): Promise<boolean> {
  try {
    await put;
    return true;
  } catch (error) {
    if (error instanceof PreconditionFailedError) return false;
    throw error;
  }
}

/**
 * The guarantees that publishing and the documents of `_state/` need: conditions, and concurrent readers and writers.
 * @param opened the store of the current test and a folder for its files
 */
export function describeRaces(opened: () => { readonly store: ObjectStore; readonly scratch: string }): void {
  describe('with concurrent readers and writers', () => {
    let store: ObjectStore;
    beforeEach(() => {
      store = opened().store;
    });

    /** A file of a few kilobytes: more than the stores under test put in one part. */
    async function fileOf(name: string): Promise<string> {
      const file = join(opened().scratch, name);
      await writeFile(file, name.padEnd(3000, '.'));
      return file;
    }

    it('checks conditions for a file as for bytes, and does not touch the file of the loser', async () => {
      const first = await store.put('a', { file: await fileOf('first') }, { ifNoneMatch: '*' });
      const file = await fileOf('second');
      expect(await wins(store.put('a', { file }, { ifNoneMatch: '*' }))).toBe(false);
      const second = await store.put('a', { file }, { ifMatch: first });
      const third = await fileOf('third');
      expect(await wins(store.put('a', { file: third }, { ifMatch: first }))).toBe(false);
      expect((await stat(third)).size).toBe(3000);
      expect(await store.get('a')).toEqual({ body: await readFile(file), etag: second });
    });

    it('lets exactly one of 16 put a file', async () => {
      let condition: PutCondition = { ifNoneMatch: '*' };
      for (let round = 0; round < 3; round++) {
        const files = await Promise.all(
          Array.from({ length: 16 }, (_, i) => fileOf(`round ${round}, writer ${i}`)),
        );
        const won = await Promise.all(files.map((file) => wins(store.put('a/b', { file }, condition))));
        expect(won.filter(Boolean)).toHaveLength(1);
        const stored = await store.get('a/b');
        expect(stored?.body).toEqual(await readFile(files[won.indexOf(true)] ?? ''));
        condition = { ifMatch: stored?.etag ?? '' };
      }
    });

    it('loses no update of 8 writers that compare and swap', async () => {
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          for (let counted = 0; counted < 5; ) {
            const stored = await store.get('count');
            const next = text(String(Number(stored?.body ?? 0) + 1));
            const condition = stored ? { ifMatch: stored.etag } : ({ ifNoneMatch: '*' } as const);
            if (await wins(store.put('count', next, condition))) counted++;
          }
        }),
      );
      expect(String((await store.get('count'))?.body)).toBe('40');
    });

    it('accepts equal bytes under a condition, and does not match the ETag of a deleted object', async () => {
      const etag = await store.put('a', text('same'));
      const again = await store.put('a', text('same'), { ifMatch: etag });
      expect((await store.head('a'))?.etag).toBe(again);
      await store.delete('a');
      expect(await wins(store.put('a', text('x'), { ifMatch: again }))).toBe(false);
      expect(await store.get('a')).toBeUndefined();
    });

    it('shows a put and a delete immediately in every kind of read', async () => {
      const reads = async (): Promise<boolean[]> => {
        let listed = false;
        for await (const { key } of store.list('a/')) listed ||= key === 'a/b';
        const found = await Promise.all([store.get('a/b'), store.head('a/b'), store.fetch('a/b')]);
        return [listed, ...found.map((each) => each !== undefined)];
      };
      for (let round = 0; round < 3; round++) {
        await store.put('a/b', text(`round ${round}`));
        expect(await reads()).toEqual([true, true, true, true]);
        await store.delete('a/b');
        expect(await reads()).toEqual([false, false, false, false]);
      }
    });

    it('returns the complete bytes to concurrent fetches of an object', async () => {
      const bytes = Buffer.from(Array.from({ length: 256 * 64 }, (_, i) => i % 256));
      const etag = await store.put('a.parquet', bytes);
      const fetched = await Promise.all(Array.from({ length: 20 }, () => store.fetch('a.parquet')));
      for (const each of fetched) {
        expect(each?.etag).toBe(etag);
        expect((await readFile(each?.file ?? '')).equals(bytes)).toBe(true);
      }
    });

    it('does not change a fetched file when the object is deleted', async () => {
      await store.put('_raw/page.json', text('sent'));
      const fetched = await store.fetch('_raw/page.json');
      await store.delete('_raw/page.json');
      expect(await readFile(fetched?.file ?? '', 'utf8')).toBe('sent');
    });

    it('lists every object that exists throughout, while others are put and deleted', async () => {
      const stays = Array.from({ length: 30 }, (_, i) => `a/stays-${10 + i}`);
      for (const key of stays) await store.put(key, text(key));
      const others = Array.from({ length: 20 }, async (_, i) => {
        await store.put(`a/goes-${i}/x`, text('x'));
        await store.delete(`a/goes-${i}/x`);
      });
      const lists = Array.from({ length: 5 }, async () => {
        const keys: string[] = [];
        for await (const { key } of store.list('a/')) keys.push(key);
        expect(keys.filter((key) => key.startsWith('a/stays'))).toEqual(stays);
        expect(new Set(keys).size).toBe(keys.length);
      });
      await Promise.all([...others, ...lists]);
    });
  });
}
