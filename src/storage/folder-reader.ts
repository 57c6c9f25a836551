import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isAbsent, withStoreErrors } from './folder-files.js';
import { assertKey, assertPrefix, isKey } from './object-key.js';
import type { ObjectEntry, ObjectStore, StoredObject } from './object-store.js';

/** What reading needs of an `ObjectStore`. */
export interface StoreReader extends Pick<ObjectStore, 'description' | 'close'> {
  get(key: string): Promise<Pick<StoredObject, 'body'> | undefined>;
  /** In the order of the keys' UTF-8 bytes. */
  list(prefix: string): AsyncIterable<Pick<ObjectEntry, 'key' | 'size'>>;
  /** A local file with the object's bytes. */
  fetch(key: string): Promise<{ readonly file: string } | undefined>;
}

/**
 * Reads the objects of a folder that another process may own: unlike a `FolderStore` it takes no lock and creates,
 * removes and copies nothing. Files are read in place; each is replaced as a whole, so it is never half-written.
 */
export class FolderReader implements StoreReader {
  constructor(
    readonly description: string,
    private readonly root: string,
  ) {}

  async get(key: string): Promise<Pick<StoredObject, 'body'> | undefined> {
    const path = this.pathOf(key);
    return withStoreErrors('read', key, async () => {
      try {
        return { body: await readFile(path) };
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
    });
  }

  async *list(prefix: string): AsyncIterable<Pick<ObjectEntry, 'key' | 'size'>> {
    assertPrefix(prefix);
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    const keys = (await this.filesBelow(folder))
      .map((name) => folder + name)
      .filter((key) => key.startsWith(prefix) && isKey(key));
    for (const key of keys.sort()) {
      const size = await this.sizeOf(key);
      if (size !== undefined) yield { key, size };
    }
  }

  async fetch(key: string): Promise<{ readonly file: string }> {
    return { file: this.pathOf(key) };
  }

  async close(): Promise<void> {}

  /** Bytes; `undefined` if the object was deleted meanwhile. */
  private sizeOf(key: string): Promise<number | undefined> {
    return withStoreErrors('read', key, async () => {
      try {
        return (await stat(this.pathOf(key))).size;
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
    });
  }

  private pathOf(key: string): string {
    assertKey(key);
    return join(this.root, key);
  }

  private filesBelow(folder: string): Promise<string[]> {
    return withStoreErrors('list', folder, async () => {
      try {
        const entries = await readdir(join(this.root, folder), { recursive: true, withFileTypes: true });
        const prefix = join(this.root, folder, '/').length;
        return entries
          .filter((entry) => entry.isFile())
          .map(({ parentPath, name }) => join(parentPath, name).slice(prefix));
      } catch (error) {
        if (isAbsent(error)) return [];
        throw error;
      }
    });
  }
}
