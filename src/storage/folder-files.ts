import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, link, mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errno } from '../domain/errors.js';
import { StoreError } from './errors.js';
import type { ObjectBody } from './object-store.js';

const READ_BYTES = 2 ** 20;

/** Writes the body to a new file that survives a power cut. @returns its SHA-256, hex */
export async function writeDurably(file: string, body: ObjectBody): Promise<string> {
  const hash = createHash('sha256');
  async function* digested() {
    // Opened no sooner than it is read: the error of a stream that nobody reads yet would end the process.
    const source = Buffer.isBuffer(body)
      ? [body]
      : createReadStream(body.file, { highWaterMark: READ_BYTES });
    for await (const chunk of source) {
      hash.update(chunk);
      yield chunk;
    }
  }
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(digested());
    await handle.sync();
  } finally {
    await handle.close();
  }
  return hash.digest('hex');
}

/** Puts the file in the place of the target, and the change of each folder on the disk. */
export async function moveDurably(file: string, target: string): Promise<void> {
  const folder = dirname(target);
  for (let attempt = 1; ; attempt++) {
    let firstMade: string | undefined;
    try {
      firstMade = await mkdir(folder, { recursive: true });
      await rename(file, target);
    } catch (error) {
      // A delete that emptied a folder took it away in between: below the target, or while mkdir made the rest.
      if (errno(error) === 'ENOENT' && attempt < 5) continue;
      throw error;
    }
    const last = firstMade ? dirname(firstMade) : folder;
    for (let made = folder; ; made = dirname(made)) {
      await syncFolder(made);
      if (made === last || made === dirname(made)) return;
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

/** A second name for the file, which keeps its bytes when the first name gets others; a copy where links are not possible. */
export async function linkOrCopy(file: string, other: string): Promise<void> {
  try {
    await link(file, other);
  } catch (error) {
    if (errno(error) === 'ENOENT') throw error;
    await copyFile(file, other);
  }
}

/** What the path names is not there, or not a file: no object. */
export const isAbsent = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(errno(error) ?? '');

/** Errors that a person has to mend first; the others (space, handles, a busy disk) may be gone on the next try. */
const LASTING = new Set(['EACCES', 'EPERM', 'EROFS', 'EISDIR', 'ENOTDIR', 'ENOTEMPTY', 'ENAMETOOLONG']);

/** @throws {StoreError} `store_io` in place of a system error */
export async function withStoreErrors<T>(action: string, key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = errno(error);
    if (code === undefined) throw error;
    const message = `Cannot ${action} ${key || 'the folder'}: ${error}`;
    throw new StoreError('store_io', message, { key, errno: code }, !LASTING.has(code), { cause: error });
  }
}
