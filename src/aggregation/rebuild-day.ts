import { createHash } from 'node:crypto';
import { LOOK_BACK_DAYS } from '../domain/moving-statistics.js';
import { addDays } from '../domain/time.js';
import { readRulebook, settingsOn } from '../state/rulebook.js';
import { assertSupportedRules } from '../state/rules-version.js';
import { type Duck, type DuckSession, sql } from '../storage/duck.js';
import { readFooter } from '../storage/footer.js';
import { partitionKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import { type Prepared, type PublishCounts, publishDerived } from '../storage/publish.js';
import { computeDay, type JudgedFiles } from './compute-day.js';

const DATASETS = ['metric_timeseries', 'application_summary', 'platform_summary'] as const;

/**
 * Publishes the aggregates of one day from the judged datasets of that day and the 7 days before it, unless the stored
 * objects name these inputs already. A day without judged runs has no aggregates.
 */
export function rebuildDay(store: ObjectStore, duck: Duck, day: string): Promise<PublishCounts> {
  const keys = DATASETS.map((dataset) => partitionKey(dataset, day));
  return duck.session((session) =>
    publishDerived(store, session, keys, {
      recorded: (file) => readFooter(session, file, 'inputs'),
      prepare: () => prepare(store, session, day),
    }),
  );
}

async function prepare(store: ObjectStore, session: DuckSession, day: string): Promise<Prepared | undefined> {
  const book = await readRulebook(store);
  if (!book) return undefined;
  const settings = settingsOn(book, day);
  assertSupportedRules(settings);
  const judged = await loadJudged(store, session, day);
  if (!judged) return undefined;
  const { files, today } = judged;
  // The order of the keys is part of the digest.
  const inputs = createHash('sha256')
    .update(JSON.stringify({ judged: judged.inputs, settings }))
    .digest('hex');
  let computed: Promise<void> | undefined;
  return {
    inputs,
    write: async (key, file) => {
      computed ??= computeDay(session, day, files, settings);
      await computed;
      if (key.startsWith('metric_timeseries/')) {
        await session.run(sql(import.meta.url, './sql/copy_metric_timeseries.sql'), {
          file,
          inputs,
          enriched: today.enriched,
        });
      } else if (key.startsWith('application_summary/')) {
        await session.run(sql(import.meta.url, './sql/copy_application_summary.sql'), { file, inputs });
      } else {
        await session.run(sql(import.meta.url, './sql/copy_platform_summary.sql'), {
          file,
          inputs,
          runs: today.runs,
          count_nested_runs: settings.count_nested_runs,
        });
      }
    },
  };
}

interface Judged {
  readonly files: JudgedFiles;
  /** The files of the day itself. */
  readonly today: { readonly runs: string; readonly enriched: string };
  /** `[day, inputs of runs, inputs of enriched_metrics]`, oldest day first. */
  readonly inputs: readonly (readonly string[])[];
}

/** The judged files of the day and the 7 days before it; `undefined` if the day itself has none. */
async function loadJudged(
  store: ObjectStore,
  session: DuckSession,
  day: string,
): Promise<Judged | undefined> {
  const runs: string[] = [];
  const enriched: string[] = [];
  const inputs: string[][] = [];
  for (let back = LOOK_BACK_DAYS; back >= 0; back--) {
    const date = addDays(day, -back);
    const judgedRuns = await store.fetch(partitionKey('runs', date));
    const judgedMetrics = await store.fetch(partitionKey('enriched_metrics', date));
    if (!judgedRuns || !judgedMetrics) {
      if (back === 0) return undefined;
      continue;
    }
    runs.push(judgedRuns.file);
    enriched.push(judgedMetrics.file);
    inputs.push([
      date,
      (await readFooter(session, judgedRuns.file, 'inputs')) ?? '',
      (await readFooter(session, judgedMetrics.file, 'inputs')) ?? '',
    ]);
  }
  const today = { runs: runs.at(-1) ?? '', enriched: enriched.at(-1) ?? '' };
  return { files: { runs, enriched }, today, inputs };
}
