import { type Cause, explainChange, type JudgedMetric, type Observation } from '../domain/explain.js';
import { resolveRule } from '../domain/rule.js';
import { metricStatus } from '../domain/status.js';
import { addDays } from '../domain/time.js';
import { RULEBOOK_KEY, type Rulebook, rulebookSchema, rulesOn } from '../pipeline/rulebook.js';
import { bookBefore } from '../pipeline/threshold-changes.js';
import { type Duck, sql } from '../storage/duck.js';
import { readDocument } from '../storage/json-document.js';
import { baseKey, partitionKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';

export interface ExplanationTools {
  readonly store: ObjectStore;
  readonly duck: Duck;
  /** What is seen later than this after the end of its run is late, ms. */
  readonly lateMs: number;
}

export interface MetricOfRun {
  /** UTC day of the run, `YYYY-MM-DD`. */
  readonly day: string;
  readonly run_id: string;
  readonly metric: string;
}

/** Why a metric of a run has its status. */
export interface Explanation {
  readonly current: JudgedMetric;
  /** The same run by the rule of before, or the run before it in its series. */
  readonly previous: JudgedMetric | null;
  /** null: the status is that of `previous`. */
  readonly cause: Cause | null;
  /** ISO 8601: when the rule was changed, or when the facts were seen. */
  readonly at: string;
}

type CurrentRow = JudgedMetric &
  Observation & { readonly application: string; readonly experiment_id: string; readonly time: number };

/** How far back the run before may lie, days. */
const DAYS_BACK = 7;

/** @returns undefined: there is no such metric */
export async function explainMetric(
  { store, duck, lateMs }: ExplanationTools,
  { day, run_id, metric }: MetricOfRun,
): Promise<Explanation | undefined> {
  const [enriched, base] = [
    await store.fetch(partitionKey('enriched_metrics', day)),
    await store.fetch(baseKey(day)),
  ];
  if (!enriched || !base) return undefined;
  return duck.session(async (session) => {
    const [row] = await session.rows<CurrentRow>(sql(import.meta.url, './sql/judged_metric.sql'), {
      enriched: enriched.file,
      base: base.file,
      run_id,
      metric,
    });
    if (!row) return undefined;
    const { application, experiment_id, time, ended_at, first_observed_at, changed_at, ...current } = row;
    const explained = (previous: JudgedMetric | null, at: number): Explanation => ({
      current,
      previous,
      cause: explainChange(previous, row, lateMs),
      at: new Date(at).toISOString(),
    });
    const book = (await readDocument(store, RULEBOOK_KEY, rulebookSchema))?.value;
    const changed = book && byOlderRule(book, row, { day, run_id, metric });
    if (changed) return explained(changed.previous, changed.at);
    const files: string[] = [];
    for (let back = 0; back <= DAYS_BACK; back++) {
      const stored = await store.fetch(partitionKey('enriched_metrics', addDays(day, -back)));
      if (stored) files.push(stored.file);
    }
    const [previous] = await session.rows<JudgedMetric>(sql(import.meta.url, './sql/metric_before.sql'), {
      enriched: files,
      application,
      metric,
      run_id,
      time,
    });
    return explained(previous ?? null, first_observed_at);
  });
}

/** The run as it was judged before the newest change of the rulebook since it was seen that gave it another status. */
function byOlderRule(
  book: Rulebook,
  row: CurrentRow,
  { day, metric }: MetricOfRun,
): { previous: JudgedMetric; at: number } | undefined {
  const times = book.entries.flatMap(({ changed_at }) =>
    changed_at !== null && changed_at > row.first_observed_at ? [changed_at] : [],
  );
  for (const at of [...new Set(times)].sort((a, b) => b - a)) {
    const { metadata, thresholds } = rulesOn(bookBefore(book, at), day);
    const { higher_is_better, critical_threshold, warning_threshold, threshold_updated_at } = resolveRule(
      metric,
      row.experiment_id,
      metadata,
      thresholds,
    );
    const limits = { higher_is_better, critical_threshold, warning_threshold };
    const status = metricStatus(row.value, limits);
    if (status === row.status) continue;
    const previous = { run_id: row.run_id, value: row.value, status, ...limits, threshold_updated_at };
    return { previous, at };
  }
  return undefined;
}
