import { groupBy } from '../domain/group-by.js';
import { brokenKeyOf, type Document, ifReadable, readDocument, updateDocument } from './json-document.js';
import { KeyedMutex } from './keyed-mutex.js';
import { PUBLISHED_DATASETS } from './keys.js';
import {
  LATEST_KEY,
  LATEST_PREFIX,
  type LatestHead,
  type LatestMonth,
  type LatestObject,
  latestHeadSchema,
  latestMonthKey,
  latestMonthOf,
  latestMonthSchema,
  withMonths,
} from './latest-document.js';
import { listKeys } from './list-keys.js';
import type { ObjectEntry, ObjectStore } from './object-store.js';

/** An object that was put or read. */
export interface PublishedObject extends ObjectEntry {
  /** null: not known. */
  readonly rows: number | null;
  /** The ETag that the put replaced; null: there was no object. Absent if the object was only read. */
  readonly replaced?: string | null | undefined;
}

/**
 * Keeps `_latest.json` and its parts, which name the newest objects of each dataset for readers (docs/datasets.md). An object is
 * named only after its put, so a process that is killed in between leaves an older entry, never one of an object that did not
 * exist. Whoever finds the object then names it, and so does the next `repair`.
 */
export class LatestObjects {
  /** By key, what the documents may not name yet. */
  private readonly unsaved = new Map<string, PublishedObject>();
  /** Months that the head has, as far as this process knows. */
  private readonly months = new Set<string>();
  private readonly knownHead = new Map<string, Document<LatestHead>>();
  private readonly knownMonths = new Map<string, Document<LatestMonth>>();
  /** Jobs that end at the same time would lose races for a part against each other. */
  private readonly mutex = new KeyedMutex();

  constructor(private readonly store: ObjectStore) {}

  /** Remembers an object of a published dataset; others are ignored. */
  learn(object: PublishedObject): void {
    if (!latestMonthOf(object.key)) return;
    const earlier = this.unsaved.get(object.key);
    // What readers know is what the first of several unsaved puts replaced.
    const replaced = earlier ? earlier.replaced : object.replaced;
    this.unsaved.set(object.key, { ...object, replaced });
  }

  /** Writes what this process has learned: the months concerned, and the head if one of them is new. */
  save(): Promise<void> {
    return this.mutex.run('save', () => this.saveUnsaved());
  }

  private async saveUnsaved(): Promise<void> {
    const months = groupBy([...this.unsaved.values()], ({ key }) => latestMonthOf(key) ?? '');
    for (const [month, learned] of months) {
      await this.saveMonth(month, learned);
      for (const object of learned) {
        if (this.unsaved.get(object.key) === object) this.unsaved.delete(object.key);
      }
    }
    const unknown = [...months.keys()].filter((month) => !this.months.has(month));
    if (unknown.length > 0) await this.addToHead(unknown);
  }

  /** Records until when everything is published. Called after all objects were saved. @param watermark ms */
  async setWatermark(watermark: number): Promise<void> {
    await this.save();
    const text = new Date(watermark).toISOString();
    await this.updateHead((head) => head && { ...head, watermark: text });
  }

  /** Removes objects that are about to be deleted. */
  async remove(keys: readonly string[]): Promise<void> {
    const published = keys.filter((key) => latestMonthOf(key));
    for (const [month, ofMonth] of groupBy(published, (key) => latestMonthOf(key) ?? '')) {
      const removed = new Set(ofMonth);
      for (const key of removed) this.unsaved.delete(key);
      await this.updateMonth(month, async (current) => {
        if (!current) return undefined;
        const left = Object.entries(current.objects).filter(([key]) => !removed.has(key));
        return { version: 1, objects: Object.fromEntries(left) };
      });
    }
  }

  /**
   * Makes all documents equal to the listed objects, with what they know already. Finds what killed processes, older releases
   * and people have put or deleted.
   */
  async repair(): Promise<void> {
    // First the documents, then the objects: whoever puts an object later saves it later.
    this.knownHead.clear();
    const stored = new Map<string, LatestMonth | undefined>();
    for await (const key of listKeys(this.store, LATEST_PREFIX)) {
      const month = key.slice(LATEST_PREFIX.length).replace(/\.json$/, '');
      stored.set(month, await this.readMonth(month));
    }
    const listed = await this.list('');
    for (const [month, entries] of listed) {
      if (names(stored.get(month), entries)) continue;
      this.knownMonths.delete(latestMonthKey(month));
      await this.updateMonth(month, (current) => this.fromListing(month, current));
    }
    const emptied = new Set([...stored.keys()].filter((month) => !listed.has(month)));
    await this.updateReadable(LATEST_KEY, () =>
      updateDocument(this.store, LATEST_KEY, latestHeadSchema, (head) =>
        withMonths(head, listed.keys(), emptied),
      ),
    );
    for (const month of emptied) await this.store.delete(latestMonthKey(month));
    for (const month of listed.keys()) this.months.add(month);
    for (const month of emptied) this.months.delete(month);
  }

  private readMonth(month: string): Promise<LatestMonth | undefined> {
    return ifReadable(readDocument(this.store, latestMonthKey(month), latestMonthSchema)).then(
      (document) => document?.value,
    );
  }

  private async saveMonth(month: string, learned: readonly PublishedObject[]): Promise<void> {
    await this.updateMonth(month, async (current) => {
      // A part that names only what one process has learned would not be complete.
      const objects = current ? { ...current.objects } : (await this.fromListing(month, current)).objects;
      for (const object of learned) {
        if (await this.isNewest(object, objects[object.key])) objects[object.key] = described(object);
      }
      return { version: 1, objects };
    });
  }

  /** Whether an object is newer than what the document names. Asks the store only if another writer was there as well. */
  private async isNewest(object: PublishedObject, named: LatestObject | undefined): Promise<boolean> {
    if (named?.etag === object.etag) return object.rows !== null;
    if ((named ? named.etag : null) === object.replaced) return true;
    return (await this.store.head(object.key))?.etag === object.etag;
  }

  /** The part of a month as listed now, with the numbers of rows that its document has. @param known read before */
  private async fromListing(month: string, known: LatestMonth | undefined): Promise<LatestMonth> {
    const entries = (await this.list(month)).get(month) ?? [];
    const objects = entries.map((entry) => {
      const named = known?.objects[entry.key];
      const rows = named?.etag === entry.etag ? named.rows : null;
      return [entry.key, described({ ...entry, rows })] as const;
    });
    return { version: 1, objects: Object.fromEntries(objects) };
  }

  /** The published objects by month. @param month only those of this month; empty: of all */
  private async list(month: string): Promise<Map<string, ObjectEntry[]>> {
    const entries: ObjectEntry[] = [];
    for (const dataset of PUBLISHED_DATASETS) {
      const prefix = month ? `${dataset}/${month.replace('-', '/')}/` : `${dataset}/`;
      for await (const entry of this.store.list(prefix)) if (latestMonthOf(entry.key)) entries.push(entry);
    }
    return groupBy(entries, ({ key }) => latestMonthOf(key) ?? '');
  }

  private async addToHead(months: readonly string[]): Promise<void> {
    await this.updateHead((head) => withMonths(head, months));
    for (const month of months) this.months.add(month);
  }

  /** A store without a head has never had one, or has lost it: all its objects are listed first. */
  private async updateHead(change: (head: LatestHead) => LatestHead): Promise<void> {
    let isMissing = false;
    const update = () =>
      updateDocument(
        this.store,
        LATEST_KEY,
        latestHeadSchema,
        (head) => {
          isMissing = head === undefined;
          return head && change(head);
        },
        { known: this.knownHead },
      );
    await this.updateReadable(LATEST_KEY, update);
    if (!isMissing) return;
    await this.repair();
    await update();
  }

  private async updateMonth(
    month: string,
    change: (current: LatestMonth | undefined) => Promise<LatestMonth | undefined>,
  ): Promise<void> {
    const key = latestMonthKey(month);
    await this.updateReadable(key, () =>
      updateDocument(this.store, key, latestMonthSchema, change, { known: this.knownMonths }),
    );
  }

  /** A document that cannot be read is written anew. */
  private async updateReadable(key: string, update: () => Promise<unknown>): Promise<void> {
    try {
      await update();
    } catch (error) {
      if (brokenKeyOf(error) !== key) throw error;
      await this.store.delete(key);
      await update();
    }
  }
}

const described = ({ etag, size, rows }: Omit<PublishedObject, 'key' | 'replaced'>): LatestObject => ({
  etag,
  size,
  rows,
});

/** Whether a part names exactly the listed objects. */
const names = (month: LatestMonth | undefined, entries: readonly ObjectEntry[]): boolean =>
  month !== undefined &&
  Object.keys(month.objects).length === entries.length &&
  entries.every(({ key, etag }) => month.objects[key]?.etag === etag);

const instances = new WeakMap<ObjectStore, LatestObjects>();

/** The latest objects of a store, which everything in this process shares. */
export function latestOf(store: ObjectStore): LatestObjects {
  let latest = instances.get(store);
  if (!latest) {
    latest = new LatestObjects(store);
    instances.set(store, latest);
  }
  return latest;
}
