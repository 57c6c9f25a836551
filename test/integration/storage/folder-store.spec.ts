import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FolderStore } from '../../../src/storage/folder-store.js';
import { describeObjectStore } from './conformance.js';

const folders: string[] = [];
const makeFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'folder-store-'));
  folders.push(folder);
  return folder;
};
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

describeObjectStore('a folder', async () => FolderStore.open({ dir: await makeFolder() }));
describeObjectStore('a folder with a prefix', async () =>
  FolderStore.open({ dir: await makeFolder(), prefix: 'team/monitor/' }),
);

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('a folder store', () => {
  it('uses the SHA-256 of the content as the ETag, also for objects that it did not write', async () => {
    const dir = await makeFolder();
    const store = await FolderStore.open({ dir });
    expect(await store.put('a', Buffer.from('text'))).toBe(sha256('text'));
    await writeFile(join(dir, 'b'), 'foreign');
    expect((await store.head('b'))?.etag).toBe(sha256('foreign'));
    // Another program wrote other bytes of the same size; the file's stamp differs.
    await writeFile(join(dir, 'b'), 'changed');
    await utimes(join(dir, 'b'), new Date(0), new Date(0));
    expect((await store.head('b'))?.etag).toBe(sha256('changed'));
  });

  it('keeps state and audit log from other users of the machine, and datasets readable', async () => {
    const dir = await makeFolder();
    await mkdir(join(dir, '_state'), { mode: 0o755 });
    const store = await FolderStore.open({ dir });
    await store.put('_state/catalog.json', Buffer.from('{}'));
    await store.put('_audit/2026/03/10/a.json', Buffer.from('{}'));
    await store.put('runs/2026/03/10/part-0.parquet', Buffer.from('PAR1'));
    const modeOf = async (path: string) => (await stat(join(dir, path))).mode & 0o777;
    expect(await Promise.all(['_state', '_audit'].map(modeOf))).toEqual([0o700, 0o700]);
    expect(await modeOf('_state/catalog.json')).toBe(0o600);
    expect(await modeOf('_audit/2026/03/10/a.json')).toBe(0o600);
    expect(await modeOf('runs/2026/03/10/part-0.parquet')).toBe(0o666 & ~process.umask());
    await store.close();
  });

  it('stores objects below the prefix and does not list its own files', async () => {
    const dir = await makeFolder();
    const store = await FolderStore.open({ dir, prefix: '/team/' });
    await store.put('a/b', Buffer.from('x'));
    await store.fetch('a/b');
    expect(await readFile(join(dir, 'team/a/b'), 'utf8')).toBe('x');
    const whole = await FolderStore.open({ dir });
    await writeFile(join(dir, 'not a key'), '');
    const keys: string[] = [];
    for await (const { key } of whole.list('')) keys.push(key);
    expect(keys).toEqual(['team/a/b']);
    await expect(FolderStore.open({ dir, prefix: '../other' })).rejects.toMatchObject({
      code: 'invalid_key',
    });
  });

  it('keeps the old object after a crash between the temporary file and the rename, and deletes the temporary file', async () => {
    const dir = await makeFolder();
    const before = await FolderStore.open({ dir });
    await before.put('a', Buffer.from('old'));
    await before.fetch('a');
    await writeFile(join(dir, '.tmp/left'), 'half of the ne');
    const after = await FolderStore.open({ dir });
    expect((await after.get('a'))?.body.toString()).toBe('old');
    expect(await readdir(join(dir, '.tmp'))).toEqual([]);
    expect(await readdir(join(dir, '.cache'))).toEqual([]);
  });

  it('leaves no temporary file after a lost race or a failed put', async () => {
    const dir = await makeFolder();
    const store = await FolderStore.open({ dir });
    await store.put('a', Buffer.from('x'));
    await store.put('a', Buffer.from('y'), { ifNoneMatch: '*' }).catch(() => undefined);
    await store.put('a/b', Buffer.from('y')).catch(() => undefined);
    expect(await readdir(join(dir, '.tmp'))).toEqual([]);
  });

  it('names the object that the file system rejects; the error is not retryable', async () => {
    const dir = await makeFolder();
    const store = await FolderStore.open({ dir });
    await mkdir(join(dir, 'a/b'), { recursive: true });
    const error = await store.put('a', Buffer.from('x')).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'store_io', retryable: false, context: { key: 'a' } });
  });

  it('removes the folders that a delete empties, except its root', async () => {
    const dir = await makeFolder();
    const store = await FolderStore.open({ dir, prefix: 'team' });
    await store.put('_raw/x/1', Buffer.from('x'));
    await store.delete('_raw/x/1');
    expect(await readdir(join(dir, 'team'))).toEqual([]);
  });

  it('hard-links fetched files, and evicts the least recently used', async () => {
    const dir = await makeFolder();
    let now = 0;
    const store = await FolderStore.open({ dir, cache: { maxBytes: 25, graceMs: 100, clock: () => now } });
    const bodies = ['a', 'b', 'c'].map((letter) => letter.repeat(10));
    for (const body of bodies) await store.put(`${body[0]}.parquet`, Buffer.from(body));
    const first = await store.fetch('a.parquet');
    expect((await stat(first?.file ?? '')).ino).toBe((await stat(join(dir, 'a.parquet'))).ino);
    expect(first?.file).toMatch(/\.parquet$/);
    await store.fetch('b.parquet');
    await store.fetch('c.parquet');
    // Somebody may still be reading any of the three.
    expect(await readdir(join(dir, '.cache'))).toHaveLength(3);
    now = 150;
    await store.fetch('a.parquet');
    const kept = await readdir(join(dir, '.cache'));
    const etags = kept.map((name) => name.split('-')[0]).sort();
    expect(etags).toEqual([bodies[0], bodies[2]].map((body) => sha256(body ?? '')).sort());
    expect(await readFile((await store.fetch('b.parquet'))?.file ?? '', 'utf8')).toBe(bodies[1]);
  });
});
