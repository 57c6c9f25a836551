import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface FileCacheOptions {
  /** Above this size, bytes, the least recently used files are evicted. */
  readonly maxBytes?: number;
  /** A file used within this time is not evicted, whatever the size: a job may be reading it. */
  readonly graceMs?: number;
  readonly clock?: () => number;
}

const DEFAULT_MAX_BYTES = 4 * 2 ** 30;
const DEFAULT_GRACE_MS = 15 * 60_000;

interface Cached {
  readonly size: number;
  readonly usedAt: number;
}

/** Local copies of objects, named by their ETag, so that the bytes at a path never change. Starts empty. */
export class FileCache {
  /** Least recently used first. */
  private readonly files = new Map<string, Cached>();
  private bytes = 0;

  private constructor(
    private readonly dir: string,
    private readonly maxBytes: number,
    private readonly graceMs: number,
    private readonly clock: () => number,
  ) {}

  static async open(dir: string, options: FileCacheOptions = {}): Promise<FileCache> {
    await rm(dir, { recursive: true, force: true });
    await mkdir(dir, { recursive: true });
    const { maxBytes = DEFAULT_MAX_BYTES, graceMs = DEFAULT_GRACE_MS, clock = Date.now } = options;
    return new FileCache(dir, maxBytes, graceMs, clock);
  }

  /**
   * @param name the ETag, with the extension that readers expect
   * @param make writes the object's bytes to a file; called if the cache does not have them
   */
  async file(name: string, size: number, make: (file: string) => Promise<void>): Promise<string> {
    const file = join(this.dir, name);
    if (!this.files.has(name)) {
      const part = join(this.dir, `${randomUUID()}.part`);
      try {
        await make(part);
        await rename(part, file);
      } finally {
        // A rename onto another link of the same file does nothing and keeps both names.
        await rm(part, { force: true });
      }
    }
    this.touch(name, size);
    await this.evict();
    return file;
  }

  private touch(name: string, size: number): void {
    if (!this.files.delete(name)) this.bytes += size;
    this.files.set(name, { size, usedAt: this.clock() });
  }

  private async evict(): Promise<void> {
    for (const [name, { size, usedAt }] of this.files) {
      if (this.bytes <= this.maxBytes || usedAt > this.clock() - this.graceMs) return;
      this.files.delete(name);
      this.bytes -= size;
      await rm(join(this.dir, name), { force: true });
    }
  }
}
