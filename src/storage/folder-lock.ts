import { randomUUID } from 'node:crypto';
import { link, lstat, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { z } from 'zod';
import { errorMessage, MonitorError } from '../domain/errors.js';
import { isAbsent, systemCode, withStoreErrors } from './folder-files.js';

/** Exclusive use of a folder. It ends with `release`, or when the process ends, however that happens. */
export interface FolderLock {
  release(): Promise<void>;
}

const ownerSchema = z.object({ pid: z.int(), host: z.string() });
type Owner = z.infer<typeof ownerSchema>;

const LOCK_FILE = 'owner.duckdb';
const LOCK_SETTINGS = { threads: '1' };
const OWNER_FILE = 'owner.json';

/**
 * The folders that this process has locked. The kernel's lock belongs to the process: it does not stop the same process,
 * and it ends as soon as the process closes any handle of the file. So a lock file that is held must not be opened again.
 */
const lockedFolders = new Set<string>();

/**
 * Locks the folder for this process; creates it if necessary. DuckDB locks its database file, and the kernel releases that
 * lock when the process ends, so a killed owner leaves no stale lock.
 * @param dir `STORAGE_DIR`
 * @throws {MonitorError} `store_owned`, not retryable: another owner holds the lock; the message names its PID
 * @throws {MonitorError} `store_lock`, not retryable: the lock file cannot be opened for another reason
 */
export async function lockFolder(dir: string): Promise<FolderLock> {
  const folder = join(dir, '.lock');
  const path = await withStoreErrors('lock', dir, async () => {
    await mkdir(folder, { recursive: true });
    return realpath(folder);
  });
  // Files would be written wherever a link of another user leads.
  if ((await lstat(folder)).isSymbolicLink()) {
    throw new MonitorError('store_lock', `${folder} is a symbolic link`, { dir }, false, {
      advice: `Delete ${folder}`,
    });
  }
  if (lockedFolders.has(path)) throw ownedError(dir, { pid: process.pid, host: hostname() });
  lockedFolders.add(path);
  let instance: DuckDBInstance;
  try {
    await withStoreErrors('lock', dir, () => createLockFile(path));
    instance = await withStoreErrors('lock', dir, () => openLockFile(dir, path));
  } catch (error) {
    lockedFolders.delete(path);
    throw error;
  }
  let released = false;
  const release = async (): Promise<void> => {
    if (released) return;
    released = true;
    // Removed before the lock is released, for then another process may write its own.
    await rm(join(path, OWNER_FILE), { force: true });
    instance.closeSync();
    lockedFolders.delete(path);
  };
  try {
    await withStoreErrors('lock', dir, () => writeOwner(path));
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

/** Creates the file and then links it into place: if a process dies while DuckDB creates one, the rest never opens. */
async function createLockFile(folder: string): Promise<void> {
  const file = join(folder, LOCK_FILE);
  const existing = await stat(file).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  if (existing) return;
  const fresh = join(folder, `${randomUUID()}.duckdb`);
  try {
    (await DuckDBInstance.create(fresh, LOCK_SETTINGS)).closeSync();
    // If links are not possible or another process was first, DuckDB opens or creates the file itself.
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
      // The kernel knows the current owner; the file may still name the previous one.
      const pid = Number(/\(PID (\d+)\)/.exec(message)?.[1] ?? 0);
      const written = await readOwner(folder);
      throw ownedError(dir, pid > 0 && written?.pid !== pid ? { pid, host: hostname() } : written, error);
    }
    // Too few rights or a full disk: the file is not the cause.
    if (systemCode(error) !== undefined) throw error;
    throw new MonitorError(
      'store_lock',
      `Cannot open the lock file ${file} of the folder ${dir}: ${message.split('\n')[0]}`,
      { dir, file },
      false,
      { cause: error, advice: `Delete ${file} if no process uses the folder` },
    );
  }
}

function ownedError(dir: string, owner: Owner | undefined, cause?: unknown): MonitorError {
  const elsewhere = owner && owner.host !== hostname() ? ` on ${owner.host}` : '';
  const who = owner ? `process ${owner.pid}${elsewhere}` : 'another process';
  return new MonitorError(
    'store_owned',
    `The folder ${dir} is in use by ${who}`,
    { dir, ...(owner ? { pid: owner.pid, host: owner.host } : {}) },
    false,
    { cause, advice: 'Stop it first, or use another STORAGE_DIR' },
  );
}

async function writeOwner(folder: string): Promise<void> {
  const owner: Owner = { pid: process.pid, host: hostname() };
  const fresh = join(folder, `${randomUUID()}.json`);
  await writeFile(fresh, `${JSON.stringify(owner)}\n`);
  await rename(fresh, join(folder, OWNER_FILE));
}

/** @returns `undefined` if the owner has not written its file yet */
async function readOwner(folder: string): Promise<Owner | undefined> {
  try {
    return ownerSchema.safeParse(JSON.parse(await readFile(join(folder, OWNER_FILE), 'utf8'))).data;
  } catch {
    return undefined;
  }
}
