import { concurrently } from '../config/concurrently.js';
import { addDays, dayOf } from '../domain/time.js';
import { type DerivedDataset, dayOfKey, partitionKey } from '../storage/keys.js';
import type { ObjectEntry, ObjectStore } from '../storage/object-store.js';

const READ = ['runs', 'enriched_metrics', 'application_summary', 'platform_summary'] as const;

/** The published objects that the page is built from, as listed, by key. */
export type Published = ReadonlyMap<string, ObjectEntry>;

/** @param count number of UTC days, the last one being the day of `now` (ms) */
export async function listPublished(store: ObjectStore, now: number, count: number): Promise<Published> {
  const today = dayOf(now);
  const first = addDays(today, 1 - count);
  const months = new Set<string>();
  for (let back = 0; back < count; back++) months.add(addDays(today, -back).slice(0, 7).replace('-', '/'));
  const prefixes = READ.flatMap((dataset) => [...months].map((month) => `${dataset}/${month}/`));
  const listings = await Promise.all(
    prefixes.map(async (prefix) => {
      const objects: [key: string, entry: ObjectEntry][] = [];
      for await (const entry of store.list(prefix)) {
        const day = dayOfKey(entry.key);
        if (day !== undefined && day >= first && day <= today) objects.push([entry.key, entry]);
      }
      return objects;
    }),
  );
  return new Map(listings.flat());
}

/** Local files of a dataset's objects, in the order of `days`; days without an object are skipped. */
export async function filesOf(
  store: ObjectStore,
  published: Published,
  dataset: DerivedDataset,
  days: readonly string[],
): Promise<string[]> {
  const entries = days.flatMap((day) => published.get(partitionKey(dataset, day)) ?? []);
  const stored = await concurrently(entries, (entry) => store.fetch(entry.key, entry));
  return stored.flatMap((object) => (object ? [object.file] : []));
}

/** The days whose objects differ, newest first. */
export function changedDays(before: Published, after: Published): string[] {
  const days = new Set<string>();
  for (const key of [...before.keys(), ...after.keys()]) {
    const day = dayOfKey(key);
    if (day !== undefined && before.get(key)?.etag !== after.get(key)?.etag) days.add(day);
  }
  return [...days].sort().reverse();
}
