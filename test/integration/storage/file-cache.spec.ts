import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Logger } from '@nestjs/common';
import { FileCache } from '../../../src/storage/file-cache.js';

let dir: string;
let now: number;
beforeEach(async () => {
  Logger.overrideLogger(false);
  dir = await mkdtemp(join(tmpdir(), 'file-cache-'));
  now = 0;
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const open = (maxBytes = 25) => FileCache.open(dir, { maxBytes, graceMs: 100, clock: () => now });
const make = (text: string) => (file: string) => writeFile(file, text);
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const TEN = '0123456789';
/** The versions of the files in the folder. */
const versions = async () => (await readdir(dir)).map((name) => name.split('-')[0]).sort();
const refused = () => Promise.reject(new Error('the file was made again'));

describe('the file cache', () => {
  it('creates a file once, named by its version and digest, then returns it', async () => {
    const cache = await open();
    const file = await cache.file('a.parquet', make('a'));
    expect(file).toBe(join(dir, `a-${sha256('a')}.parquet`));
    expect(await cache.file('a.parquet', refused)).toBe(file);
    expect(await readFile(file, 'utf8')).toBe('a');
  });

  it('keeps nothing of a file that could not be created, and creates it on the next call', async () => {
    const cache = await open();
    const failing = cache.file('a', async (file) => {
      await writeFile(file, 'half');
      throw new Error('no space left');
    });
    await expect(failing).rejects.toThrow('no space left');
    expect(await readdir(dir)).toEqual([]);
    expect(await readFile(await cache.file('a', make('a')), 'utf8')).toBe('a');
  });

  it('returns the same file to concurrent calls, and counts it once', async () => {
    const cache = await open(10);
    const files = await Promise.all([1, 2, 3].map(() => cache.file('a', make(TEN))));
    expect(new Set(files).size).toBe(1);
    expect(await versions()).toEqual(['a']);
    now = 1_000;
    await cache.file('b', make('b'));
    // 11 bytes of 10: the older file is evicted, and its size no longer counts.
    expect(await versions()).toEqual(['b']);
    await cache.file('c', make('123456789'));
    expect(await versions()).toEqual(['b', 'c']);
  });

  it('evicts the least recently used files when it is too big, but none that may still be read', async () => {
    const cache = await open();
    for (const version of ['a', 'b', 'c']) await cache.file(version, make(TEN));
    expect(await versions()).toEqual(['a', 'b', 'c']);
    now = 50;
    await cache.file('a', refused);
    now = 100;
    await cache.file('d', make('d'));
    expect(await versions()).toEqual(['a', 'c', 'd']);
  });
});

describe('closing the file cache', () => {
  it('waits for files in progress; no other is created afterwards', async () => {
    const cache = await open();
    let finish: () => void = () => undefined;
    const slow = cache.file('a', async (file) => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      await writeFile(file, 'a');
    });
    let isClosed = false;
    const closing = cache.close().then(() => {
      isClosed = true;
    });
    await expect(cache.file('b', make('b'))).rejects.toMatchObject({ code: 'store_closed' });
    expect(isClosed).toBe(false);
    finish();
    await closing;
    expect(await readFile(await slow, 'utf8')).toBe('a');
    expect(await versions()).toEqual(['a']);
  });
});

describe('the file cache of the next process', () => {
  it('returns the files of the one before', async () => {
    const file = await (await open()).file('a.parquet', make('a'));
    expect(await (await open()).file('a.parquet', refused)).toBe(file);
  });

  it.each([
    ['changed', (file: string) => writeFile(file, 'b')],
    ['cut off', (file: string) => writeFile(file, '')],
    ['removed', (file: string) => rm(file)],
    [
      'replaced by that of another digest',
      (file: string) => rename(file, join(dirname(file), `a-${sha256('b')}.parquet`)),
    ],
  ])('makes a file again that was %s', async (_, damage) => {
    const file = await (await open()).file('a.parquet', make('a'));
    await damage(file);
    const cache = await open();
    expect(await readFile(await cache.file('a.parquet', make('a')), 'utf8')).toBe('a');
    expect(await cache.file('a.parquet', refused)).toBe(file);
  });

  it('removes everything else, such as unfinished files and those of older versions', async () => {
    for (const name of ['1.part', `${sha256('a')}.parquet`]) await writeFile(join(dir, name), 'left');
    await open();
    expect(await readdir(dir)).toEqual([]);
  });

  it('counts the files of the one before, and evicts the oldest of them first', async () => {
    const before = await open();
    for (const [i, version] of ['b', 'a'].entries()) {
      await utimes(await before.file(version, make(TEN)), 1_000 + i, 1_000 + i);
    }
    await (await open()).file('c', make(TEN));
    expect(await versions()).toEqual(['a', 'c']);
  });
});
