import { LOOK_BACK_DAYS } from '../domain/moving-statistics.js';
import { addDays } from '../domain/time.js';
import type { RebuildResult } from '../pipeline/stage-contracts.js';
import type { Duck } from '../storage/duck.js';
import type { ObjectStore } from '../storage/object-store.js';
import { rebuildDay } from './rebuild-day.js';

/** The days whose aggregates depend on the given days: each of these and the 7 days after it, newest first. */
export function dependentDays(touched: Iterable<string>): string[] {
  const days = new Set<string>();
  for (const day of touched) {
    for (let ahead = 0; ahead <= LOOK_BACK_DAYS; ahead++) days.add(addDays(day, ahead));
  }
  return [...days].sort().reverse();
}

/**
 * Rebuilds the aggregates of the given days, in this order, where the inputs that they name differ from the current ones.
 * @param heartbeat called after each day
 */
export async function rebuildDays(
  store: ObjectStore,
  duck: Duck,
  days: readonly string[],
  heartbeat: () => void,
): Promise<RebuildResult> {
  const result: RebuildResult = { days: [], partitions_written: 0, partitions_unchanged: 0 };
  for (const day of days) {
    const counts = await rebuildDay(store, duck, day);
    heartbeat();
    if (counts.written + counts.unchanged === 0) continue;
    result.days.push(day);
    result.partitions_written += counts.written;
    result.partitions_unchanged += counts.unchanged;
  }
  return result;
}
