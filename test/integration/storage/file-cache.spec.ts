import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileCache } from '../../../src/storage/file-cache.js';

let dir: string;
let now: number;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'file-cache-'));
  now = 0;
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const open = (maxBytes = 25) => FileCache.open(dir, { maxBytes, graceMs: 100, clock: () => now });
const make = (text: string) => (file: string) => writeFile(file, text);

describe('the file cache', () => {
  it('creates a file once, then returns it', async () => {
    const cache = await open();
    const file = await cache.file('a.parquet', 1, make('a'));
    expect(file).toBe(join(dir, 'a.parquet'));
    expect(await cache.file('a.parquet', 1, make('other'))).toBe(file);
    expect(await readFile(file, 'utf8')).toBe('a');
  });

  it('keeps nothing of a file that could not be created, and creates it on the next call', async () => {
    const cache = await open();
    const failing = cache.file('a', 1, async (file) => {
      await writeFile(file, 'half');
      throw new Error('no space left');
    });
    await expect(failing).rejects.toThrow('no space left');
    expect(await readdir(dir)).toEqual([]);
    expect(await readFile(await cache.file('a', 1, make('a')), 'utf8')).toBe('a');
  });

  it('returns the same file to concurrent calls, and counts it once', async () => {
    const cache = await open(10);
    const files = await Promise.all([1, 2, 3].map(() => cache.file('a', 10, make('a'))));
    expect(new Set(files).size).toBe(1);
    expect(await readdir(dir)).toEqual(['a']);
    now = 1_000;
    await cache.file('b', 1, make('b'));
    // 11 bytes of 10: the older file is evicted, and its size no longer counts.
    expect(await readdir(dir)).toEqual(['b']);
    await cache.file('c', 9, make('c'));
    expect((await readdir(dir)).sort()).toEqual(['b', 'c']);
  });

  it('evicts the least recently used files when it is too big, but none that may still be read', async () => {
    const cache = await open();
    for (const name of ['a', 'b', 'c']) await cache.file(name, 10, make(name));
    expect((await readdir(dir)).sort()).toEqual(['a', 'b', 'c']);
    now = 50;
    await cache.file('a', 10, make('a'));
    now = 100;
    await cache.file('d', 1, make('d'));
    expect((await readdir(dir)).sort()).toEqual(['a', 'c', 'd']);
  });

  it('starts empty: it removes the files of an earlier process', async () => {
    await writeFile(join(dir, 'left'), 'left');
    await open();
    expect(await readdir(dir)).toEqual([]);
  });
});
