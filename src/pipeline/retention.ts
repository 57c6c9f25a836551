import { concurrently } from '../config/concurrently.js';
import {
  type FirstDays,
  firstDaysOn,
  laterOf,
  type RetentionDays,
  WITH_ENRICHED,
} from '../domain/retention.js';
import { dayOf } from '../domain/time.js';
import { advanceFirstDays, readFirstDays } from '../state/retention.js';
import { readWatermarks, type Watermarks } from '../state/watermarks.js';
import { INDEX_PREFIX, indexKey } from '../storage/index-document.js';
import { DERIVED_DATASETS } from '../storage/keys.js';
import { latestOf } from '../storage/latest-objects.js';
import type { ObjectEntry, ObjectStore } from '../storage/object-store.js';

/** Objects that one call deletes. */
const MAX_DELETES = 2_000;

/**
 * Deletes the days that are no longer kept. Records the first days before, so that whoever publishes from then on leaves
 * them alone. Somebody who looked before and puts after that only adds what the next call deletes. Idempotent.
 * @param now ms
 * @returns whether nothing is left to delete
 */
export async function applyRetention(store: ObjectStore, days: RetentionDays, now: number): Promise<boolean> {
  const wanted = wantedFirstDays(days, await readWatermarks(store), now);
  const isNew = Object.keys(wanted).length > 0;
  const first = isNew ? await advanceFirstDays(store, wanted) : await readFirstDays(store);
  const keys: string[] = [];
  for (const prefix of [...expiringPrefixes(first), INDEX_PREFIX]) {
    for await (const { key } of expired(store, prefix, first)) {
      if (keys.length >= MAX_DELETES) break;
      keys.push(key);
    }
  }
  await latestOf(store).remove(keys);
  await concurrently(keys, (key) => store.delete(key));
  return keys.length < MAX_DELETES;
}

/**
 * The first days that the settings ask for. Today is the earlier of this process's clock and the newest watermark, which is
 * a time of the tracking server: a clock that is far ahead must not delete everything. None before anything is published.
 */
export function wantedFirstDays(days: RetentionDays, watermarks: Watermarks, now: number): FirstDays {
  const published = Object.values(watermarks).reduce((newest, each) => Math.max(newest, each), 0);
  return published === 0 ? {} : firstDaysOn(dayOf(Math.min(now, published)), days);
}

export interface ExpiredDataset {
  readonly dataset: string;
  readonly first_day: string;
  readonly objects: number;
  readonly bytes: number;
}

/**
 * What `applyRetention` would delete, by dataset.
 * @param stored the first days that are stored
 * @param wanted those of the settings
 */
export async function planRetention(
  store: Lister,
  stored: FirstDays,
  wanted: FirstDays,
): Promise<ExpiredDataset[]> {
  const first = laterOf(stored, wanted);
  const planned: ExpiredDataset[] = [];
  for (const prefix of expiringPrefixes(first)) {
    const [dataset = ''] = prefix.split('/');
    let [objects, bytes] = [0, 0];
    for await (const { size } of expired(store, prefix, first)) {
      objects++;
      bytes += size;
    }
    planned.push({ dataset, first_day: firstDayBelow(prefix, first) ?? '', objects, bytes });
  }
  return planned;
}

interface Lister {
  list(prefix: string): AsyncIterable<Pick<ObjectEntry, 'key' | 'size'>>;
}

/** The prefixes below which there are days that are not kept. */
function expiringPrefixes(first: FirstDays): string[] {
  const withEnriched = first.enriched_metrics === undefined ? [] : WITH_ENRICHED;
  return [...Object.keys(first), ...withEnriched].map((dataset) => `${dataset}/`);
}

function firstDayBelow(prefix: string, first: FirstDays): string | undefined {
  const dataset = prefix.slice(0, -1);
  return first[WITH_ENRICHED.includes(dataset) ? 'enriched_metrics' : dataset];
}

/** The objects below a prefix that belong to days that are not kept. Keys are in the order of days. */
async function* expired(
  store: Lister,
  prefix: string,
  first: FirstDays,
): AsyncIterable<Pick<ObjectEntry, 'key' | 'size'>> {
  const day = firstDayBelow(prefix, first);
  const end = prefix === INDEX_PREFIX ? firstIndexKey(first) : `${prefix}${day?.replaceAll('-', '/')}`;
  if (end === undefined) return;
  for await (const entry of store.list(prefix)) {
    if (entry.key >= end) return;
    yield entry;
  }
}

/** The key of the first month of the index that still has objects; `undefined` if some dataset is kept for ever. */
function firstIndexKey(first: FirstDays): string | undefined {
  const months = [...DERIVED_DATASETS, '_base'].map((dataset) => first[dataset]?.slice(0, 7));
  if (months.some((month) => month === undefined)) return undefined;
  return indexKey(months.map((month) => month ?? '').sort()[0] ?? '');
}
