import type { RebuildResult, SelectResult } from '../pipeline/stage-contracts.js';
import { partitionFilesOf } from '../state/partition-files.js';
import { readFirstDays } from '../state/retention.js';
import { readRulebook } from '../state/rulebook.js';
import {
  assertSupported,
  hasForecasts,
  OWN_VERSIONS,
  type Versions,
  versionsInForce,
} from '../state/versions.js';
import type { Duck } from '../storage/duck.js';
import { partitionKey } from '../storage/keys.js';
import { lookAhead } from '../storage/look-ahead.js';
import type { ObjectStore } from '../storage/object-store.js';
import { dayParts } from '../storage/parts.js';
import type { Comparison, IsForced } from '../storage/publish.js';
import { compareForecast, FORECAST, type ForecastAhead, forecastDay } from './forecast-day.js';
import { type FitAll, fitHere } from './known-fits.js';
import { lookFurther } from './tail-inputs.js';

/** Reads the ETags of the derived objects first, then those of their inputs, then the rules, as `rebuild-days.ts` does. */
async function lookAtDays(
  store: ObjectStore,
  days: readonly string[],
  supported: Versions,
  forced?: IsForced,
): Promise<ForecastAhead> {
  const groups = [
    { datasets: FORECAST, days },
    { datasets: ['enriched_metrics'] as const, days },
  ];
  const look = lookFurther(store, days, await lookAhead(store, groups, partitionFilesOf(store).known));
  const rulebook = await readRulebook(store);
  assertSupported(supported, versionsInForce(rulebook));
  return { look, forced, rulebook, first: days.length > 0 ? await readFirstDays(store) : {} };
}

/**
 * Publishes the forecasts of the given days, in this order: each continues those of the day before.
 * @param heartbeat called after each day
 * @throws {MonitorError} `older_rules` if this process is older than the store
 */
export async function forecastDays(
  store: ObjectStore,
  duck: Duck,
  days: readonly string[],
  heartbeat: () => void,
  supported: Versions = OWN_VERSIONS,
  fitAll: FitAll = fitHere,
  forced?: IsForced,
): Promise<RebuildResult> {
  const result: RebuildResult = { days: [], partitions_written: 0, partitions_unchanged: 0 };
  for (const day of days) {
    const ahead = await lookAtDays(store, [day], supported, forced);
    const counts = await forecastDay(store, duck, day, ahead, supported, fitAll);
    heartbeat();
    if (counts.written + counts.unchanged === 0) continue;
    result.days.push(day);
    result.partitions_written += counts.written;
    result.partitions_unchanged += counts.unchanged;
  }
  return result;
}

/**
 * The days whose forecasts to compute, oldest first: the first day whose forecasts do not name their current inputs, or of which
 * the index does not know it, and all stored days after it, as each continues the one before. Downloads nothing.
 * @param days ascending
 * @param heartbeat called after each day
 * @throws {MonitorError} `older_rules` if this process is older than the store
 */
export async function selectDaysToForecast(
  store: ObjectStore,
  duck: Duck,
  days: readonly string[],
  heartbeat: () => void,
  supported: Versions = OWN_VERSIONS,
  forced?: IsForced,
): Promise<SelectResult> {
  const selected: SelectResult = { units: [], partitions_unchanged: 0 };
  const ahead = await lookAtDays(store, days, supported, forced);
  if (!hasForecasts(versionsInForce(ahead.rulebook))) return selected;
  const partsOf = partitionFilesOf(store);
  for (const day of days) {
    // Most days after today have no runs.
    if (!(await ahead.look(partitionKey('enriched_metrics', day)))) continue;
    const parts = dayParts(day, await partsOf.on(day));
    const compared: Comparison[] = [];
    if (selected.units.length === 0 || forced) {
      for (const part of parts) compared.push(await compareForecast(store, duck, part, ahead, supported));
    }
    heartbeat();
    if (compared.length === 0 || compared.includes('outdated')) selected.units.push({ day });
    else selected.partitions_unchanged += compared.filter((each) => each === 'current').length;
  }
  return selected;
}
