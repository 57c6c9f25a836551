import { createHash } from 'node:crypto';
import { LOOK_BACK_DAYS } from '../domain/moving-statistics.js';
import { addDays } from '../domain/time.js';
import { type Rulebook, readRulebook, settingsOn } from '../state/rulebook.js';
import {
  assertSupported,
  namedInputs,
  OWN_VERSIONS,
  type Versions,
  versionsInForce,
} from '../state/versions.js';
import { type Duck, type DuckSession, sql } from '../storage/duck.js';
import { readFooter } from '../storage/footer.js';
import { partitionKey } from '../storage/keys.js';
import type { ObjectEntry, ObjectStore } from '../storage/object-store.js';
import {
  type Ahead,
  fetchExactly,
  type Look,
  lookAt,
  type Prepared,
  type PublishCounts,
  publishDerived,
  recordedInputs,
} from '../storage/publish.js';
import { loadSums, removeComputed } from '../storage/series-sums.js';
import { computeDay, daysBefore } from './compute-day.js';

export const AGGREGATED = ['metric_timeseries', 'application_summary', 'platform_summary'] as const;

/** What was read before days are rebuilt. */
export interface RebuildAhead extends Ahead {
  readonly rulebook: Rulebook | undefined;
}

/**
 * Publishes the aggregates of one day from the judged datasets of that day and the 7 days before it, unless the stored
 * objects name these inputs already. A day without judged runs has no aggregates. Downloaded, and only to write: the rows
 * that lights and moving averages need, and the sums of the 7 days.
 * @throws {MonitorError} `older_rules` if this process is older than the store
 */
export function rebuildDay(
  store: ObjectStore,
  duck: Duck,
  day: string,
  ahead?: RebuildAhead,
  supported: Versions = OWN_VERSIONS,
): Promise<PublishCounts> {
  const keys = AGGREGATED.map((dataset) => partitionKey(dataset, day));
  return duck.session((session) => {
    const publication = {
      recorded: (file: string) => readFooter(session, file, 'inputs'),
      prepare: (read?: RebuildAhead) => prepare(store, session, day, read, supported),
    };
    return publishDerived(store, session, keys, publication, ahead);
  });
}

async function prepare(
  store: ObjectStore,
  session: DuckSession,
  day: string,
  ahead: RebuildAhead | undefined,
  supported: Versions,
): Promise<Prepared | undefined> {
  const book = ahead ? ahead.rulebook : await readRulebook(store);
  if (!book) return undefined;
  const settings = settingsOn(book, day);
  const versions = versionsInForce(book);
  assertSupported(supported, versions);
  const judged = await lookAtJudged(ahead?.look ?? lookAt(store), day);
  if (judged.at(-1)?.day !== day) return undefined;
  const inputsOf = async (entry: ObjectEntry) =>
    (await recordedInputs(store, entry, (file) => readFooter(session, file, 'inputs'))) ?? '';
  const named: string[][] = [];
  for (const { day: date, runs, enriched } of judged) {
    named.push([date, await inputsOf(runs), await inputsOf(enriched)]);
  }
  // The order of the keys is part of the digest.
  const digest = createHash('sha256')
    .update(JSON.stringify({ judged: named, settings }))
    .digest('hex');
  const inputs = namedInputs(versions, digest);
  const footer = { inputs, schema: String(versions.schema) };
  const fetchAll = async (entries: readonly ObjectEntry[]): Promise<string[]> => {
    const files = [];
    for (const entry of entries) files.push(await fetchExactly(store, entry));
    return files;
  };
  let computed: Promise<Today> | undefined;
  const compute = async (): Promise<Today> => {
    const back = daysBefore(settings);
    const since = (days: number) => judged.filter((each) => each.day >= addDays(day, -days));
    const runs = await fetchAll(since(back.runs).map((each) => each.runs));
    const enriched = await fetchAll(since(back.enriched).map((each) => each.enriched));
    const sums = await loadSums(store, session, ahead?.look ?? lookAt(store), judged);
    try {
      await computeDay(session, day, { runs, enriched, sums: sums.files }, settings);
    } finally {
      await removeComputed(sums);
    }
    return { runs: runs.at(-1) ?? '', enriched: enriched.at(-1) ?? '' };
  };
  return {
    inputs,
    write: async (key, file) => {
      computed ??= compute();
      const today = await computed;
      if (key.startsWith('metric_timeseries/')) {
        await session.run(sql(import.meta.url, './sql/copy_metric_timeseries.sql'), {
          file,
          ...footer,
          enriched: today.enriched,
        });
      } else if (key.startsWith('application_summary/')) {
        await session.run(sql(import.meta.url, './sql/copy_application_summary.sql'), {
          file,
          ...footer,
          enriched: today.enriched,
        });
      } else {
        await session.run(sql(import.meta.url, './sql/copy_platform_summary.sql'), {
          file,
          ...footer,
          runs: today.runs,
          count_nested_runs: settings.count_nested_runs,
        });
      }
    },
  };
}

/** The judged files of the day itself. */
interface Today {
  readonly runs: string;
  readonly enriched: string;
}

interface JudgedDay {
  readonly day: string;
  readonly runs: ObjectEntry;
  readonly enriched: ObjectEntry;
}

/** The judged objects of the day and the 7 days before it, oldest day first. Days without any are left out. */
async function lookAtJudged(look: Look, day: string): Promise<JudgedDay[]> {
  const judged: JudgedDay[] = [];
  for (let back = LOOK_BACK_DAYS; back >= 0; back--) {
    const date = addDays(day, -back);
    const runs = await look(partitionKey('runs', date));
    const enriched = await look(partitionKey('enriched_metrics', date));
    if (runs && enriched) judged.push({ day: date, runs, enriched });
  }
  return judged;
}
