import { dayOfKey } from './keys.js';
import type { ObjectEntry, ObjectStore } from './object-store.js';

/** The experiments of a base object and the names of their metrics, both sorted. */
export type DayPairs = readonly (readonly [experiment_id: string, metric_names: readonly string[]])[];

/** What is known about the content of an object: `inputs` of a derived object, `base` of a base object. */
export interface ObjectFacts {
  /** Digest of the inputs that the object was made from. */
  readonly inputs?: string;
  readonly base?: { readonly content: string; readonly pairs: DayPairs };
}

export type IndexedObject = Pick<ObjectEntry, 'key' | 'etag'>;

/**
 * What this process knows about the content of objects, so that they need not be downloaded. The bytes of an ETag of a key
 * never change, so a fact is true for as long as a listing or HEAD shows its ETag; any other is not trusted.
 */
export class ObjectIndex {
  private readonly objects = new Map<string, { readonly etag: string; readonly facts: ObjectFacts }>();

  /** @param entry as listed or returned by HEAD just now */
  find({ key, etag }: IndexedObject): ObjectFacts | undefined {
    const known = this.objects.get(key);
    return known?.etag === etag ? known.facts : undefined;
  }

  /** Remembers what an object with this ETag contains, as read from it or as written to it. */
  learn({ key, etag }: IndexedObject, facts: ObjectFacts): void {
    if (dayOfKey(key) !== undefined) this.objects.set(key, { etag, facts });
  }
}

const indexes = new WeakMap<ObjectStore, ObjectIndex>();

/** The index of a store, which everything in this process shares. */
export function indexOf(store: ObjectStore): ObjectIndex {
  let index = indexes.get(store);
  if (!index) {
    index = new ObjectIndex();
    indexes.set(store, index);
  }
  return index;
}
