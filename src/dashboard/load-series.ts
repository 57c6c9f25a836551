import { groupBy } from '../domain/group-by.js';
import type { Labels } from '../domain/label-change.js';
import type { Window } from '../domain/model.js';
import { ATTENTION_SPAN_MS, worstMetric } from '../domain/needs-attention.js';
import type { InvalidKind } from '../domain/status.js';
import type { JudgedMetric } from '../domain/status-cause.js';
import { daysOf, MS_PER_DAY } from '../domain/time.js';
import { type DuckSession, sql } from '../storage/duck.js';
import type { ObjectStore } from '../storage/object-store.js';
import { filesOf, type Published } from './published-objects.js';

/** An eligible run of a series and the rule it was judged by; `time` in ms. */
export interface SeriesRun extends JudgedMetric {
  readonly application: string;
  readonly metric_name: string;
  readonly time: number;
  readonly run_name: string;
  readonly user_id: string | null;
  readonly experiment_id: string;
  readonly invalid_kind: InvalidKind | null;
  readonly display_name: string;
  readonly unit: string | null;
  readonly model_id: string | null;
  readonly dataset_name: string | null;
}

export interface MetricRow {
  readonly application: string;
  readonly metric_name: string;
  readonly critical: number;
  readonly invalid: number;
  readonly warning: number;
}

/** The metric because of which an application needs attention, and its runs of 8 days, oldest first. */
export interface WorstSeries {
  readonly metric: MetricRow;
  readonly runs: readonly SeriesRun[];
}

/** One day more than is shown, to decide whether a sequence began earlier. */
const READ_MS = ATTENTION_SPAN_MS + MS_PER_DAY;

/** By application: the series of its worst metric in the current span; no entry if no metric is responsible. */
export async function loadWorstSeries(
  store: ObjectStore,
  session: DuckSession,
  published: Published,
  current: Window,
  applications: readonly string[],
): Promise<Map<string, WorstSeries>> {
  const spanFiles = await filesOf(store, published, 'enriched_metrics', daysOf(current), applications);
  if (applications.length === 0 || spanFiles.length === 0) return new Map();
  const rows = await session.rows<MetricRow>(sql(import.meta.url, './sql/metric_runs.sql'), {
    enriched: spanFiles,
    applications,
    ...bounds(current),
  });
  const worst = [...groupBy(rows, ({ application }) => application).values()].flatMap(
    (metrics) => worstMetric(metrics) ?? [],
  );
  const runs = await loadSeriesRuns(store, session, published, current.to, worst);
  return new Map(
    worst.map((metric) => [metric.application, { metric, runs: runs.get(metric.application) ?? [] }]),
  );
}

/**
 * By application: the eligible runs of a series in 8 days, oldest first.
 * @param to the end of the 8 days, ms
 * @param series at most one of each application
 */
export async function loadSeriesRuns(
  store: ObjectStore,
  session: DuckSession,
  published: Published,
  to: number,
  series: readonly { readonly application: string; readonly metric_name: string }[],
): Promise<Map<string, SeriesRun[]>> {
  const read = { from: to - READ_MS, to };
  const applications = series.map(({ application }) => application);
  const enriched = await filesOf(store, published, 'enriched_metrics', daysOf(read), applications);
  if (series.length === 0 || enriched.length === 0) return new Map();
  const runs = await session.rows<SeriesRun>(sql(import.meta.url, './sql/series.sql'), {
    enriched,
    applications,
    metrics: series.map(({ metric_name }) => metric_name),
    ...bounds(read),
  });
  return groupBy(runs, ({ application }) => application);
}

/** The params and tags of runs of these days, by run_id. A tag takes precedence over a param of the same name. */
export async function loadLabels(
  store: ObjectStore,
  session: DuckSession,
  published: Published,
  days: readonly string[],
  runIds: readonly string[],
): Promise<Map<string, Labels>> {
  const runs = await filesOf(store, published, 'runs', days);
  if (runs.length === 0 || runIds.length === 0) return new Map();
  const rows = await session.rows<{ run_id: string; params: string; tags: string }>(
    sql(import.meta.url, './sql/run_labels.sql'),
    { runs, run_ids: runIds },
  );
  return new Map(
    rows.map(({ run_id, params, tags }) => [run_id, { ...JSON.parse(params), ...JSON.parse(tags) }]),
  );
}

/** The times of the runs of these applications, ms, oldest first. */
export async function loadRunTimes(
  store: ObjectStore,
  session: DuckSession,
  published: Published,
  { to, days }: { readonly to: number; readonly days: readonly string[] },
  applications: readonly string[],
): Promise<Map<string, number[]>> {
  const runs = await filesOf(store, published, 'runs', days, applications);
  if (runs.length === 0 || applications.length === 0) return new Map();
  const rows = await session.rows<{ application: string; time: number }>(
    sql(import.meta.url, './sql/run_times.sql'),
    { runs, applications, to: BigInt(to) },
  );
  const byApplication = groupBy(rows, ({ application }) => application);
  return new Map([...byApplication].map(([application, own]) => [application, own.map(({ time }) => time)]));
}

const bounds = ({ from, to }: Window) => ({ from: BigInt(from), to: BigInt(to) });
