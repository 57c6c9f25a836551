import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownFolder } from '../../../src/config/compile-cache.js';

const UID = process.getuid?.() ?? 0;
let parent: string;
let folder: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'compile-cache-'));
  folder = join(parent, `mlflow-monitor-code-${UID}`);
});
afterEach(() => rm(parent, { recursive: true, force: true }));

describe('the folder of compiled code', () => {
  it('is created for the user alone, and found again', async () => {
    expect(ownFolder(parent, UID)).toBe(folder);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(ownFolder(parent, UID)).toBe(folder);
  });

  it.each([
    [
      'it is a link',
      async () => {
        await mkdir(join(parent, 'elsewhere'));
        await symlink('elsewhere', folder);
      },
    ],
    ['it is a file', () => writeFile(folder, '')],
    [
      'the folder above is missing and cannot be created',
      async () => {
        await rm(parent, { recursive: true });
        await writeFile(parent, '');
      },
    ],
  ])('is not used if %s', async (_, prepare) => {
    await prepare();
    expect(ownFolder(parent, UID)).toBeUndefined();
  });

  it('is not used if it belongs to somebody else', async () => {
    const other = UID + 1;
    await mkdir(join(parent, `mlflow-monitor-code-${other}`));
    expect(ownFolder(parent, other)).toBeUndefined();
  });
});
