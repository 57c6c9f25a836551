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

/** A process that tries to own the folder, and the line it says then. */
async function start(folder: string): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', './test/support/own-folder.ts', folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) return { child, said: line };
  throw new Error(`The child ended with ${child.exitCode} and said nothing`);
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

const refusal = async (folder: string): Promise<unknown> => {
  try {
    const lock = await lockFolder(folder);
    await lock.release();
  } catch (error) {
    return error;
  }
  throw new Error('The folder was not owned by anybody');
};

describe('the lock of a folder', () => {
  it('refuses this process what another owns, and names its PID and the way out', async () => {
    const { child, said } = await start(dir);
    expect(said).toBe('owned');
    const error = await refusal(dir);
    expect(error).toBeInstanceOf(MonitorError);
    expect(error).toMatchObject({ code: 'store_owned', retryable: false, context: { pid: child.pid } });
    expect(error).toHaveProperty(
      'message',
      `The folder ${dir} belongs to process ${child.pid}: stop it first, or use another STORAGE_DIR.`,
    );
    expect(JSON.parse(await readFile(join(dir, '.lock/owner.json'), 'utf8'))).toMatchObject({
      pid: child.pid,
    });
  });

  it('refuses another process what this one owns, also after a second try of this one', async () => {
    const lock = await lockFolder(dir);
    expect(await refusal(dir)).toMatchObject({ code: 'store_owned', context: { pid: process.pid } });
    const { said } = await start(dir);
    expect(JSON.parse(said)).toMatchObject({
      code: 'store_owned',
      message: expect.stringContaining(`process ${process.pid}:`),
    });
    await lock.release();
    expect((await start(dir)).said).toBe('owned');
  });

  it('is free at once when the owner is killed, whatever its last words name', async () => {
    const first = await start(dir);
    await kill(first.child);
    expect(JSON.parse(await readFile(join(dir, '.lock/owner.json'), 'utf8'))).toMatchObject({
      pid: first.child.pid,
    });
    const second = await start(dir);
    expect(second.said).toBe('owned');
    expect(await refusal(dir)).toMatchObject({ context: { pid: second.child.pid } });
    await kill(second.child);
    await (await lockFolder(dir)).release();
  });

  it('names the process that holds the lock, not one that a stale note names', async () => {
    const { child } = await start(dir);
    await writeFile(join(dir, '.lock/owner.json'), '{"pid":1,"host":"elsewhere"}');
    expect(await refusal(dir)).toMatchObject({ context: { pid: child.pid } });
    await rm(join(dir, '.lock/owner.json'));
    expect(await refusal(dir)).toMatchObject({ context: { pid: child.pid } });
  });

  it('gives a new folder to exactly one of many processes that start together', async () => {
    const folder = join(dir, 'new/folder');
    const started = await Promise.all(Array.from({ length: 4 }, () => start(folder)));
    const owners = started.filter(({ said }) => said === 'owned');
    expect(owners).toHaveLength(1);
    for (const { said } of started.filter(({ said }) => said !== 'owned')) {
      expect(JSON.parse(said)).toMatchObject({ code: 'store_owned' });
    }
    expect((await readdir(join(folder, '.lock'))).sort()).toEqual(['owner.duckdb', 'owner.json']);
  });

  it('is one lock for all names of the folder', async () => {
    await symlink(dir, `${dir}-link`);
    try {
      const lock = await lockFolder(dir);
      expect(await refusal(`${dir}-link`)).toMatchObject({ code: 'store_owned' });
      expect(await refusal(`${dir}/./`)).toMatchObject({ code: 'store_owned' });
      await lock.release();
      await (await lockFolder(`${dir}-link`)).release();
    } finally {
      await rm(`${dir}-link`);
    }
  });

  it('gives each of two folders its owner', async () => {
    const locks = [await lockFolder(join(dir, 'a')), await lockFolder(join(dir, 'b'))];
    for (const lock of locks) await lock.release();
  });

  it('releases once, and not what was taken again since', async () => {
    const first = await lockFolder(dir);
    await first.release();
    const second = await lockFolder(dir);
    await first.release();
    expect(await refusal(dir)).toMatchObject({ code: 'store_owned' });
    await second.release();
    expect(await readdir(join(dir, '.lock'))).toEqual(['owner.duckdb']);
  });

  it('says what is wrong with a lock file that is none, and holds nothing then', async () => {
    await mkdir(join(dir, '.lock'));
    await writeFile(join(dir, '.lock/owner.duckdb'), 'no database');
    const error = await refusal(dir);
    expect(error).toMatchObject({ code: 'store_lock', retryable: false });
    expect(error).toHaveProperty('message', expect.stringContaining('owner.duckdb'));
    await rm(join(dir, '.lock/owner.duckdb'));
    await (await lockFolder(dir)).release();
  });

  it('says which folder cannot be made', async () => {
    await writeFile(join(dir, 'file'), '');
    expect(await refusal(join(dir, 'file'))).toMatchObject({ code: 'store_io', retryable: false });
  });
});
