import { isKept } from '../domain/retention.js';
import type { SelectResult } from '../pipeline/stage-contracts.js';
import type { Unit } from '../pipeline/units.js';
import { readExperiments } from '../state/experiments.js';
import { partitionFilesOf } from '../state/partition-files.js';
import { readFirstDays } from '../state/retention.js';
import { EMPTY_QUERY } from '../state/rulebook.js';
import type { Duck } from '../storage/duck.js';
import { lookAhead } from '../storage/look-ahead.js';
import type { ObjectStore } from '../storage/object-store.js';
import { dayParts } from '../storage/parts.js';
import type { IsForced, PublishCounts } from '../storage/publish.js';
import { lookAtBases } from './base-facts.js';
import { compareJudged, JUDGED, type JudgeAhead, judgeDay, type RulebookSource } from './judge-day.js';

interface DaysAhead extends JudgeAhead {
  /** Those of the given days that have a base and are kept. */
  readonly stored: readonly string[];
}

/**
 * Reads all ETags first, so that unchanged days cost no requests of their own: those of the derived objects, then those of
 * the base, then the rules. In this order, a concurrent writer can at most cause a day to be judged once more.
 * @param observed the newest time of MLflow's responses, ms
 * @returns `undefined` if no day has a base
 */
async function lookAtDays(
  store: ObjectStore,
  rulebook: RulebookSource,
  days: readonly string[],
  observed?: number,
  forced?: IsForced,
): Promise<DaysAhead | undefined> {
  if (days.length === 0) return undefined;
  const files = partitionFilesOf(store);
  const datasets = ['_sums', ...JUDGED, '_base'] as const;
  const look = await lookAhead(store, [{ datasets, days }], files.known);
  const stored: string[] = [];
  const first = await readFirstDays(store);
  for (const day of days) {
    if (!isKept(first, '_base', day)) continue;
    if ((await lookAtBases(look, day, await files.on(day))).length > 0) stored.push(day);
  }
  if (stored.length === 0) return undefined;
  return {
    look,
    forced,
    stored,
    rulebook: await rulebook.rulebookFor(() => EMPTY_QUERY, observed),
    experiments: await readExperiments(store),
    first,
  };
}

/**
 * Judges units.
 * @param observed the newest time of MLflow's responses, ms
 * @param heartbeat called after each unit
 * @param forced writes exactly these objects
 */
export async function judgeDays(
  store: ObjectStore,
  duck: Duck,
  rulebook: RulebookSource,
  units: readonly Unit[],
  heartbeat: () => void,
  observed?: number,
  forced?: IsForced,
): Promise<PublishCounts> {
  const counts = { written: 0, unchanged: 0 };
  const days = units.map(({ day }) => day);
  const ahead = await lookAtDays(store, rulebook, days, observed, forced);
  for (const unit of units.filter(({ day }) => ahead?.stored.includes(day))) {
    const { written, unchanged } = await judgeDay(store, duck, rulebook, unit, observed, ahead);
    counts.written += written;
    counts.unchanged += unchanged;
    heartbeat();
  }
  return counts;
}

/**
 * What to judge of days: those, or their parts, whose objects do not name the current facts and rules, or of which the
 * index does not know it. Downloads nothing.
 * @param all selects everything of the days that have a base
 * @param forced selects what has such objects, and nothing else
 * @param heartbeat called after each day
 */
export async function selectDaysToJudge(
  store: ObjectStore,
  duck: Duck,
  rulebook: RulebookSource,
  days: readonly string[],
  all: boolean,
  heartbeat: () => void,
  forced?: IsForced,
): Promise<SelectResult> {
  const selected: SelectResult = { units: [], partitions_unchanged: 0 };
  const ahead = await lookAtDays(store, rulebook, days, undefined, forced);
  if (!ahead) return selected;
  for (const day of ahead.stored) {
    for (const part of dayParts(day, await partitionFilesOf(store).on(day))) {
      const isCurrent = !all && (await compareJudged(store, duck, rulebook, part, ahead)) === 'current';
      if (isCurrent) selected.partitions_unchanged += JUDGED.length;
      else selected.units.push(part.files === 1 ? { day } : { day, part: part.part });
    }
    heartbeat();
  }
  return selected;
}
