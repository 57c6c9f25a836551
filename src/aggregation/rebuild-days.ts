import { LOOK_BACK_DAYS } from '../domain/moving-statistics.js';
import { addDays } from '../domain/time.js';
import type { RebuildResult, SelectResult } from '../pipeline/stage-contracts.js';
import type { Unit } from '../pipeline/units.js';
import { partitionFilesOf } from '../state/partition-files.js';
import { readFirstDays } from '../state/retention.js';
import { readRulebook } from '../state/rulebook.js';
import { assertSupported, OWN_VERSIONS, type Versions, versionsInForce } from '../state/versions.js';
import type { Duck } from '../storage/duck.js';
import { lookAhead } from '../storage/look-ahead.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { IsForced } from '../storage/publish.js';
import { AGGREGATED, compareDay, type RebuildAhead, rebuildDay } from './rebuild-day.js';

/** The days whose aggregates depend on the given days: each of these and the 7 days after it, newest first. */
export function dependentDays(touched: Iterable<string>): string[] {
  const days = new Set<string>();
  for (const day of touched) {
    for (let ahead = 0; ahead <= LOOK_BACK_DAYS; ahead++) days.add(addDays(day, ahead));
  }
  return [...days].sort().reverse();
}

/** The given days and the 7 days before each of them. */
function lookedBackOn(days: readonly string[]): Set<string> {
  const all = new Set<string>();
  for (const day of days) for (let back = 0; back <= LOOK_BACK_DAYS; back++) all.add(addDays(day, -back));
  return all;
}

/**
 * Reads all ETags first: those of the aggregates, then those of the judged datasets, then the rules. In this order, a
 * concurrent writer can at most cause a day to be rebuilt once more.
 * @throws {MonitorError} `older_rules` if this process is older than the store
 */
async function lookAtDays(
  store: ObjectStore,
  days: readonly string[],
  supported: Versions,
  forced?: IsForced,
): Promise<RebuildAhead> {
  const groups = [
    { datasets: AGGREGATED, days },
    { datasets: ['_tails'] as const, days },
    { datasets: ['runs', 'enriched_metrics', '_sums'] as const, days: lookedBackOn(days) },
  ];
  const look = await lookAhead(store, groups, partitionFilesOf(store).known);
  const rulebook = await readRulebook(store);
  // Also without any day: a pipeline run of an older process does not count as published.
  assertSupported(supported, versionsInForce(rulebook));
  return { look, forced, rulebook, first: days.length > 0 ? await readFirstDays(store) : {} };
}

/**
 * Rebuilds the aggregates of the given units, in this order, where the inputs that they name differ from the current ones.
 * @param heartbeat called after each unit
 * @throws {MonitorError} `older_rules` if this process is older than the store
 */
export async function rebuildDays(
  store: ObjectStore,
  duck: Duck,
  units: readonly Unit[],
  heartbeat: () => void,
  supported: Versions = OWN_VERSIONS,
  datasets: readonly (typeof AGGREGATED)[number][] = AGGREGATED,
  forced?: IsForced,
): Promise<RebuildResult> {
  const result: RebuildResult = { days: [], partitions_written: 0, partitions_unchanged: 0 };
  const days = units.map(({ day }) => day);
  const ahead = await lookAtDays(store, days, supported, forced);
  for (const unit of units) {
    const counts = await rebuildDay(store, duck, unit, ahead, supported, datasets);
    heartbeat();
    if (counts.written + counts.unchanged === 0) continue;
    result.days.push(unit.day);
    result.partitions_written += counts.written;
    result.partitions_unchanged += counts.unchanged;
  }
  return result;
}

/**
 * What to rebuild of the given days, in their order: the units with an aggregate that does not name its current inputs, or
 * of which the index does not know it. Downloads nothing.
 * @param heartbeat called after each day
 * @throws {MonitorError} `older_rules` if this process is older than the store
 */
export async function selectDaysToRebuild(
  store: ObjectStore,
  duck: Duck,
  days: readonly string[],
  heartbeat: () => void,
  supported: Versions = OWN_VERSIONS,
  forced?: IsForced,
): Promise<SelectResult> {
  const selected: SelectResult = { units: [], partitions_unchanged: 0 };
  const ahead = await lookAtDays(store, days, supported, forced);
  for (const day of days) {
    const { outdated, current } = await compareDay(store, duck, day, ahead, supported);
    heartbeat();
    selected.units.push(...outdated);
    selected.partitions_unchanged += current;
  }
  return selected;
}
