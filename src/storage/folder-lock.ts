import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { z } from 'zod';
import { errorMessage, MonitorError } from '../domain/errors.js';
import { isAbsent, withStoreErrors } from './folder-files.js';

/** The ownership of a folder; it ends with `release`, or with the process, however that dies. */
export interface FolderLock {
  release(): Promise<void>;
}

const ownerSchema = z.object({ pid: z.int(), host: z.string() });
type Owner = z.infer<typeof ownerSchema>;

const LOCK_FILE = 'owner.duckdb';
const LOCK_SETTINGS = { threads: '1' };
const OWNER_FILE = 'owner.json';

/**
 * The folders of this process. The kernel's lock belongs to a process, so it does not refuse the same process, and it is
 * gone as soon as the process closes any handle of the file: nothing here may open a lock file that it holds.
 */
const held = new Set<string>();

/**
 * Makes this process the only owner of the folder, which is made if it is not there. The lock is that of a DuckDB file:
 * the kernel releases it when the process ends, so a killed owner leaves nothing to clear.
 * @param dir `STORAGE_DIR`
 * @throws {MonitorError} `store_owned`, not retryable: a process owns it already; the message names its PID
 * @throws {MonitorError} `store_lock`, not retryable: the lock file cannot be opened for another reason
 */
export async function lockFolder(dir: string): Promise<FolderLock> {
  const folder = join(dir, '.lock');
  const path = await withStoreErrors('lock', dir, async () => {
    await mkdir(folder, { recursive: true });
    return realpath(folder);
  });
  if (held.has(path)) throw owned(dir, { pid: process.pid, host: hostname() });
  held.add(path);
  let instance: DuckDBInstance;
  try {
    await withStoreErrors('lock', dir, () => makeLockFile(path));
    instance = await openLockFile(dir, path);
  } catch (error) {
    held.delete(path);
    throw error;
  }
  let released = false;
  const release = async (): Promise<void> => {
    if (released) return;
    released = true;
    // While the lock still keeps others from naming themselves.
    await rm(join(path, OWNER_FILE), { force: true });
    instance.closeSync();
    held.delete(path);
  };
  try {
    await withStoreErrors('lock', dir, () => nameOwner(path));
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

/** Puts a whole file in its place or none, for a process that dies while DuckDB makes one leaves one that never opens. */
async function makeLockFile(folder: string): Promise<void> {
  const file = join(folder, LOCK_FILE);
  const there = await stat(file).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  if (there) return;
  const fresh = join(folder, `${randomUUID()}.duckdb`);
  try {
    (await DuckDBInstance.create(fresh, LOCK_SETTINGS)).closeSync();
    // Where links are not possible, or another process was first, DuckDB opens or makes the file itself.
    await link(fresh, file).catch(() => undefined);
  } finally {
    await rm(fresh, { force: true });
  }
}

async function openLockFile(dir: string, folder: string): Promise<DuckDBInstance> {
  const file = join(folder, LOCK_FILE);
  try {
    return await DuckDBInstance.create(file, LOCK_SETTINGS);
  } catch (error) {
    const message = errorMessage(error);
    if (/could not set lock|used by another process/i.test(message)) {
      // The kernel knows who holds the lock now; the file may still name the owner before.
      const pid = Number(/\(PID (\d+)\)/.exec(message)?.[1] ?? 0);
      const named = await readOwner(folder);
      throw owned(dir, pid > 0 && named?.pid !== pid ? { pid, host: hostname() } : named, error);
    }
    throw new MonitorError(
      'store_lock',
      `The lock file ${file} of the folder ${dir} cannot be opened: ${message.split('\n')[0]}. If no process uses the folder, delete this file.`,
      { dir, file },
      false,
      { cause: error },
    );
  }
}

function owned(dir: string, owner: Owner | undefined, cause?: unknown): MonitorError {
  const elsewhere = owner && owner.host !== hostname() ? ` on ${owner.host}` : '';
  const who = owner ? `process ${owner.pid}${elsewhere}` : 'another process';
  return new MonitorError(
    'store_owned',
    `The folder ${dir} belongs to ${who}: stop it first, or use another STORAGE_DIR.`,
    { dir, ...(owner ? { pid: owner.pid, host: owner.host } : {}) },
    false,
    { cause },
  );
}

async function nameOwner(folder: string): Promise<void> {
  const owner: Owner = { pid: process.pid, host: hostname() };
  const fresh = join(folder, `${randomUUID()}.json`);
  await writeFile(fresh, `${JSON.stringify(owner)}\n`);
  await rename(fresh, join(folder, OWNER_FILE));
}

/** undefined: the owner has not named itself yet. */
async function readOwner(folder: string): Promise<Owner | undefined> {
  try {
    return ownerSchema.safeParse(JSON.parse(await readFile(join(folder, OWNER_FILE), 'utf8'))).data;
  } catch {
    return undefined;
  }
}
