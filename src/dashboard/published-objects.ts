import { concurrently } from '../config/concurrently.js';
import { groupBy } from '../domain/group-by.js';
import { partitionFilesOf } from '../state/partition-files.js';
import { type Dataset, dayOfKey, dayPrefix, partOfKey } from '../storage/keys.js';
import type { ObjectEntry, ObjectStore } from '../storage/object-store.js';
import { partOf } from '../storage/parts.js';

/** Published objects, as listed, by key. */
export type Published = ReadonlyMap<string, ObjectEntry>;

export type ListObjects = (prefix: string) => Promise<readonly ObjectEntry[]>;

/** The objects whose keys begin with a prefix. */
export async function listAll(store: ObjectStore, prefix: string): Promise<ObjectEntry[]> {
  const entries: ObjectEntry[] = [];
  for await (const entry of store.list(prefix)) entries.push(entry);
  return entries;
}

/** The published objects of these UTC days. Lists whole months. */
export async function listPublished(
  list: ListObjects,
  datasets: readonly Dataset[],
  days: readonly string[],
): Promise<Published> {
  const wanted = new Set(days);
  const months = new Set(days.map((day) => day.slice(0, 7).replace('-', '/')));
  const prefixes = datasets.flatMap((dataset) => [...months].map((month) => `${dataset}/${month}/`));
  const listings = await concurrently(prefixes, list);
  const entries = listings.flat().filter(({ key }) => wanted.has(dayOfKey(key) ?? ''));
  return new Map(entries.map((entry) => [entry.key, entry]));
}

/**
 * A dataset's objects, in the order of `days`; days without an object are skipped.
 * @param applications only the parts with these applications are needed; undefined: all parts
 */
export async function entriesOf(
  store: ObjectStore,
  published: Published,
  dataset: Dataset,
  days: readonly string[],
  applications?: readonly string[],
): Promise<ObjectEntry[]> {
  const byPrefix = groupBy([...published.values()], ({ key }) => key.slice(0, key.lastIndexOf('/') + 1));
  const entries: ObjectEntry[] = [];
  for (const day of days) {
    const parts = byPrefix.get(dayPrefix(dataset, day)) ?? [];
    entries.push(...(applications ? await withApplications(store, day, parts, applications) : parts));
  }
  return entries;
}

/** Local files of objects, in their order; those that were deleted since they were listed are skipped. */
export async function fetchFiles(store: ObjectStore, entries: readonly ObjectEntry[]): Promise<string[]> {
  const stored = await concurrently(entries, (entry) => store.fetch(entry.key, entry));
  return stored.flatMap((object) => (object ? [object.file] : []));
}

/** Local files of the objects of `entriesOf`. */
export async function filesOf(...wanted: Parameters<typeof entriesOf>): Promise<string[]> {
  return fetchFiles(wanted[0], await entriesOf(...wanted));
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
