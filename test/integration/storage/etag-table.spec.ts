import { link, mkdtemp, readFile, rename, rm, stat, utimes, watch, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EtagTable, type EtagTableOptions } from '../../../src/storage/etag-table.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'etag-table-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const ETAG = 'a'.repeat(64);
const open = (options?: EtagTableOptions) => EtagTable.open(join(dir, '.etags'), dir, dir, options);
const stats = (name: string) => stat(join(dir, name), { bigint: true });
/** @param time of the last change, s */
async function writeAt(time: number, name: string, content: string): Promise<void> {
  await writeFile(join(dir, name), content);
  await utimes(join(dir, name), time, time);
}
/** A new table in which files of these names, with their names as content, have an ETag. */
async function tableOf(names: readonly string[], options?: EtagTableOptions): Promise<EtagTable> {
  const table = await open(options);
  for (const name of names) {
    await writeAt(1_000, name, name);
    table.set(name, await stats(name), ETAG);
  }
  return table;
}
const savedNames = async () =>
  (await readFile(join(dir, '.etags'), 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' ')[2]);

describe('the table of ETags', () => {
  it('knows the ETag of an unchanged file after a restart', async () => {
    await (await tableOf(['a'])).close();
    expect((await open()).get('a', await stats('a'))).toBe(ETAG);
  });

  it('still knows it after the file was linked, which changes its status', async () => {
    await (await tableOf(['a'])).close();
    await link(join(dir, 'a'), join(dir, 'b'));
    expect((await open()).get('a', await stats('a'))).toBe(ETAG);
  });

  it.each([
    ['another time', () => writeAt(2_000, 'a', 'a')],
    ['another size', () => writeAt(1_000, 'a', 'aa')],
    [
      'another inode',
      async () => {
        await writeAt(1_000, 'b', 'b');
        await rename(join(dir, 'b'), join(dir, 'a'));
      },
    ],
  ])('does not know the ETag of a file with %s', async (_, change) => {
    const table = await tableOf(['a']);
    await change();
    expect(table.get('a', await stats('a'))).toBeUndefined();
  });

  it('forgets the least recently used files above its limit', async () => {
    const table = await tableOf(['a', 'b'], { maxEntries: 2 });
    expect(table.get('a', await stats('a'))).toBe(ETAG);
    await writeFile(join(dir, 'c'), 'c');
    table.set('c', await stats('c'), ETAG);
    await table.close();
    expect(await savedNames()).toEqual(['a', 'c']);
    await (await open({ maxEntries: 1 })).close();
    const limited = await open({ maxEntries: 1 });
    expect(limited.get('a', await stats('a'))).toBeUndefined();
    expect(limited.get('c', await stats('c'))).toBe(ETAG);
  });

  it('forgets files that are gone, whether it was told or not', async () => {
    await (await tableOf(['a', 'b', 'c'])).close();
    const table = await open();
    table.delete('a');
    await rm(join(dir, 'b'));
    await table.close();
    expect(await savedNames()).toEqual(['c']);
  });

  it('checks a part of the files at each close, and all of them in turn', async () => {
    await (await tableOf(['a', 'b', 'c', 'd', 'e'])).close();
    for (const name of ['b', 'd', 'e']) await rm(join(dir, name));
    const left: number[] = [];
    for (let close = 0; close < 3; close++) {
      await (await open({ maxChecked: 2 })).close();
      left.push((await savedNames()).length);
    }
    expect(left).toEqual([4, 3, 2]);
  });

  it('is saved after some changes, for a process that is killed', async () => {
    const names = watch(dir);
    await tableOf(['a', 'b'], { saveAfter: 2 });
    for await (const { filename } of names) if (filename === '.etags') break;
    expect(await savedNames()).toEqual(['a', 'b']);
  });

  it('starts empty if its file is damaged', async () => {
    await writeFile(join(dir, '.etags'), Buffer.from([0xff, 0xfe, 10, 0]));
    const table = await tableOf(['a']);
    expect(table.get('a', await stats('a'))).toBe(ETAG);
    await table.close();
    expect(await savedNames()).toEqual(['a']);
  });
});
