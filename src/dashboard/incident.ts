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

/** Where a series turned: its last unbroken sequence of runs that are not healthy, and what came before. */
export interface Incident {
  readonly first: SeriesRun;
  /** The newest run of the sequence: the one that is shown. */
  readonly last: SeriesRun;
  /** The run before the first one, whatever its status; null: it lies before what is read. */
  readonly previous: SeriesRun | null;
  readonly began_before: boolean;
  /** Healthy runs before it, oldest first. */
  readonly before: readonly SeriesRun[];
  /** The runs of the sequence, oldest first. */
  readonly since: readonly SeriesRun[];
  readonly healthy_again: number;
}

/** @param runs a series, oldest first */
export function findIncident(runs: readonly SeriesRun[], to: number): Incident | null {
  const sequence = lastUnhealthySequence(runs, to - ATTENTION_SPAN_MS);
  const [first, last] = [runs[sequence?.first ?? -1], runs[sequence?.last ?? -1]];
  if (!sequence || !first || !last) return null;
  const healthy = (some: readonly SeriesRun[]) => some.filter(({ status }) => status === 'healthy');
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

/** Runs on each side of a turn whose labels are compared. */
const COMPARED = 10;
const compared = ({ before, since }: Incident) => ({
  before: before.slice(-COMPARED),
  since: since.slice(0, COMPARED),
});

/** The runs whose params and tags say why. */
export function runsToCompare(turn: Incident): string[] {
  const { before, since } = compared(turn);
  return [...before, ...since, turn.last].map(({ run_id }) => run_id);
}

/** Why the metric turned: what `explanation` of its first run tells, and in plain words as much as the data tells. */
export interface Reason {
  /** null: it began before what is looked at, or it is not known. */
  readonly cause: Cause | null;
  readonly why: string | null;
}

export function explainIncident(
  turn: Incident,
  labels: ReadonlyMap<string, Labels>,
  explanation: Explanation | undefined,
): Reason {
  const { first, last } = turn;
  const { before, since } = compared(turn);
  const labelsOf = ({ run_id, model_id, dataset_name }: SeriesRun): Labels => ({
    ...labels.get(run_id),
    ...(model_id ? { model: model_id } : {}),
    ...(dataset_name ? { dataset: dataset_name } : {}),
  });
  const known = explanation && tellsOfTurn(explanation, turn) ? explanation : undefined;
  return {
    cause: known?.cause ?? null,
    why: why({
      unit: last.unit,
      value: last.value,
      invalid_kind: last.invalid_kind,
      limit: limitOf(last, last.status),
      higher_is_better: last.higher_is_better,
      before: turn.before.flatMap(({ time, value }) => (value === null ? [] : [{ time, value }])),
      label: labelChange(before.map(labelsOf), since.map(labelsOf)),
      limit_change: known ? limitChange(known, last) : null,
      late: known ? lateness(known, first === last) : null,
      healthy_again: turn.healthy_again,
    }),
  };
}

/** A sequence that began before the days that are looked at turned there, unless by a limit that was changed since. */
const tellsOfTurn = ({ current, previous }: Explanation, { began_before }: Incident): boolean =>
  !began_before || previous?.run_id === current.run_id;

type Limits = Pick<SeriesRun, 'critical_threshold' | 'warning_threshold'>;

/** The limit that a value of this status is beyond. */
export function limitOf(limits: Limits, status: MetricStatus): number | null {
  if (status === 'critical') return limits.critical_threshold;
  return status === 'warning' ? limits.warning_threshold : null;
}

/** How the limits were changed, if that is the cause. */
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

function lateness({ cause, ended_at, at }: Explanation, only: boolean): Lateness | null {
  if (cause !== 'late_data' || ended_at === null) return null;
  return { ended_at: Date.parse(ended_at), seen_at: Date.parse(at), only };
}

const BUCKET_MS = 3 * MS_PER_HOUR;

/** The runs that draw the series of the last 7 days: of every 3 hours the one with the middle value, and the shown run. */
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
