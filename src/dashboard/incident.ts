import { type Labels, labelChange } from '../domain/label-change.js';
import type { MetricStatus } from '../domain/model.js';
import { ATTENTION_SPAN_MS, lastUnhealthySequence } from '../domain/needs-attention.js';
import { median } from '../domain/run-frequency.js';
import { metricStatus } from '../domain/status.js';
import type { Cause } from '../domain/status-cause.js';
import { instantOf, MS_PER_HOUR } from '../domain/time.js';
import { type Lateness, type LimitChange, why } from '../domain/why.js';
import type { Explanation } from './load-explanations.js';
import type { SeriesRun } from './load-series.js';

/** The last unbroken sequence of unhealthy runs of a series, and the runs before it. */
export interface Incident {
  readonly first: SeriesRun;
  /** The newest run of the sequence, shown on the page. */
  readonly last: SeriesRun;
  /** The run before the first one, whatever its status; null if it is older than the data that is read. */
  readonly previous: SeriesRun | null;
  readonly began_before: boolean;
  /** Healthy runs before the sequence, oldest first; empty if it began before the last 7 days. */
  readonly before: readonly SeriesRun[];
  /** The monitored runs of the sequence, oldest first. */
  readonly since: readonly SeriesRun[];
  readonly healthy_again: number;
}

/**
 * @param runs a series, oldest first
 * @param to ms
 * @returns null if no run of the last 7 days is unhealthy
 */
export function findIncident(runs: readonly SeriesRun[], to: number): Incident | null {
  const sequence = lastUnhealthySequence(runs, to - ATTENTION_SPAN_MS);
  const [first, last] = [runs[sequence?.first ?? -1], runs[sequence?.last ?? -1]];
  if (!sequence || !first || !last) return null;
  const healthy = (of: readonly SeriesRun[]) => of.filter(({ status }) => status === 'healthy');
  return {
    first,
    last,
    previous: runs[sequence.first - 1] ?? null,
    began_before: sequence.began_before,
    before: sequence.began_before ? [] : healthy(runs.slice(0, sequence.first)),
    since: runs.slice(sequence.first, sequence.last + 1).filter(({ status }) => status !== 'unmonitored'),
    healthy_again: healthy(runs.slice(sequence.last + 1)).length,
  };
}

/** Runs before and since the start of the incident whose labels are compared. */
const COMPARED = 10;
const comparedRuns = ({ before, since }: Incident) => ({
  before: before.slice(-COMPARED),
  since: since.slice(0, COMPARED),
});

/** The runs whose labels are needed: those that `explainIncident` compares, and the run that is shown. */
export function runsToCompare(incident: Incident): SeriesRun[] {
  const { before, since } = comparedRuns(incident);
  return [...before, ...since, incident.last];
}

export interface Reason {
  /** Why the first run is unhealthy; null if the incident began before the last 7 days, or if it is unknown. */
  readonly cause: Cause | null;
  /** A sentence for people; null if the data shows no reason. */
  readonly why: string | null;
}

export function explainIncident(
  incident: Incident,
  labels: ReadonlyMap<string, Labels>,
  explanation: Explanation | undefined,
): Reason {
  const { first, last } = incident;
  const { before, since } = comparedRuns(incident);
  const labelsOf = ({ run_id, model_id, dataset_name }: SeriesRun): Labels => ({
    ...labels.get(run_id),
    ...(model_id ? { model: model_id } : {}),
    ...(dataset_name ? { dataset: dataset_name } : {}),
  });
  const valid = explanation && explainsStart(explanation, incident) ? explanation : undefined;
  return {
    cause: valid?.cause ?? null,
    why: why({
      unit: last.unit,
      value: last.value,
      invalid_kind: last.invalid_kind,
      limit: limitOf(last, last.status),
      higher_is_better: last.higher_is_better,
      before: incident.before.flatMap(({ time, value }) => (value === null ? [] : [{ time, value }])),
      label: labelChange(before.map(labelsOf), since.map(labelsOf)),
      limit_change: valid ? limitChange(valid, last) : null,
      late: valid ? lateness(valid, first === last) : null,
      healthy_again: incident.healthy_again,
    }),
  };
}

/**
 * If the sequence began before the last 7 days, its first run here did not start it, unless a limit was changed since: then
 * both sides of the explanation are the same run.
 */
const explainsStart = ({ current, previous }: Explanation, { began_before }: Incident): boolean =>
  !began_before || previous?.run_id === current.run_id;

type Limits = Pick<SeriesRun, 'critical_threshold' | 'warning_threshold'>;

/** The limit that a value of this status violates. */
export function limitOf(limits: Limits, status: MetricStatus): number | null {
  if (status === 'critical') return limits.critical_threshold;
  return status === 'warning' ? limits.warning_threshold : null;
}

/** null unless the cause is a changed limit. */
function limitChange({ cause, current, previous }: Explanation, last: SeriesRun): LimitChange | null {
  if (cause !== 'new_threshold' || !previous) return null;
  const { status, higher_is_better, threshold_updated_at, threshold_updated_by } = current;
  return {
    before: limitOf(previous, status),
    after: limitOf(current, status),
    higher_is_better,
    at: threshold_updated_at === null ? null : (instantOf(threshold_updated_at)?.ms ?? null),
    by: threshold_updated_by,
    sufficient: ['healthy', 'unmonitored'].includes(metricStatus(last.value, previous)),
  };
}

/** @param only whether the incident has a single run */
function lateness({ cause, ended_at, at }: Explanation, only: boolean): Lateness | null {
  if (cause !== 'late_data' || ended_at === null) return null;
  return { ended_at: Date.parse(ended_at), seen_at: Date.parse(at), only };
}

const BUCKET_MS = 3 * MS_PER_HOUR;

/** The points of the last 7 days: one run per 3 hours, the one with the median value, or `shown` in its 3 hours. */
export function sparkline(
  runs: readonly SeriesRun[],
  shown: SeriesRun,
  to: number,
): { time: number; value: number }[] {
  const bucketOf = (time: number) => Math.ceil((to - time) / BUCKET_MS);
  const buckets = new Map<number, { time: number; value: number }[]>();
  for (const { time, value } of runs) {
    if (value === null || time < to - ATTENTION_SPAN_MS) continue;
    const bucket = bucketOf(time);
    buckets.set(bucket, [...(buckets.get(bucket) ?? []), { time, value }]);
  }
  return [...buckets]
    .sort(([a], [b]) => b - a)
    .flatMap(([bucket, points]) => {
      if (bucket === bucketOf(shown.time) && shown.value !== null)
        return [{ time: shown.time, value: shown.value }];
      const middle = median(points.map(({ value }) => value));
      return points.find(({ value }) => value === middle) ?? [];
    });
}
