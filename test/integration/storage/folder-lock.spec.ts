import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { MonitorError } from '../../../src/domain/errors.js';
import { lockFolder } from '../../../src/storage/folder-lock.js';

const children: ChildProcess[] = [];
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'folder-lock-'));
});
afterEach(async () => {
  await Promise.all(children.splice(0).map(kill));
  await rm(dir, { recursive: true, force: true });
});

/** Starts a process that tries to lock the folder. @returns the process and the line it prints */
async function start(folder: string): Promise<{ child: ChildProcess; output: string }> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', './test/support/folder-lock-program.ts', folder],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '' },
    },
  );
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) return { child, output: line };
  throw new Error(`The child ended with ${child.exitCode} and printed nothing`);
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

const lockError = async (folder: string): Promise<unknown> => {
  try {
    const lock = await lockFolder(folder);
    await lock.release();
  } catch (error) {
    return error;
  }
  throw new Error('The folder was not locked');
};

describe('the lock of a folder', () => {
  it('cannot be taken from another process; the error names its PID and what to do', async () => {
    const { child, output } = await start(dir);
    expect(output).toBe('owned');
    const error = await lockError(dir);
    expect(error).toBeInstanceOf(MonitorError);
    expect(error).toMatchObject({ code: 'store_owned', retryable: false, context: { pid: child.pid } });
    expect(error).toHaveProperty('message', `The folder ${dir} is in use by process ${child.pid}`);
    expect(JSON.parse(await readFile(join(dir, '.lock/owner.json'), 'utf8'))).toMatchObject({
      pid: child.pid,
    });
  });

  it('cannot be taken from this process, also after a second attempt by this process', async () => {
    const lock = await lockFolder(dir);
    expect(await lockError(dir)).toMatchObject({ code: 'store_owned', context: { pid: process.pid } });
    const { output } = await start(dir);
    expect(JSON.parse(output)).toMatchObject({
      code: 'store_owned',
      message: expect.stringContaining(`process ${process.pid}`),
    });
    await lock.release();
    expect((await start(dir)).output).toBe('owned');
  });

  it('is free as soon as the owner is killed, whatever process the owner file names', async () => {
    const first = await start(dir);
    await kill(first.child);
    expect(JSON.parse(await readFile(join(dir, '.lock/owner.json'), 'utf8'))).toMatchObject({
      pid: first.child.pid,
    });
    const second = await start(dir);
    expect(second.output).toBe('owned');
    expect(await lockError(dir)).toMatchObject({ context: { pid: second.child.pid } });
    await kill(second.child);
    await (await lockFolder(dir)).release();
  });

  it('names the process that holds the lock, not that of a stale owner file', async () => {
    const { child } = await start(dir);
    await writeFile(join(dir, '.lock/owner.json'), '{"pid":1,"host":"elsewhere"}');
    expect(await lockError(dir)).toMatchObject({ context: { pid: child.pid } });
    await rm(join(dir, '.lock/owner.json'));
    expect(await lockError(dir)).toMatchObject({ context: { pid: child.pid } });
  });

  it('of a new folder goes to exactly one of many processes that start together', async () => {
    const folder = join(dir, 'new/folder');
    const started = await Promise.all(Array.from({ length: 4 }, () => start(folder)));
    const owners = started.filter(({ output }) => output === 'owned');
    expect(owners).toHaveLength(1);
    for (const { output } of started.filter(({ output }) => output !== 'owned')) {
      expect(JSON.parse(output)).toMatchObject({ code: 'store_owned' });
    }
    expect((await readdir(join(folder, '.lock'))).sort()).toEqual(['owner.duckdb', 'owner.json']);
  });

  it('is the same for all paths of the folder', async () => {
    await symlink(dir, `${dir}-link`);
    try {
      const lock = await lockFolder(dir);
      expect(await lockError(`${dir}-link`)).toMatchObject({ code: 'store_owned' });
      expect(await lockError(`${dir}/./`)).toMatchObject({ code: 'store_owned' });
      await lock.release();
      await (await lockFolder(`${dir}-link`)).release();
    } finally {
      await rm(`${dir}-link`);
    }
  });

  it('of one folder does not affect another folder', async () => {
    const locks = [await lockFolder(join(dir, 'a')), await lockFolder(join(dir, 'b'))];
    for (const lock of locks) await lock.release();
  });

  it('is released once: a second release does not affect a new lock', async () => {
    const first = await lockFolder(dir);
    await first.release();
    const second = await lockFolder(dir);
    await first.release();
    expect(await lockError(dir)).toMatchObject({ code: 'store_owned' });
    await second.release();
    expect(await readdir(join(dir, '.lock'))).toEqual(['owner.duckdb']);
  });

  it('fails with the reason if the lock file is invalid, and is not held then', async () => {
    await mkdir(join(dir, '.lock'));
    await writeFile(join(dir, '.lock/owner.duckdb'), 'no database');
    const error = await lockError(dir);
    expect(error).toMatchObject({ code: 'store_lock', retryable: false });
    expect(error).toHaveProperty('message', expect.stringContaining('owner.duckdb'));
    await rm(join(dir, '.lock/owner.duckdb'));
    await (await lockFolder(dir)).release();
  });

  it('fails if its folder is a link, which leads anywhere', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'elsewhere-'));
    await symlink(elsewhere, join(dir, '.lock'));
    await expect(lockFolder(dir)).rejects.toMatchObject({
      code: 'store_lock',
      message: `${join(dir, '.lock')} is a symbolic link`,
    });
    expect(await readdir(elsewhere)).toEqual([]);
    await rm(elsewhere, { recursive: true });
  });

  it('fails with `store_io` if the folder cannot be created', async () => {
    await writeFile(join(dir, 'file'), '');
    expect(await lockError(join(dir, 'file'))).toMatchObject({ code: 'store_io', retryable: false });
  });
});
