import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { Logger } from '@nestjs/common';
import { StoreError } from './errors.js';
import { piecesOfFile } from './folder-files.js';

export interface FileCacheOptions {
  /** Above this size, bytes, the least recently used files are evicted. */
  readonly maxBytes?: number;
  /** A file used within this time is not evicted, whatever the size: a job may be reading it. */
  readonly graceMs?: number;
  readonly clock?: () => number;
}

const DEFAULT_MAX_BYTES = 4 * 2 ** 30;
const DEFAULT_GRACE_MS = 15 * 60_000;
/** `<version>-<SHA-256 of the content, hex><extension>` */
const NAME = /^([A-Za-z0-9]+)-([0-9a-f]{64})(\.[A-Za-z0-9]+)?$/;

interface Cached {
  readonly name: string;
  readonly size: number;
  readonly usedAt: number;
  /** Whether this process wrote the file, or compared it with the digest in its name. */
  readonly isVerified: boolean;
}

/**
 * Local copies of objects, named by their version and the digest of their content: the bytes at a path never change. Files
 * of an earlier process are used again, each after its content was compared with its name: a power failure or a disk may
 * have damaged it, and another program may have written to it.
 */
export class FileCache {
  /** By version and extension, least recently used first. */
  private readonly files = new Map<string, Cached>();
  private bytes = 0;
  private readonly running = new Set<Promise<unknown>>();
  private isClosed = false;
  private readonly log = new Logger('Store');

  private constructor(
    private readonly dir: string,
    private readonly maxBytes: number,
    private readonly graceMs: number,
    private readonly clock: () => number,
  ) {}

  static async open(dir: string, options: FileCacheOptions = {}): Promise<FileCache> {
    await mkdir(dir, { recursive: true });
    const { maxBytes = DEFAULT_MAX_BYTES, graceMs = DEFAULT_GRACE_MS, clock = Date.now } = options;
    const cache = new FileCache(dir, maxBytes, graceMs, clock);
    await cache.adopt();
    return cache;
  }

  /**
   * @param version names the bytes: letters and digits, with the extension that readers expect
   * @param make writes the object's bytes to a file; called if the cache does not have them
   * @param digest SHA-256 of these bytes, hex, if it is known
   * @throws {StoreError} `store_closed`
   */
  async file(version: string, make: (file: string) => Promise<void>, digest?: string): Promise<string> {
    if (this.isClosed) throw new StoreError('store_closed', 'The store is closed', { version }, true);
    const file = this.obtain(version, make, digest);
    this.running.add(file);
    try {
      return await file;
    } finally {
      this.running.delete(file);
    }
  }

  /** Waits for files in progress. Later calls fail: the folder may belong to another process by then. */
  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.allSettled(this.running);
  }

  private async obtain(
    version: string,
    make: (file: string) => Promise<void>,
    digest: string | undefined,
  ): Promise<string> {
    const cached = (await this.verified(version)) ?? (await this.create(version, make, digest));
    this.touch(version, cached);
    await this.evict();
    return join(this.dir, cached.name);
  }

  /** The files of an earlier process, oldest first. Any other file is removed. */
  private async adopt(): Promise<void> {
    const found: { readonly mtimeMs: number; readonly version: string; readonly cached: Cached }[] = [];
    for (const name of await readdir(this.dir)) {
      const [, id, , extension = ''] = NAME.exec(name) ?? [];
      if (id === undefined) {
        await rm(join(this.dir, name), { recursive: true, force: true });
        continue;
      }
      const { size, mtimeMs } = await stat(join(this.dir, name));
      const cached = { name, size, usedAt: Number.NEGATIVE_INFINITY, isVerified: false };
      found.push({ mtimeMs, version: id + extension, cached });
    }
    for (const { version, cached } of found.sort((a, b) => a.mtimeMs - b.mtimeMs))
      this.store(version, cached);
  }

  private async verified(version: string): Promise<Cached | undefined> {
    const cached = this.files.get(version);
    if (!cached || cached.isVerified) return cached;
    const path = join(this.dir, cached.name);
    const digest = await digestOf(path).catch(() => undefined);
    if (digest === NAME.exec(cached.name)?.[2]) return { ...cached, isVerified: true };
    this.log.warn(`The local copy ${path} was damaged and is replaced`);
    this.remove(version);
    await rm(path, { force: true });
    return undefined;
  }

  private async create(
    version: string,
    make: (file: string) => Promise<void>,
    knownDigest: string | undefined,
  ): Promise<Cached> {
    const part = join(this.dir, `${randomUUID()}.part`);
    try {
      await make(part);
      const digest = knownDigest ?? (await digestOf(part));
      const { size } = await stat(part);
      const extension = extname(version);
      const name = `${version.slice(0, version.length - extension.length)}-${digest}${extension}`;
      await rename(part, join(this.dir, name));
      return { name, size, usedAt: 0, isVerified: true };
    } finally {
      // A rename onto another link of the same file does nothing and keeps both names.
      await rm(part, { force: true });
    }
  }

  private touch(version: string, cached: Cached): void {
    this.store(version, { ...cached, usedAt: this.clock() });
  }

  private store(version: string, cached: Cached): void {
    this.remove(version);
    this.files.set(version, cached);
    this.bytes += cached.size;
  }

  private remove(version: string): void {
    this.bytes -= this.files.get(version)?.size ?? 0;
    this.files.delete(version);
  }

  private async evict(): Promise<void> {
    for (const [version, { name, usedAt }] of this.files) {
      if (this.bytes <= this.maxBytes || usedAt > this.clock() - this.graceMs) return;
      this.remove(version);
      await rm(join(this.dir, name), { force: true });
    }
  }
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of piecesOfFile(file)) hash.update(chunk);
  return hash.digest('hex');
}
