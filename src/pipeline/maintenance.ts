import type { RetentionDays } from '../domain/retention.js';
import { clearQuarantine } from '../state/quarantine-list.js';
import { latestOf } from '../storage/latest-objects.js';
import type { ObjectStore } from '../storage/object-store.js';
import { clearFinishedRuns } from './clear-finished-runs.js';
import { applyRetention } from './retention.js';

/** How often the scheduler calls `maintain` once everything is done, ms. */
export const MAINTENANCE_PERIOD_MS = 3_600_000;

/**
 * Deletes what is no longer needed (docs/storage.md lists what is kept how long), and repairs what readers find the newest
 * objects by. Idempotent; any number of schedulers may call it at once.
 * @param now ms
 * @returns whether everything is done; if not, the caller calls again soon, so that one call does not delay the schedule
 */
export async function maintain(store: ObjectStore, days: RetentionDays, now: number): Promise<boolean> {
  await clearQuarantine(store, now);
  const done = [await clearFinishedRuns(store, now), await applyRetention(store, days, now)];
  if (!done.every(Boolean)) return false;
  await latestOf(store).repair();
  return true;
}
