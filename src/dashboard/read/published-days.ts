import type { Dataset } from '../../storage/keys.js';
import type { ObjectEntry, ObjectStore } from '../../storage/object-store.js';
import { listAll, listPublished, type Published } from '../published-objects.js';

/** How long a listing is used again, unless this process publishes something. */
const FRESH_MS = 5_000;

/** Lists the published objects of days, so that requests in a row do not list the same months. */
export class PublishedDays {
  private readonly listings = new Map<
    string,
    { readonly at: number; readonly entries: Promise<ObjectEntry[]> }
  >();

  constructor(private readonly store: ObjectStore) {}

  /** Makes the next request list the objects again. */
  invalidate(): void {
    this.listings.clear();
  }

  of(datasets: readonly Dataset[], days: readonly string[]): Promise<Published> {
    return listPublished((prefix) => this.list(prefix), datasets, days);
  }

  private list(prefix: string): Promise<ObjectEntry[]> {
    // The oldest come first. A system clock that jumps must not matter.
    const now = performance.now();
    for (const [old, { at }] of this.listings) {
      if (at > now - FRESH_MS) break;
      this.listings.delete(old);
    }
    const known = this.listings.get(prefix);
    if (known) return known.entries;
    const entries = listAll(this.store, prefix);
    this.listings.set(prefix, { at: now, entries });
    entries.catch(() => this.listings.delete(prefix));
    return entries;
  }
}
