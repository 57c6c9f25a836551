import { type Dataset, partitionKey } from './keys.js';
import { indexOf } from './object-index.js';
import type { ObjectEntry, ObjectStore } from './object-store.js';
import type { Look } from './publish.js';

/** The objects of these datasets and days. */
export interface LookedAt {
  readonly datasets: readonly Dataset[];
  /** `YYYY-MM-DD` */
  readonly days: Iterable<string>;
}

/** More months than this are listed with the rest of their dataset: a page of a listing holds three years. */
const MAX_MONTHS = 3;

/**
 * Reads the ETags of many objects with few requests, and what the index knows about them. The datasets are read in the
 * given order: derived objects before their inputs, so that a concurrent writer can only cause needless work.
 */
export async function lookAhead(store: ObjectStore, groups: readonly LookedAt[]): Promise<Look> {
  const found = new Map<string, ObjectEntry | undefined>();
  for (const { datasets, days } of groups) {
    const wanted = [...new Set(days)];
    for (const dataset of datasets) await readEntries(store, dataset, wanted, found);
  }
  const entries = [...found.values()].filter((entry) => entry !== undefined);
  await indexOf(store).load(entries);
  return async (key) => (found.has(key) ? found.get(key) : store.head(key));
}

/** @param found gets an entry of each day; undefined if there is no object */
async function readEntries(
  store: ObjectStore,
  dataset: Dataset,
  days: readonly string[],
  found: Map<string, ObjectEntry | undefined>,
): Promise<void> {
  const months = new Set(days.map((day) => day.slice(0, 7).replace('-', '/')));
  if (days.length <= months.size) {
    for (const key of days.map((day) => partitionKey(dataset, day))) found.set(key, await store.head(key));
    return;
  }
  for (const day of days) found.set(partitionKey(dataset, day), undefined);
  const isWhole = months.size > MAX_MONTHS;
  const prefixes = isWhole ? [`${dataset}/`] : [...months].map((month) => `${dataset}/${month}/`);
  for (const prefix of prefixes) {
    for await (const entry of store.list(prefix)) {
      if (found.has(entry.key)) found.set(entry.key, entry);
    }
  }
}
