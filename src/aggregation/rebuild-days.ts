import { LOOK_BACK_DAYS } from '../domain/moving-statistics.js';
import { addDays } from '../domain/time.js';
import type { RebuildResult } from '../pipeline/stage-contracts.js';
import { type RebuildTools, rebuildDay } from './rebuild-day.js';

/** The days whose aggregates depend on the touched days: these and the 7 after each, newest first. */
export function dependentDays(touched: Iterable<string>): string[] {
  const days = new Set<string>();
  for (const day of touched)
    for (let ahead = 0; ahead <= LOOK_BACK_DAYS; ahead++) days.add(addDays(day, ahead));
  return [...days].sort().reverse();
}

/**
 * Rebuilds the given days, in their order, where the recorded inputs differ from today's.
 * @param heartbeat called after each day
 */
export async function rebuildDays(
  tools: RebuildTools,
  days: readonly string[],
  heartbeat: () => void,
): Promise<RebuildResult> {
  const result: RebuildResult = { days: [], partitions_written: 0, partitions_unchanged: 0 };
  for (const day of days) {
    const counts = await rebuildDay(tools, day);
    heartbeat();
    if (counts.written + counts.unchanged === 0) continue;
    result.days.push(day);
    result.partitions_written += counts.written;
    result.partitions_unchanged += counts.unchanged;
  }
  return result;
}
