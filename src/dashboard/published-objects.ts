import { concurrently } from '../config/concurrently.js';
import { groupBy } from '../domain/group-by.js';
import { addDays, dayOf } from '../domain/time.js';
import { partitionFilesOf } from '../state/partition-files.js';
import { type DerivedDataset, dayOfKey, dayPrefix, partOfKey } from '../storage/keys.js';
import type { ObjectEntry, ObjectStore } from '../storage/object-store.js';
import { partOf } from '../storage/parts.js';

const READ = [
  'runs',
  'enriched_metrics',
  'metric_forecast',
  'application_summary',
  'platform_summary',
] as const;

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

/**
 * Local files of a dataset's objects, in the order of `days`; days without an object are skipped.
 * @param applications only the parts with these applications are needed; undefined: all parts
 */
export async function filesOf(
  store: ObjectStore,
  published: Published,
  dataset: DerivedDataset,
  days: readonly string[],
  applications?: readonly string[],
): Promise<string[]> {
  const byPrefix = groupBy([...published.values()], ({ key }) => key.slice(0, key.lastIndexOf('/') + 1));
  const entries: ObjectEntry[] = [];
  for (const day of days) {
    const parts = byPrefix.get(dayPrefix(dataset, day)) ?? [];
    entries.push(...(applications ? await withApplications(store, day, parts, applications) : parts));
  }
  const stored = await concurrently(entries, (entry) => store.fetch(entry.key, entry));
  return stored.flatMap((object) => (object ? [object.file] : []));
}

async function withApplications(
  store: ObjectStore,
  day: string,
  parts: readonly ObjectEntry[],
  applications: readonly string[],
): Promise<readonly ObjectEntry[]> {
  if (parts.length < 2) return parts;
  const files = await partitionFilesOf(store).on(day);
  const wanted = new Set(applications.map((application) => partOf(application, files)));
  return parts.filter(({ key }) => wanted.has(partOfKey(key) ?? 0));
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
