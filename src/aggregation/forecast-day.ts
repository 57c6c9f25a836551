import { type FirstDays, isKept } from '../domain/retention.js';
import { addDays, MS_PER_DAY } from '../domain/time.js';
import { partitionFilesOf } from '../state/partition-files.js';
import { readFirstDays } from '../state/retention.js';
import { type Rulebook, readRulebook, settingsOn } from '../state/rulebook.js';
import {
  assertSupported,
  hasForecasts,
  OWN_VERSIONS,
  supports,
  type Versions,
  versionsInForce,
  versionsOfInputs,
} from '../state/versions.js';
import { type Duck, type DuckSession, sql } from '../storage/duck.js';
import { readFooter } from '../storage/footer.js';
import { partitionKey } from '../storage/keys.js';
import type { ObjectEntry, ObjectStore } from '../storage/object-store.js';
import { type DayPart, dayParts, partsSharedWith } from '../storage/parts.js';
import {
  type Ahead,
  type Comparison,
  compareDerived,
  fetchExactly,
  type Look,
  type Prepared,
  type Publication,
  type PublishCounts,
  publishDerived,
  recordedInputs,
} from '../storage/publish.js';
import { computeTails } from './compute-tails.js';
import { type FitAll, fitHere } from './known-fits.js';
import { areOf, lookFurther, namedTails, tailDigest } from './tail-inputs.js';

/** What is published together for the forecasts of a day. */
export const FORECAST = ['metric_forecast', '_tails'] as const;

/** What was read before forecasts are computed. `look` is the result of `lookFurther`. */
export interface ForecastAhead extends Ahead {
  readonly rulebook: Rulebook | undefined;
  readonly first: FirstDays;
}

/**
 * Publishes `metric_forecast` and `_tails` of all parts of a day from its `enriched_metrics` and the tails of the last stored day
 * before it, unless the stored objects name these inputs already.
 * @returns the numbers of objects of `metric_forecast`: `_tails` are internal and not counted
 * @throws {MonitorError} `older_rules` if this process is older than the store
 */
export async function forecastDay(
  store: ObjectStore,
  duck: Duck,
  day: string,
  ahead?: ForecastAhead,
  supported: Versions = OWN_VERSIONS,
  fitAll: FitAll = fitHere,
): Promise<PublishCounts> {
  const first = ahead?.first ?? (await readFirstDays(store));
  const total = { written: 0, unchanged: 0 };
  for (const part of dayParts(day, await partitionFilesOf(store).on(day))) {
    const keys = keysOf(part, first);
    if (keys.length === 0) continue;
    const counts = await duck.session((session) =>
      publishDerived(store, session, keys, publicationOf(store, session, part, supported, fitAll), ahead),
    );
    if (counts.written > 0) total.written++;
    else if (counts.unchanged > 0) total.unchanged++;
  }
  return total;
}

/** Whether `forecastDay` would find all objects of a part up to date. Downloads nothing. */
export function compareForecast(
  store: ObjectStore,
  duck: Duck,
  part: DayPart,
  ahead: ForecastAhead,
  supported: Versions = OWN_VERSIONS,
): Promise<Comparison> {
  const keys = keysOf(part, ahead.first);
  if (keys.length === 0) return Promise.resolve('none');
  return duck.session((session) =>
    compareDerived(store, keys, publicationOf(store, session, part, supported), ahead),
  );
}

const keysOf = ({ day, part }: DayPart, first: FirstDays): string[] =>
  FORECAST.filter((dataset) => isKept(first, 'enriched_metrics', day) && isKept(first, dataset, day)).map(
    (dataset) => partitionKey(dataset, day, part),
  );

const publicationOf = (
  store: ObjectStore,
  session: DuckSession,
  part: DayPart,
  supported: Versions,
  fitAll: FitAll = fitHere,
): Publication<ForecastAhead> => ({
  recorded: (file) => readFooter(session, file, 'inputs'),
  prepare: (read) => prepare(store, session, part, read, supported, fitAll),
});

async function prepare(
  store: ObjectStore,
  session: DuckSession,
  part: DayPart,
  ahead: ForecastAhead | undefined,
  supported: Versions,
  fitAll: FitAll,
): Promise<Prepared | undefined> {
  const { day } = part;
  const book = ahead ? ahead.rulebook : await readRulebook(store);
  const versions = versionsInForce(book);
  assertSupported(supported, versions);
  if (!book || !hasForecasts(versions)) return undefined;
  const look = ahead?.look ?? lookFurther(store, [day]);
  const replaced = await look(partitionKey('_tails', day, part.part));
  const enriched = await look(partitionKey('enriched_metrics', day, part.part));
  const recorded = (file: string) => readFooter(session, file, 'inputs');
  const enrichedInputs = enriched && (await recordedInputs(store, enriched, recorded));
  // Until it is judged by the versions in force, it lacks the columns that a forecast needs.
  if (!enriched || !enrichedInputs || !supports(versionsOfInputs(enrichedInputs), versions)) return undefined;
  const lookbackDays = settingsOn(book, day).forecast_lookback_days;
  const tails = await tailsBefore(store, look, part, lookbackDays);
  const before: string[] = [];
  for (const tail of tails) before.push(await tailDigest(store, session, tail, ahead?.fetch));
  let inputs = namedTails(versions, before, enrichedInputs);
  if (replaced && tails.length === 0) {
    // The days before were deleted: what was computed from them stays as long as the day itself does not change.
    const first = ahead?.first ?? (await readFirstDays(store));
    const named = await recordedInputs(store, replaced, recorded);
    const isCutOff = !isKept(first, 'enriched_metrics', addDays(day, -lookbackDays));
    if (isCutOff && named !== undefined && areOf(named, enrichedInputs)) inputs = named;
  }
  let tail: string | undefined;
  const compute = async (): Promise<string> => {
    const files = {
      enriched: await fetchExactly(store, enriched),
      before: await fetchAll(store, tails),
      replaced: replaced && (await fetchExactly(store, replaced)),
    };
    return computeTails(session, part, files, lookbackDays * MS_PER_DAY, versions.rules, fitAll);
  };
  return {
    inputs,
    write: async (key, file) => {
      tail ??= await compute();
      const footer = { day, file, inputs, schema: String(versions.schema) };
      if (key.startsWith('_tails/')) {
        await session.run(sql(import.meta.url, './sql/copy_tails.sql'), { ...footer, tail });
      } else await session.run(sql(import.meta.url, './sql/copy_metric_forecast.sql'), footer);
    },
    factsOf: (key) => (key.startsWith('_tails/') ? { tail } : {}),
  };
}

async function fetchAll(store: ObjectStore, entries: readonly ObjectEntry[]): Promise<string[]> {
  const files: string[] = [];
  for (const entry of entries) files.push(await fetchExactly(store, entry));
  return files;
}

/** The tails of the last stored day before a day, at most `days` back, that may have applications of the part. */
async function tailsBefore(
  store: ObjectStore,
  look: Look,
  { day, ...own }: DayPart,
  days: number,
): Promise<ObjectEntry[]> {
  for (let back = 1; back <= days; back++) {
    const date = addDays(day, -back);
    const found: ObjectEntry[] = [];
    for (const part of partsSharedWith(own, await partitionFilesOf(store).on(date))) {
      const entry = await look(partitionKey('_tails', date, part));
      if (entry) found.push(entry);
    }
    if (found.length > 0) return found;
  }
  return [];
}
