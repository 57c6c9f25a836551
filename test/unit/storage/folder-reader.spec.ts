import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderReader } from '../../../src/storage/folder-reader.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reader-'));
  for (const path of ['.tmp', '.cache', 'runs/2026', 'runs-old']) {
    await mkdir(join(folder, path), { recursive: true });
  }
  for (const path of ['.tmp/part', '.cache/copy', 'runs/b', 'runs/2026/a', 'runs-old/c']) {
    await writeFile(join(folder, path), path);
  }
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function keysOf(reader: FolderReader, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of reader.list(prefix)) keys.push(key);
  return keys;
}

describe('a reader of a folder', () => {
  it.each([
    ['', ['runs-old/c', 'runs/2026/a', 'runs/b']],
    ['runs', ['runs-old/c', 'runs/2026/a', 'runs/b']],
    ['runs/', ['runs/2026/a', 'runs/b']],
    ['runs/2', ['runs/2026/a']],
    ['none/', []],
  ])('lists the objects below %p in the order of their keys', async (prefix, keys) => {
    expect(await keysOf(new FolderReader('folder', folder), prefix)).toEqual(keys);
  });

  it('reads objects in place', async () => {
    const reader = new FolderReader('folder', folder);
    expect((await reader.get('runs/b'))?.body.toString()).toBe('runs/b');
    expect(await reader.get('runs/none')).toBeUndefined();
    expect(await reader.get('runs')).toBeUndefined();
    expect(await readFile((await reader.fetch('runs/2026/a')).file, 'utf8')).toBe('runs/2026/a');
  });

  it('leaves the temporary files of the owner alone, and creates no folder', async () => {
    const reader = new FolderReader('folder', folder);
    await keysOf(reader, '');
    expect((await readdir(folder, { recursive: true })).filter((name) => name.startsWith('.'))).toEqual(
      expect.arrayContaining(['.tmp/part', '.cache/copy']),
    );
    expect(await keysOf(new FolderReader('folder', join(folder, 'absent')), '')).toEqual([]);
    expect(await readdir(folder)).not.toContain('absent');
  });

  it('rejects keys that leave the folder', async () => {
    await expect(new FolderReader('folder', folder).get('../secret')).rejects.toMatchObject({
      code: 'invalid_key',
    });
  });
});
