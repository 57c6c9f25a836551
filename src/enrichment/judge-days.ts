import { readExperiments } from '../state/experiments.js';
import { partitionFilesOf } from '../state/partition-files.js';
import { EMPTY_QUERY } from '../state/rulebook.js';
import type { Duck } from '../storage/duck.js';
import { lookAhead } from '../storage/look-ahead.js';
import type { ObjectStore } from '../storage/object-store.js';
import { lookAtBases } from './base-facts.js';
import { JUDGED, judgeDay, type RulebookSource } from './judge-day.js';

export interface JudgedDays {
  /** Those of the given days that have a base. */
  readonly days: string[];
  readonly written: number;
  readonly unchanged: number;
}

/**
 * Judges days. Reads all ETags first, so that unchanged days cost no requests of their own: those of the derived objects,
 * then those of the base, then the rules. In this order, a concurrent writer can at most cause a day to be judged once more.
 * @param observed the newest time of MLflow's responses, ms
 * @param heartbeat called after each day
 */
export async function judgeDays(
  store: ObjectStore,
  duck: Duck,
  rulebook: RulebookSource,
  days: readonly string[],
  heartbeat: () => void,
  observed?: number,
): Promise<JudgedDays> {
  const files = partitionFilesOf(store);
  const datasets = ['_sums', ...JUDGED, '_base'] as const;
  const look = await lookAhead(store, [{ datasets, days }], files.known);
  const judged: string[] = [];
  for (const day of days) {
    if ((await lookAtBases(look, day, await files.on(day))).length > 0) judged.push(day);
  }
  const counts = { written: 0, unchanged: 0 };
  if (judged.length === 0) return { days: judged, ...counts };
  const ahead = {
    look,
    rulebook: await rulebook.rulebookFor(() => EMPTY_QUERY, observed),
    experiments: await readExperiments(store),
  };
  for (const day of judged) {
    const { written, unchanged } = await judgeDay(store, duck, rulebook, day, observed, ahead);
    counts.written += written;
    counts.unchanged += unchanged;
    heartbeat();
  }
  return { days: judged, ...counts };
}
