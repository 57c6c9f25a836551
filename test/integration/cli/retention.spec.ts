import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { updateWatermarks } from '../../../src/state/watermarks.js';
import { FolderStore } from '../../../src/storage/folder-store.js';
import { Commands } from './commands.js';

const DAY = 86_400_000;
const TODAY = Date.now();
const dayAgo = (age: number) => new Date(TODAY - age * DAY).toISOString().slice(0, 10);
const ENV = { RETENTION_DAYS: 'threshold_changes=2' };

let commands: Commands;
beforeAll(async () => {
  commands = await Commands.open();
  const store = await FolderStore.open({ dir: join(commands.folder, 'store') });
  await updateWatermarks(store, () => ({ '1': TODAY }));
  for (const age of [0, 1, 2, 3, 4]) {
    const key = `threshold_changes/${dayAgo(age).replaceAll('-', '/')}/part-0.parquet`;
    await store.put(key, Buffer.alloc(2_048));
  }
  await store.close();
});
afterAll(() => commands.close());

const files = async () => {
  const found = await readdir(join(commands.folder, 'store/threshold_changes'), { recursive: true });
  return found.filter((name) => name.endsWith('.parquet')).length;
};

it('a dry run shows what would be deleted, also while a service owns the folder', async () => {
  const service = await commands.openService(ENV);
  try {
    const { code, out } = await commands.run(['retention', '--dry-run'], {
      ...ENV,
      STORAGE_DIR: join(commands.folder, 'store'),
    });
    expect(code).toBe(0);
    expect(out).toContain(`threshold_changes: first day kept ${dayAgo(2)}, 2 objects (4 KiB) to delete`);
    expect(out).toContain('Dry run: nothing was deleted.');
    expect(await files()).toBe(5);
  } finally {
    await service.close();
  }
});

it('deletes them', async () => {
  const { code, out } = await commands.run(['retention'], ENV);
  expect([code, out]).toEqual([0, expect.stringContaining('Deleted.')]);
  expect(await files()).toBe(3);
  const again = await commands.run(['retention', '--dry-run'], ENV);
  expect(again.out).toContain('0 objects to delete');
});

it('names a setting that would delete too much', async () => {
  const { code, err } = await commands.run(['retention'], { RETENTION_DAYS: '_base=5' });
  expect(code).toBe(1);
  expect(err).toContain('RETENTION_DAYS is "_base=5": _base needs at least 30 days');
});

it('deletes nothing without the setting', async () => {
  const { out } = await commands.run(['retention', '--dry-run'], {
    STORAGE_DIR: join(commands.folder, 'new'),
  });
  expect(out).toContain('Nothing is deleted by age');
});
