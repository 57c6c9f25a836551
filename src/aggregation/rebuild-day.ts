import { createHash } from 'node:crypto';
import { LOOK_BACK_DAYS } from '../domain/moving-statistics.js';
import { type FirstDays, isComputable, isKept } from '../domain/retention.js';
import { addDays } from '../domain/time.js';
import { PLATFORM, type Unit, unitId } from '../pipeline/units.js';
import { partitionFilesOf } from '../state/partition-files.js';
import { readFirstDays } from '../state/retention.js';
import { type Rulebook, readRulebook, settingsOn } from '../state/rulebook.js';
import {
  assertSupported,
  hasForecasts,
  namedInputs,
  OWN_VERSIONS,
  settingsOfInputs,
  type Versions,
  versionsInForce,
} from '../state/versions.js';
import { type Duck, type DuckSession, sql } from '../storage/duck.js';
import { readFooter } from '../storage/footer.js';
import { partitionKey } from '../storage/keys.js';
import type { ObjectEntry, ObjectStore } from '../storage/object-store.js';
import { type DayPart, dayParts, partsSharedWith } from '../storage/parts.js';
import {
  type Ahead,
  compareDerived,
  fetchExactly,
  type Look,
  lookAt,
  type Prepared,
  type Publication,
  type PublishCounts,
  publishDerived,
  recordedInputs,
} from '../storage/publish.js';
import { type EnrichedPart, loadSums, removeComputed } from '../storage/series-sums.js';
import {
  computeApplications,
  computeAverages,
  computePlatform,
  countHours,
  daysBefore,
  readForecasts,
} from './compute-day.js';
import { areOf } from './tail-inputs.js';

export const AGGREGATED = ['metric_timeseries', 'application_summary', 'platform_summary'] as const;

/** What was read before days are rebuilt. */
export interface RebuildAhead extends Ahead {
  readonly rulebook: Rulebook | undefined;
  readonly first: FirstDays;
}

/** The forecasts of rows change when those of earlier days do. */
const OF_METRICS = ['metric_timeseries'] as const;
/** Divided into parts, as the one above. The others are one object. */
const OF_APPLICATIONS = ['application_summary'] as const;
const OF_PLATFORM = ['platform_summary'] as const;
export const SUMMARIES = [...OF_APPLICATIONS, ...OF_PLATFORM] as const;

/** Aggregates of a day that are computed together. */
export interface RebuildUnit {
  readonly day: string;
  /** What the job that computes only these is for. */
  readonly unit: Unit;
  /** The part of the applications whose rows are read; undefined: those of all. */
  readonly part: DayPart | undefined;
  readonly datasets: readonly (typeof AGGREGATED)[number][];
}

/** The summaries of a day with one part are computed together; otherwise those of each part, and the platform from all parts. */
function rebuildUnits({ day, part: wanted }: Unit, files: number): RebuildUnit[] {
  const parts = dayParts(day, files);
  const units = parts.flatMap((part): RebuildUnit[] => {
    const unit = files === 1 ? { day } : { day, part: part.part };
    const summaries = files === 1 ? SUMMARIES : OF_APPLICATIONS;
    return [OF_METRICS, summaries].map((datasets) => ({ day, unit, part, datasets }));
  });
  if (files === 1) return units;
  units.push({ day, unit: { day, part: PLATFORM }, part: undefined, datasets: OF_PLATFORM });
  return units.filter(({ unit }) => wanted === undefined || wanted === unit.part);
}

/** Rebuilds the aggregates of a unit. A day without judged runs has none. */
export async function rebuildDay(
  store: ObjectStore,
  duck: Duck,
  unit: Unit,
  ahead?: RebuildAhead,
  supported: Versions = OWN_VERSIONS,
  datasets: readonly (typeof AGGREGATED)[number][] = AGGREGATED,
): Promise<PublishCounts> {
  const counts = { written: 0, unchanged: 0 };
  const files = await partsIfJudged(store, ahead?.look ?? lookAt(store), unit.day);
  for (const each of rebuildUnits(unit, files)) {
    if (!each.datasets.some((dataset) => datasets.includes(dataset))) continue;
    const { written, unchanged } = await rebuildUnit(store, duck, each, ahead, supported);
    counts.written += written;
    counts.unchanged += unchanged;
  }
  return counts;
}

/** The number of parts of a day, which matters only if it has judged runs: most days after today have none. */
async function partsIfJudged(store: ObjectStore, look: Look, day: string): Promise<number> {
  const files = partitionFilesOf(store);
  const known = await files.known(day);
  if (known !== undefined) return known;
  return (await look(partitionKey('runs', day))) ? files.on(day) : 1;
}

/**
 * Publishes aggregates of one day from the judged datasets of that day and the 7 days before it, unless the stored objects
 * name these inputs already. Downloaded, and only to write: the rows that lights and moving averages need, and the sums of
 * the 7 days. Those of a day whose inputs are not kept stay as they are.
 * @throws {MonitorError} `older_rules` if this process is older than the store
 */
async function rebuildUnit(
  store: ObjectStore,
  duck: Duck,
  unit: RebuildUnit,
  ahead?: RebuildAhead,
  supported: Versions = OWN_VERSIONS,
): Promise<PublishCounts> {
  const keys = keysOf(unit, ahead?.first ?? (await readFirstDays(store)));
  if (keys.length === 0) return { written: 0, unchanged: 0 };
  return duck.session((session) =>
    publishDerived(store, session, keys, publicationOf(store, session, unit, supported), ahead),
  );
}

/**
 * Which units of a day have aggregates that are not up to date, and how many aggregates are. Downloads nothing.
 * @throws {MonitorError} as `rebuildUnit`
 */
export async function compareDay(
  store: ObjectStore,
  duck: Duck,
  day: string,
  ahead: RebuildAhead,
  supported: Versions = OWN_VERSIONS,
): Promise<{ readonly outdated: readonly Unit[]; readonly current: number }> {
  const outdated = new Map<string, Unit>();
  let current = 0;
  // A day that only follows a changed one may have no runs: then there is nothing to compare.
  if (!(await ahead.look(partitionKey('runs', day)))) return { outdated: [], current };
  for (const unit of rebuildUnits({ day }, await partitionFilesOf(store).on(day))) {
    const keys = keysOf(unit, ahead.first);
    if (keys.length === 0) continue;
    const comparison = await duck.session((session) =>
      compareDerived(store, keys, publicationOf(store, session, unit, supported), ahead),
    );
    if (comparison === 'outdated') outdated.set(unitId(unit.unit), unit.unit);
    if (comparison === 'current') current += keys.length;
  }
  return { outdated: [...outdated.values()], current };
}

/** None if what they are computed from is not kept. */
const keysOf = ({ day, part, datasets }: RebuildUnit, first: FirstDays): string[] =>
  datasets
    .filter((dataset) => isComputable(first, day) && isKept(first, dataset, day))
    .map((dataset) => partitionKey(dataset, day, part?.part));

const publicationOf = (
  store: ObjectStore,
  session: DuckSession,
  unit: RebuildUnit,
  supported: Versions,
): Publication<RebuildAhead> => ({
  recorded: (file) => readFooter(session, file, 'inputs'),
  prepare: (read) => prepare(store, session, unit, read, supported),
});

async function prepare(
  store: ObjectStore,
  session: DuckSession,
  unit: RebuildUnit,
  ahead: RebuildAhead | undefined,
  supported: Versions,
): Promise<Prepared | undefined> {
  const { day } = unit;
  const book = ahead ? ahead.rulebook : await readRulebook(store);
  if (!book) return undefined;
  const settings = settingsOn(book, day);
  const versions = versionsInForce(book);
  assertSupported(supported, versions);
  const look = ahead?.look ?? lookAt(store);
  const judged = await lookAtJudged(store, look, unit);
  if (!judged) return undefined;
  const inputsOf = async (entry: ObjectEntry) =>
    (await recordedInputs(store, entry, (file) => readFooter(session, file, 'inputs'))) ?? '';
  const named: string[][] = [];
  for (const { day: date, runs, enriched } of judged) {
    named.push([date, await inputsOf(runs), await inputsOf(enriched)]);
  }
  const tails = hasForecasts(versions) ? await lookAtTails(look, inputsOf, unit, judged) : undefined;
  // The order of the keys is part of the digest.
  const digest = createHash('sha256')
    .update(
      JSON.stringify({
        judged: named,
        settings: settingsOfInputs(versions, settings),
        ...(tails ? { tails: tails.inputs } : {}),
      }),
    )
    .digest('hex');
  const inputs = namedInputs(versions, digest);
  const footer = { inputs, schema: String(versions.schema) };
  const fetchAll = async (entries: readonly ObjectEntry[]): Promise<string[]> => {
    const files = [];
    for (const entry of entries) files.push(await fetchExactly(store, entry));
    return files;
  };
  const back = daysBefore(settings);
  const since = (days: number) => judged.filter((each) => each.day >= addDays(day, -days));
  const compute = async (): Promise<void> => {
    if (unit.part && unit.datasets.includes('metric_timeseries')) {
      const enriched = await fetchAll(since(back.enriched).map((each) => each.enriched));
      const entry = tails?.entry;
      const forecasts = entry && (await readForecasts(session, await fetchExactly(store, entry)));
      await computeAverages(session, unit.part, enriched, settings, forecasts);
      return;
    }
    const runs = await fetchAll(since(back.runs).map((each) => each.runs));
    const hours = await countHours(session, runs, settings, unit.part);
    if (unit.datasets.includes('platform_summary')) await computePlatform(session, day, hours, settings);
    if (!unit.part) return;
    const [enriched = ''] = await fetchAll(since(0).map((each) => each.enriched));
    const sums = await loadSums(store, session, look, judged);
    try {
      await computeApplications(session, unit.part, hours, { enriched, sums: sums.files }, settings);
    } finally {
      await removeComputed(sums);
    }
  };
  let computed: Promise<void> | undefined;
  return {
    inputs,
    write: async (key, file) => {
      computed ??= compute();
      await computed;
      if (key.startsWith('platform_summary/')) {
        await session.run(sql(import.meta.url, './sql/copy_platform_summary.sql'), {
          file,
          ...footer,
          runs: await fetchAll(since(0).map(({ runs }) => runs)),
          count_nested_runs: settings.count_nested_runs,
        });
        return;
      }
      const [enriched = ''] = await fetchAll(since(0).map((each) => each.enriched));
      const statement = key.startsWith('metric_timeseries/')
        ? sql(import.meta.url, './sql/copy_metric_timeseries.sql')
        : sql(import.meta.url, './sql/copy_application_summary.sql');
      await session.run(statement, { file, ...footer, enriched });
    },
  };
}

/** The tails with the forecasts of the rows of a part. `inputs` and `entry`: null and absent while they are not of its rows. */
interface TailsOfPart {
  readonly inputs: string | null;
  readonly entry?: ObjectEntry;
}

/** @returns undefined if the unit needs none */
async function lookAtTails(
  look: Look,
  inputsOf: (entry: ObjectEntry) => Promise<string>,
  { day, part, datasets }: RebuildUnit,
  judged: readonly JudgedPart[],
): Promise<TailsOfPart | undefined> {
  const enriched = judged.find((each) => each.day === day && each.part === part?.part)?.enriched;
  if (!part || !enriched || !datasets.includes('metric_timeseries')) return undefined;
  const entry = await look(partitionKey('_tails', day, part.part));
  const inputs = entry && (await inputsOf(entry));
  if (!entry || !inputs || !areOf(inputs, await inputsOf(enriched))) return { inputs: null };
  return { inputs, entry };
}

interface JudgedPart extends EnrichedPart {
  readonly runs: ObjectEntry;
}

/**
 * The judged objects of the day and the 7 days before it with applications of the unit, oldest day first. Those of earlier
 * days that do not exist are left out.
 * @returns undefined if one of the day itself does not exist
 */
async function lookAtJudged(
  store: ObjectStore,
  look: Look,
  { day, part: own }: RebuildUnit,
): Promise<JudgedPart[] | undefined> {
  const judged: JudgedPart[] = [];
  for (let back = LOOK_BACK_DAYS; back >= 0; back--) {
    const date = addDays(day, -back);
    const files = await partsIfJudged(store, look, date);
    const parts = own ? partsSharedWith(own, files) : dayParts(date, files).map(({ part }) => part);
    for (const part of parts) {
      const runs = await look(partitionKey('runs', date, part));
      const enriched = await look(partitionKey('enriched_metrics', date, part));
      if (runs && enriched) judged.push({ day: date, part, runs, enriched });
      else if (back === 0) return undefined;
    }
  }
  return judged;
}
