import { dayOf } from '../domain/time.js';
import { ifReadable, readCachedDocument } from '../storage/json-document.js';
import { dayOfKey } from '../storage/keys.js';
import {
  LATEST_KEY,
  latestHeadSchema,
  latestMonthKey,
  latestMonthSchema,
} from '../storage/latest-document.js';
import type { ObjectStore } from '../storage/object-store.js';

/** The UTC days, `YYYY-MM-DD` and sorted, of stored runs that are in no status because of their time. */
export interface MisdatedDays {
  /** Before the year 2000. */
  readonly early: readonly string[];
  /** After the current day. */
  readonly future: readonly string[];
}

const FIRST_PLAUSIBLE_MONTH = '2000-01';

/**
 * Reads which days have runs whose time cannot be right from the list of the newest objects. A store without that list has no
 * such days: the next pipeline run writes it.
 * @param now ms
 */
export async function loadMisdatedDays(store: ObjectStore, now: number): Promise<MisdatedDays> {
  const today = dayOf(now);
  const head = await ifReadable(readCachedDocument(store, LATEST_KEY, latestHeadSchema));
  const months = (head?.value.months ?? []).filter(
    (month) => month < FIRST_PLAUSIBLE_MONTH || month >= today.slice(0, 7),
  );
  const days = new Set<string>();
  for (const month of months) {
    const part = await ifReadable(readCachedDocument(store, latestMonthKey(month), latestMonthSchema));
    for (const [key, { rows }] of Object.entries(part?.value.objects ?? {})) {
      const day = dayOfKey(key);
      // An object stays without rows when all runs of its day are gone.
      if (day !== undefined && key.startsWith('runs/') && rows !== 0) days.add(day);
    }
  }
  const sorted = [...days].sort();
  return {
    early: sorted.filter((day) => day < FIRST_PLAUSIBLE_MONTH),
    future: sorted.filter((day) => day > today),
  };
}
