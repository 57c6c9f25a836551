import { randomUUID } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { reportError } from '../observability/report-error.js';
import { isAbsent } from './folder-files.js';

export interface EtagTableOptions {
  /** Above this number of entries the least recently used are forgotten. */
  readonly maxEntries?: number;
  /** Entries of files that this process has not seen which a close checks, so that it is quick. */
  readonly maxChecked?: number;
  /** The table is saved after so many changes, so that a process that is killed loses no more than these. */
  readonly saveAfter?: number;
}

interface Entry {
  /** Time of the last change in ns, size and inode of the file for which the ETag is right. */
  readonly stamp: string;
  readonly etag: string;
  /** Whether this process has used the entry. */
  readonly isUsed: boolean;
}

const DEFAULTS = { maxEntries: 50_000, maxChecked: 5_000, saveAfter: 1_000 };
const LINE = /^([0-9a-f]{64}) (\d+-\d+-\d+) (.+)$/;

/**
 * The ETags of the files of a folder, so that an unchanged file need not be read again to learn its ETag, also after a
 * restart. An entry counts only while its file has the same stamp. A lost or damaged table costs only reads.
 */
export class EtagTable {
  /** By path relative to the folder, least recently used first. */
  private readonly entries = new Map<string, Entry>();
  private changes = 0;
  private saving: Promise<void> | undefined;

  private constructor(
    private readonly file: string,
    private readonly folder: string,
    private readonly temp: string,
    private readonly options: Required<EtagTableOptions>,
  ) {}

  /**
   * @param file of the table
   * @param folder of the files
   * @param temp an existing folder on the same file system, for temporary files
   */
  static async open(
    file: string,
    folder: string,
    temp: string,
    options: EtagTableOptions = {},
  ): Promise<EtagTable> {
    const table = new EtagTable(file, folder, temp, { ...DEFAULTS, ...options });
    const text = await readFile(file, 'utf8').catch(() => '');
    for (const line of text.split('\n')) {
      const [, etag, stamp, path] = LINE.exec(line) ?? [];
      if (etag && stamp && path) table.entries.set(path, { stamp, etag, isUsed: false });
    }
    table.trim();
    return table;
  }

  get(path: string, stats: BigIntStats): string | undefined {
    const entry = this.entries.get(path);
    if (entry?.stamp !== stampOf(stats)) return undefined;
    this.entries.delete(path);
    this.entries.set(path, { ...entry, isUsed: true });
    return entry.etag;
  }

  set(path: string, stats: BigIntStats, etag: string): void {
    this.entries.delete(path);
    this.entries.set(path, { stamp: stampOf(stats), etag, isUsed: true });
    this.trim();
    this.changed();
  }

  delete(path: string): void {
    if (this.entries.delete(path)) this.changed();
  }

  /** Forgets files that are gone, and saves the table if it has changed. */
  async close(): Promise<void> {
    await this.saving;
    const unseen = [...this.entries].filter(([, { isUsed }]) => !isUsed);
    const checked = unseen.slice(0, this.options.maxChecked);
    for (const [path, entry] of checked) {
      await stat(join(this.folder, path)).catch((error: unknown) => {
        if (isAbsent(error)) this.delete(path);
      });
      // Behind those that were not checked, so that the next close checks these.
      if (unseen.length > checked.length && this.entries.delete(path)) {
        this.entries.set(path, entry);
        this.changes++;
      }
    }
    if (this.changes > 0) await this.save();
  }

  private changed(): void {
    this.changes++;
    if (this.changes < this.options.saveAfter || this.saving) return;
    this.saving = this.save().finally(() => {
      this.saving = undefined;
    });
  }

  private async save(): Promise<void> {
    this.changes = 0;
    const temp = join(this.temp, randomUUID());
    const lines = [...this.entries].map(([path, { stamp, etag }]) => `${etag} ${stamp} ${path}\n`);
    try {
      await writeFile(temp, lines.join(''));
      await rename(temp, this.file);
    } catch (error) {
      reportError(error, { stage: 'index', upstream: 'store', prefix: 'The table of ETags was not saved' });
    } finally {
      await rm(temp, { force: true });
    }
  }

  private trim(): void {
    for (const path of this.entries.keys()) {
      if (this.entries.size <= this.options.maxEntries) return;
      this.entries.delete(path);
    }
  }
}

const stampOf = ({ mtimeNs, size, ino }: BigIntStats): string => `${mtimeNs}-${size}-${ino}`;
