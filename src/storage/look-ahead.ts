import { type Dataset, dayPrefix, partitionKey } from './keys.js';
import { indexOf } from './object-index.js';
import type { ObjectEntry, ObjectStore } from './object-store.js';
import type { Look } from './publish.js';

/** The objects of these datasets and days. */
export interface LookedAt {
  readonly datasets: readonly Dataset[];
  /** `YYYY-MM-DD` */
  readonly days: Iterable<string>;
}

/** The number of parts of a day, if it is known without a request. */
export type KnownPartsOf = (day: string) => Promise<number | undefined>;

/** More months than this are listed with the rest of their dataset: a page of a listing holds three years. */
const MAX_MONTHS = 3;

/**
 * Reads the ETags of many objects with few requests, and what the index knows about them. The datasets are read in the
 * given order: derived objects before their inputs, so that a concurrent writer can only cause needless work.
 * @param partsOf of a single day: one part needs no listing
 */
export async function lookAhead(
  store: ObjectStore,
  groups: readonly LookedAt[],
  partsOf: KnownPartsOf,
): Promise<Look> {
  const found = new Found();
  for (const { datasets, days } of groups) {
    const wanted = [...new Set(days)];
    for (const dataset of datasets) await readEntries(store, dataset, wanted, partsOf, found);
  }
  await indexOf(store).load([...found.entries.values()]);
  return async (key) => (found.has(key) ? found.entries.get(key) : store.head(key));
}

class Found {
  readonly entries = new Map<string, ObjectEntry>();
  /** The objects of one day of a dataset begin with this: all of them are known. */
  private readonly prefixes = new Set<string>();

  cover(dataset: Dataset, day: string): void {
    this.prefixes.add(dayPrefix(dataset, day));
  }

  has(key: string): boolean {
    return this.prefixes.has(key.slice(0, key.lastIndexOf('/') + 1));
  }

  add(entry: ObjectEntry): void {
    if (this.has(entry.key)) this.entries.set(entry.key, entry);
  }
}

async function readEntries(
  store: ObjectStore,
  dataset: Dataset,
  days: readonly string[],
  partsOf: KnownPartsOf,
  found: Found,
): Promise<void> {
  for (const day of days) found.cover(dataset, day);
  const months = new Set(days.map((day) => day.slice(0, 7).replace('-', '/')));
  const prefixes: string[] = [];
  if (days.length <= months.size) {
    for (const day of days) {
      if (dataset === 'platform_summary' || (await partsOf(day)) === 1) {
        const entry = await store.head(partitionKey(dataset, day));
        if (entry) found.add(entry);
      } else {
        prefixes.push(dayPrefix(dataset, day));
      }
    }
  } else if (months.size > MAX_MONTHS) {
    prefixes.push(`${dataset}/`);
  } else {
    for (const month of months) prefixes.push(`${dataset}/${month}/`);
  }
  for (const prefix of prefixes) {
    for await (const entry of store.list(prefix)) found.add(entry);
  }
}
