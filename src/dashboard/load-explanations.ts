import { concurrently } from '../config/concurrently.js';
import { groupBy } from '../domain/group-by.js';
import { isPattern, matches } from '../domain/pattern.js';
import { resolveRule } from '../domain/rule.js';
import { metricStatus } from '../domain/status.js';
import {
  type Cause,
  explainChange,
  isComparable,
  isLateArrival,
  type JudgedMetric,
  type Observation,
} from '../domain/status-cause.js';
import { addDays, dayOf } from '../domain/time.js';
import { partitionFilesOf } from '../state/partition-files.js';
import { type Rulebook, rulesOn } from '../state/rulebook.js';
import { rulebookBefore } from '../state/threshold-changes.js';
import { type DuckSession, sql } from '../storage/duck.js';
import { type Dataset, partitionKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import { dayParts, partOf } from '../storage/parts.js';
import { lastCompleteReadBefore } from './last-complete-read.js';

export interface ExplanationTools {
  readonly store: ObjectStore;
  readonly session: DuckSession;
  readonly book: Rulebook | undefined;
  /** An MLflow run first observed later than this after its end is late, ms. */
  readonly lateMs: number;
}

export interface MetricRef {
  /** UTC day of the run, `YYYY-MM-DD`. */
  readonly day: string;
  readonly run_id: string;
  readonly metric: string;
  /** The application of the run, if the caller knows it. */
  readonly application?: string;
  /** The previous run in its series, if the caller knows it. */
  readonly before?: JudgedMetric | null;
}

/** Why a metric of a run has its status. */
export interface Explanation {
  readonly current: JudgedMetric;
  /** The same run judged by the previous rule, or the previous run in its series. */
  readonly previous: JudgedMetric | null;
  /** null if `previous` has the same status. */
  readonly cause: Cause | null;
  /** ISO 8601: when the rule was changed, or when the run was first observed. */
  readonly at: string;
  /** ISO 8601; null if the run has not ended. */
  readonly ended_at: string | null;
}

/** A stored metric of a run, times in ms. */
export type StoredMetric = JudgedMetric &
  Omit<Observation, 'asked_before'> & {
    readonly application: string;
    readonly experiment_id: string;
    readonly metric_name: string;
    readonly time: number;
  };

/** In the order of `refs`; `undefined` for a metric that does not exist. Runs one query per day. */
export async function loadExplanations(
  tools: ExplanationTools,
  refs: readonly MetricRef[],
): Promise<(Explanation | undefined)[]> {
  const { store, session, book, lateMs } = tools;
  const stored = new Map<string, StoredMetric>();
  const fetched = await concurrently(
    groupBy(refs, (each) => each.day),
    async ([day, own]) => {
      const enriched = await fetchParts(store, 'enriched_metrics', day, (files) =>
        own.map(({ application }) => (application === undefined ? undefined : partOf(application, files))),
      );
      const base = await fetchParts(store, '_base', day, (files) =>
        own.map(({ run_id }) => partOf(run_id, files)),
      );
      return { own, enriched, base };
    },
  );
  for (const { own, enriched, base } of fetched) {
    if (enriched.length === 0 || base.length === 0) continue;
    const rows = await session.rows<StoredMetric>(sql(import.meta.url, './sql/judged_metrics.sql'), {
      enriched,
      base,
      run_ids: own.map(({ run_id }) => run_id),
      metrics: own.map(({ metric }) => metric),
    });
    for (const row of rows) stored.set(keyOf(row.run_id, row.metric_name), row);
  }
  const explanations: (Explanation | undefined)[] = [];
  for (const { run_id, metric, before } of refs) {
    const row = stored.get(keyOf(run_id, metric));
    if (!row) {
      explanations.push(undefined);
      continue;
    }
    const { first_observed_at, experiment_id, ended_at } = row;
    const older = book && judgedByOlderRule(book, row);
    const previous = older?.previous ?? before ?? (await loadPrevious(tools, row));
    const asked_before = isLateArrival(row, lateMs)
      ? await lastCompleteReadBefore(store, first_observed_at, experiment_id)
      : null;
    explanations.push({
      current: judgedOf(row),
      previous: previous && judgedOf(previous),
      cause: explainChange(previous, { ...row, asked_before }, lateMs),
      at: new Date(older?.at ?? first_observed_at).toISOString(),
      ended_at: ended_at === null ? null : new Date(ended_at).toISOString(),
    });
  }
  return explanations;
}

const keyOf = (runId: string, metric: string): string => JSON.stringify([runId, metric]);

/**
 * Local files of the parts of a day that exist.
 * @param partsBy the parts that are needed; undefined: all
 */
async function fetchParts(
  store: ObjectStore,
  dataset: Dataset,
  day: string,
  partsBy: (files: number) => readonly (number | undefined)[],
): Promise<string[]> {
  const files = await partitionFilesOf(store).on(day);
  const wanted = new Set(partsBy(files));
  const parts = dayParts(day, files).filter(({ part }) => wanted.has(undefined) || wanted.has(part));
  const stored = await concurrently(parts, ({ part }) => store.fetch(partitionKey(dataset, day, part)));
  return stored.flatMap((object) => (object ? [object.file] : []));
}

/** How far back the previous run may be, days. */
const DAYS_BACK = 7;

async function loadPrevious(
  { store, session }: ExplanationTools,
  { application, metric_name, run_id, time }: StoredMetric,
): Promise<JudgedMetric | null> {
  const days = Array.from({ length: DAYS_BACK + 1 }, (_, back) => addDays(dayOf(time), -back));
  const stored = await concurrently(days, (day) =>
    fetchParts(store, 'enriched_metrics', day, (files) => [partOf(application, files)]),
  );
  const enriched = stored.flat();
  const [previous] = await session.rows<JudgedMetric>(sql(import.meta.url, './sql/metric_before.sql'), {
    enriched,
    application,
    metric: metric_name,
    run_id,
    time,
  });
  return previous ?? null;
}

/**
 * The run judged by the rule before the newest change, since the run was first observed, that gave it another status;
 * `undefined` if no change did.
 */
export function judgedByOlderRule(
  book: Rulebook,
  { run_id, value, status, time, metric_name, experiment_id, first_observed_at }: StoredMetric,
): { previous: JudgedMetric; at: number } | undefined {
  const times = book.entries.flatMap(({ changed_at }) =>
    changed_at !== null && changed_at > first_observed_at ? [changed_at] : [],
  );
  // The other entries do not decide the rule of this metric, and there may be very many.
  const own = {
    ...book,
    entries: book.entries.filter(
      ({ metric_name: name }) => name === metric_name || (isPattern(name) && matches(name, metric_name)),
    ),
  };
  for (const at of [...new Set(times)].sort((a, b) => b - a)) {
    const { metadata, thresholds } = rulesOn(rulebookBefore(own, at), dayOf(time));
    const rule = resolveRule(metric_name, experiment_id, metadata, thresholds);
    const oldStatus = metricStatus(value, rule);
    if (isComparable(oldStatus, status)) {
      return { previous: judgedOf({ ...rule, run_id, value, status: oldStatus }), at };
    }
  }
  return undefined;
}

function judgedOf({
  run_id,
  value,
  status,
  higher_is_better,
  critical_threshold,
  warning_threshold,
  threshold_updated_at,
  threshold_updated_by,
}: JudgedMetric): JudgedMetric {
  return {
    run_id,
    value,
    status,
    higher_is_better,
    critical_threshold,
    warning_threshold,
    threshold_updated_at,
    threshold_updated_by,
  };
}
