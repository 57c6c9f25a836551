import { groupBy } from '../domain/group-by.js';
import { reportError } from '../observability/report-error.js';
import {
  decodeIndex,
  encodeIndex,
  INDEX_PREFIX,
  type IndexedFacts,
  indexKey,
  indexSchema,
  type ObjectFacts,
  textsOf,
} from './index-document.js';
import { brokenKeyOf, ifReadable, readDocument, updateDocument } from './json-document.js';
import { dayOfKey } from './keys.js';
import { latestOf } from './latest-objects.js';
import type { ObjectEntry, ObjectStore } from './object-store.js';

export type IndexedObject = Pick<ObjectEntry, 'key' | 'etag'>;

/** Bytes of memory for the facts of bases, roughly. The oldest are forgotten. */
const MAX_BYTES = 50 * 2 ** 20;
/** A day with more than this is read whenever its facts are needed. */
const MAX_DAY_BYTES = 200_000;
const BYTES_PER_EXPERIMENT = 60;
const MAX_LISTS = 10_000;

const monthOf = (key: string): string => dayOfKey(key)?.slice(0, 7) ?? '';

/**
 * What is known about the content of objects, so that they need not be downloaded: by this process, and by the documents
 * below `_state/index/`, one per month. The bytes of an ETag of a key never change, so a fact is true for as long as a
 * listing or HEAD shows its ETag; any other is not trusted. Whatever is lost costs only reads.
 */
export class ObjectIndex {
  private readonly objects = new Map<string, IndexedFacts & { readonly bytes: number }>();
  /** Lists of names by their JSON text: days share them. */
  private readonly lists = new Map<string, readonly string[]>();
  private bytes = 0;
  /** Keys whose facts are not in the documents yet. */
  private readonly unsaved = new Set<string>();
  /** By month: the ETag of the document that was read last. */
  private readonly read = new Map<string, string>();

  private readonly scope: string;

  constructor(private readonly store: ObjectStore) {
    this.scope = store.etagScope ?? store.description;
  }

  /** @param entry as listed or returned by HEAD just now */
  find({ key, etag }: IndexedObject): ObjectFacts | undefined {
    const known = this.objects.get(key);
    return known?.etag === etag ? known.facts : undefined;
  }

  /** Remembers what an object with this ETag contains, as read from it or as written to it. */
  learn(entry: IndexedObject, facts: ObjectFacts): void {
    if (monthOf(entry.key) && this.remember(entry, facts)) this.unsaved.add(entry.key);
  }

  /** Reads the documents of the months of these objects, if this process does not know them all and they have changed. */
  async load(entries: readonly IndexedObject[]): Promise<void> {
    const unknown = entries.filter((entry) => !this.find(entry));
    const byMonth = groupBy(unknown, ({ key }) => monthOf(key));
    const current = await this.documents([...byMonth.keys()]);
    for (const [month, wanted] of byMonth) {
      const etag = current.get(indexKey(month));
      if (etag === undefined || this.read.get(month) === etag) continue;
      // A document that cannot be read knows nothing; the next save replaces it.
      const document = await ifReadable(readDocument(this.store, indexKey(month), indexSchema));
      this.read.set(month, document?.etag ?? etag);
      const listed = new Map(wanted.map((entry) => [entry.key, entry.etag]));
      for (const [key, { etag: known, facts }] of decodeIndex(document?.value, this.scope)) {
        if (this.objects.has(key) && listed.get(key) !== known) continue;
        this.remember({ key, etag: known }, facts);
        this.unsaved.delete(key);
      }
    }
  }

  /**
   * Merges what this process has learned into the documents. An error is reported: the index only saves reads. The documents for
   * readers are written before: an object that the index does not know is read again, and then named there.
   */
  async save(): Promise<void> {
    try {
      await latestOf(this.store).save();
    } catch (error) {
      reportError(error, { stage: 'index', prefix: 'The list of the latest objects was not saved' });
      return;
    }
    for (const [month, keys] of groupBy([...this.unsaved], monthOf)) {
      try {
        await this.saveMonth(month, keys);
      } catch (error) {
        reportError(error, { stage: 'index', prefix: 'The index of objects was not saved' });
      }
    }
  }

  /** The ETags of the documents, by key. */
  private async documents(months: readonly string[]): Promise<Map<string, string>> {
    const etags = new Map<string, string>();
    const [first, second] = months;
    if (first === undefined) return etags;
    if (second === undefined) {
      const entry = await this.store.head(indexKey(first));
      return entry ? etags.set(entry.key, entry.etag) : etags;
    }
    for await (const { key, etag } of this.store.list(INDEX_PREFIX)) etags.set(key, etag);
    return etags;
  }

  private async saveMonth(month: string, keys: readonly string[]): Promise<void> {
    const learned = new Map(
      keys.flatMap((key) => {
        const known = this.objects.get(key);
        return known ? [[key, known] as const] : [];
      }),
    );
    const update = () =>
      updateDocument(this.store, indexKey(month), indexSchema, (current) =>
        encodeIndex(new Map([...decodeIndex(current, this.scope), ...learned]), this.scope),
      );
    try {
      await update();
    } catch (error) {
      if (brokenKeyOf(error) === undefined) throw error;
      await this.store.delete(indexKey(month));
      await update();
    }
    for (const key of keys) {
      if (this.objects.get(key) === learned.get(key)) this.unsaved.delete(key);
    }
  }

  /** @returns false if there is too much to remember */
  private remember({ key, etag }: IndexedObject, facts: ObjectFacts): boolean {
    this.forget(key);
    const { base, grouped } = facts;
    if (base) {
      const { content, pairs } = base;
      const [lists, bytes] = this.share(
        pairs.map(([, names]) => names),
        pairs.map(([id]) => id),
      );
      const shared = pairs.map(([id], i) => [id, lists[i] ?? []] as const);
      return this.keep(key, { etag, facts: { base: { content, pairs: shared } }, bytes });
    }
    if (grouped) {
      const { tag, groups } = grouped;
      const [lists, bytes] = this.share(
        groups.map(({ names }) => names),
        groups.flatMap(textsOf),
      );
      const shared = groups.map((group, i) => ({ ...group, names: lists[i] ?? [] }));
      return this.keep(key, { etag, facts: { grouped: { tag, groups: shared } }, bytes });
    }
    return this.keep(key, { etag, facts, bytes: 0 });
  }

  private keep(key: string, known: IndexedFacts & { readonly bytes: number }): boolean {
    if (known.bytes > MAX_DAY_BYTES) return false;
    this.objects.set(key, known);
    this.bytes += known.bytes;
    for (const [oldest, { bytes }] of this.objects) {
      if (this.bytes <= MAX_BYTES) break;
      if (bytes > 0) this.forget(oldest);
    }
    return true;
  }

  /** @returns the same lists, which days share, and how much memory they and the other texts take, bytes */
  private share(
    lists: readonly (readonly string[])[],
    others: readonly string[],
  ): [readonly (readonly string[])[], number] {
    const texts = lists.map((names) => JSON.stringify(names));
    const bytes = [...others, ...new Set(texts)].reduce(
      (sum, text) => sum + text.length,
      lists.length * BYTES_PER_EXPERIMENT,
    );
    // Too much is not remembered.
    if (bytes > MAX_DAY_BYTES) return [lists, bytes];
    return [lists.map((names, i) => this.shared(texts[i] ?? '', names)), bytes];
  }

  private forget(key: string): void {
    this.bytes -= this.objects.get(key)?.bytes ?? 0;
    this.objects.delete(key);
    this.unsaved.delete(key);
  }

  private shared(text: string, names: readonly string[]): readonly string[] {
    const known = this.lists.get(text);
    if (known) return known;
    if (this.lists.size >= MAX_LISTS) this.lists.clear();
    this.lists.set(text, names);
    return names;
  }
}

const indexes = new WeakMap<ObjectStore, ObjectIndex>();

/** The index of a store, which everything in this process shares. */
export function indexOf(store: ObjectStore): ObjectIndex {
  let index = indexes.get(store);
  if (!index) {
    index = new ObjectIndex(store);
    indexes.set(store, index);
  }
  return index;
}
