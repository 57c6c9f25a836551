import { createHash } from 'node:crypto';
import { copyFile, link, mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { piecesOf } from '../domain/bytes.js';
import { errno, errorMessage, MonitorError } from '../domain/errors.js';
import type { Steps } from '../domain/steps.js';
import { StoreError } from './errors.js';
import type { ObjectBody } from './object-store.js';
import { adviseFolder } from './store-advice.js';

const READ_BYTES = 2 ** 20;

/**
 * Writes the body to a new file and syncs it to disk.
 * @param mode of the file, before the umask
 * @returns its SHA-256, hex
 */
export async function writeDurably(file: string, body: ObjectBody, mode: number): Promise<string> {
  const hash = createHash('sha256');
  async function* hashed() {
    for await (const chunk of Buffer.isBuffer(body) ? piecesOf(body) : piecesOfFile(body.file)) {
      hash.update(chunk);
      yield chunk;
    }
  }
  const handle = await open(file, 'wx', mode);
  try {
    await handle.writeFile(hashed());
    await handle.sync();
  } finally {
    await handle.close();
  }
  return hash.digest('hex');
}

/**
 * The bytes of a file in pieces, which are valid until the next one. A stream would allocate a buffer of the largest size for each
 * piece, also for the end of a small file, and hundreds of small files would make Node.js collect garbage all the time.
 */
export async function* piecesOfFile(path: string): AsyncGenerator<Buffer, void> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, size));
    for (let done = 0; done < size; ) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return;
      done += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** The SHA-256 of the bytes, hex. */
export function* sha256Steps(bytes: Buffer): Steps<string> {
  const hash = createHash('sha256');
  for (const piece of piecesOf(bytes)) {
    yield;
    hash.update(piece);
  }
  return hash.digest('hex');
}

/**
 * Moves the file to the target and syncs every folder that changed.
 * @param mode of the folders that are created, before the umask
 */
export async function moveDurably(file: string, target: string, mode: number): Promise<void> {
  const folder = dirname(target);
  for (let attempt = 1; ; attempt++) {
    let firstCreated: string | undefined;
    try {
      firstCreated = await mkdir(folder, { recursive: true, mode });
      await rename(file, target);
    } catch (error) {
      // A concurrent delete removed a folder that it had emptied: that of the target, or one that mkdir had just found.
      if (errno(error) === 'ENOENT' && attempt < 5) continue;
      throw error;
    }
    const topmost = firstCreated ? dirname(firstCreated) : folder;
    for (let changed = folder; ; changed = dirname(changed)) {
      await syncFolder(changed);
      if (changed === topmost || changed === dirname(changed)) return;
    }
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Hard-links the file, or copies it where links are not possible. The link keeps the bytes when the file is replaced. */
export async function linkOrCopy(file: string, target: string): Promise<void> {
  try {
    await link(file, target);
  } catch (error) {
    if (errno(error) === 'ENOENT') throw error;
    await copyFile(file, target);
  }
}

/** Whether the path is not a file, so that there is no object. */
export const isAbsent = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errno(error) ?? '');

/** Errors that need a fix by a person. The others (disk space, file handles, a busy disk) may be gone on the next try. */
const PERMANENT = new Set(['EACCES', 'EPERM', 'EROFS', 'EISDIR', 'ENOTDIR', 'ENOTEMPTY', 'ENAMETOOLONG']);

/** DuckDB reports a system error only as text, in words of the C library. */
const SYSTEM_TEXTS: readonly (readonly [RegExp, string])[] = [
  [/Permission denied/, 'EACCES'],
  [/Read-only file system/, 'EROFS'],
  [/No space left on device/, 'ENOSPC'],
  [/Disk quota exceeded/, 'EDQUOT'],
];

/** The code of a system error, of Node.js or of DuckDB; `undefined` for any other error. */
export function systemCode(error: unknown): string | undefined {
  const text = errorMessage(error);
  return errno(error) ?? SYSTEM_TEXTS.find(([words]) => words.test(text))?.[1];
}

/** Runs the work and converts system errors. @throws {StoreError} `store_io` */
export async function withStoreErrors<T>(action: string, key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof MonitorError) throw error;
    const code = systemCode(error);
    if (code === undefined) throw error;
    const message = `Cannot ${action} ${key || 'the folder'}: ${error}`;
    throw new StoreError('store_io', message, { key, errno: code }, !PERMANENT.has(code), {
      cause: error,
      advice: adviseFolder(code),
    });
  }
}
