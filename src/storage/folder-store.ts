import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdir, open, readdir, readFile, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import { inSlices } from '../config/event-loop.js';
import { PreconditionFailedError } from './errors.js';
import { EtagTable } from './etag-table.js';
import { FileCache, type FileCacheOptions } from './file-cache.js';
import {
  isAbsent,
  linkOrCopy,
  moveDurably,
  sha256Steps,
  withStoreErrors,
  writeDurably,
} from './folder-files.js';
import { KeyedMutex } from './keyed-mutex.js';
import { assertKey, assertPrefix, isKey } from './object-key.js';
import type { ObjectBody, ObjectEntry, ObjectStore, PutCondition, StoredObject } from './object-store.js';

export interface FolderStoreOptions {
  /** `STORAGE_DIR`. The service uses names that begin with a dot for its lock, temporary files and local copies. */
  readonly dir: string;
  /** `S3_PREFIX`: a folder below `dir` that holds the objects. */
  readonly prefix?: string | undefined;
  readonly cache?: FileCacheOptions | undefined;
}

/** State and audit log are for the user of the service only. Analysts read the datasets: these have the usual modes. */
const PRIVATE = ['_state', '_audit'];
/** Of a file and of the folders that are created for it, before the umask. */
const modesOf = (key: string): { readonly file: number; readonly folder: number } =>
  PRIVATE.some((folder) => key.startsWith(`${folder}/`))
    ? { file: 0o600, folder: 0o700 }
    : { file: 0o666, folder: 0o777 };

/**
 * Objects as files of a folder; the ETag is the SHA-256 of the content. The conditions of a put hold within one process
 * only, so lock the folder before opening it. Opening removes the temporary files of a process that died.
 */
export class FolderStore implements ObjectStore {
  readonly etagScope = 'sha256';
  private readonly mutex = new KeyedMutex();

  private constructor(
    readonly description: string,
    private readonly home: string,
    private readonly root: string,
    private readonly temp: string,
    private readonly cache: FileCache,
    private readonly etags: EtagTable,
  ) {}

  static async open({ dir, prefix = '', cache }: FolderStoreOptions): Promise<FolderStore> {
    const below = prefix.replace(/^\/+|\/+$/g, '');
    if (below) assertKey(below);
    const home = resolve(dir);
    const root = join(home, below);
    const temp = join(home, '.tmp');
    return withStoreErrors('open', dir, async () => {
      await rm(temp, { recursive: true, force: true });
      await mkdir(temp, { recursive: true });
      await mkdir(root, { recursive: true });
      // Older releases created them for all users.
      for (const folder of PRIVATE)
        await unlessAbsent('protect', folder, () => chmod(join(root, folder), 0o700));
      // The copies are links to the files: to make them anew costs less than to verify those of an earlier process.
      await rm(join(home, '.cache'), { recursive: true, force: true });
      const copies = await FileCache.open(join(home, '.cache'), cache);
      const table = await EtagTable.open(join(home, '.etags'), home, temp);
      return new FolderStore(`folder ${join(dir, below)}`, home, root, temp, copies, table);
    });
  }

  async get(key: string): Promise<StoredObject | undefined> {
    const path = this.pathOf(key);
    return unlessAbsent('read', key, async () => {
      const body = await readFile(path);
      return { body, etag: await inSlices(sha256Steps(body)) };
    });
  }

  async head(key: string): Promise<ObjectEntry | undefined> {
    return this.describe(key, this.pathOf(key));
  }

  /** Ignores `listed`: describing a file costs less than a request. */
  async fetch(key: string): Promise<{ readonly file: string; readonly etag: string } | undefined> {
    const path = this.pathOf(key);
    // No put of this key may happen between the ETag and the link.
    return this.mutex.run(key, async () => {
      const entry = await this.describe(key, path);
      if (!entry) return undefined;
      const version = entry.etag + extname(key);
      const file = await withStoreErrors('fetch', key, () =>
        this.cache.file(version, (copy) => linkOrCopy(path, copy), entry.etag),
      );
      return { file, etag: entry.etag };
    });
  }

  async put(key: string, body: ObjectBody, condition?: PutCondition): Promise<string> {
    const path = this.pathOf(key);
    const temp = join(this.temp, randomUUID());
    const modes = modesOf(key);
    return withStoreErrors('write', key, async () => {
      try {
        const etag = await writeDurably(temp, body, modes.file);
        return await this.mutex.run(key, async () => {
          if (condition) await this.assertCondition(key, path, condition);
          await moveDurably(temp, path, modes.folder);
          this.etags.set(this.nameOf(path), await stat(path, { bigint: true }), etag);
          return etag;
        });
      } finally {
        await rm(temp, { force: true });
      }
    });
  }

  async *list(prefix: string): AsyncIterable<ObjectEntry> {
    for await (const key of this.keys(prefix)) {
      const found = await this.describe(key, join(this.root, key));
      if (found) yield found;
    }
  }

  async *keys(prefix: string): AsyncGenerator<string, void> {
    assertPrefix(prefix);
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    yield* this.walk(folder, prefix);
  }

  async delete(key: string): Promise<void> {
    const path = this.pathOf(key);
    await this.mutex.run(key, () =>
      unlessAbsent('delete', key, async () => {
        await unlink(path);
        this.etags.delete(this.nameOf(path));
        await this.removeEmptyFolders(dirname(path));
      }),
    );
  }

  async close(): Promise<void> {
    await this.cache.close();
    await this.etags.close();
  }

  /** The name of a path in the table of ETags. */
  private nameOf(path: string): string {
    return path.slice(this.home.length + 1);
  }

  private pathOf(key: string): string {
    assertKey(key);
    return join(this.root, key);
  }

  private async assertCondition(key: string, path: string, condition: PutCondition): Promise<void> {
    const stored = await this.describe(key, path);
    const expected = 'ifMatch' in condition ? condition.ifMatch : undefined;
    if (stored?.etag !== expected) throw new PreconditionFailedError(key);
  }

  private async describe(key: string, path: string): Promise<ObjectEntry | undefined> {
    return unlessAbsent('read', key, async () => {
      const current = await stat(path, { bigint: true });
      if (!current.isFile()) return undefined;
      const known = this.etags.get(this.nameOf(path), current);
      if (known !== undefined) return { key, etag: known, size: Number(current.size) };
      const handle = await open(path, 'r');
      try {
        // Of the open file: the path may name another file by now.
        const stats = await handle.stat({ bigint: true });
        const hash = createHash('sha256');
        for await (const chunk of handle.createReadStream({ autoClose: false })) hash.update(chunk);
        const etag = hash.digest('hex');
        this.etags.set(this.nameOf(path), stats, etag);
        return { key, etag, size: Number(stats.size) };
      } finally {
        await handle.close();
      }
    });
  }

  /** @param folder empty, or with a trailing slash */
  private async *walk(folder: string, prefix: string): AsyncGenerator<string, void> {
    const path = join(this.root, folder);
    const entries = await unlessAbsent('list', folder, () => readdir(path, { withFileTypes: true }));
    // Keys below a folder continue with a slash, so a folder sorts as its name with a slash. Keys are ASCII.
    const names = (entries ?? [])
      .filter(({ name }) => isKey(folder + name))
      .map((entry) => ({ key: folder + entry.name + (entry.isDirectory() ? '/' : ''), entry }))
      .filter(({ key }) => key.startsWith(prefix) || (key.endsWith('/') && prefix.startsWith(key)))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    for (const { key, entry } of names) {
      if (entry.isDirectory()) yield* this.walk(key, prefix);
      else if (entry.isFile()) yield key;
    }
  }

  private async removeEmptyFolders(folder: string): Promise<void> {
    for (let path = folder; path !== this.root; path = dirname(path)) {
      try {
        await rmdir(path);
      } catch {
        return;
      }
    }
  }
}

function unlessAbsent<T>(action: string, key: string, work: () => Promise<T>): Promise<T | undefined> {
  return withStoreErrors(action, key, () =>
    work().catch((error: unknown) => {
      if (isAbsent(error)) return undefined;
      throw error;
    }),
  );
}
