import { METRIC_STATUSES, type MetricStatus, type Rule } from './model.js';
import { type Limits, metricStatus } from './status.js';

/** Why the status of a metric changed: its value, its threshold, or a run that arrived late. */
export const CAUSES = ['new_value', 'new_threshold', 'late_data'] as const;
export type Cause = (typeof CAUSES)[number];

/** A metric of a run with the rule that gave it its status. */
export interface JudgedMetric extends Limits, Pick<Rule, 'threshold_updated_at' | 'threshold_updated_by'> {
  readonly run_id: string;
  /** null: invalid. */
  readonly value: number | null;
  readonly status: MetricStatus;
}

/** When a run was observed, ms. */
export interface Observation {
  /** null: the run has not ended. */
  readonly ended_at: number | null;
  readonly first_observed_at: number;
  /** When the last complete read of MLflow before the run was first observed began; null if there was none. */
  readonly asked_before: number | null;
}

/** An MLflow run first observed more than this many delta periods after its end is late. docs/api.md names the number. */
const LATE_AFTER_PERIODS = 3;

export const lateAfterMs = (deltaPeriodMs: number): number => LATE_AFTER_PERIODS * deltaPeriodMs;

/** Whether a run was first observed long after its end. Possibly only because MLflow was not read before. */
export function isLateArrival(
  { ended_at, first_observed_at }: Pick<Observation, 'ended_at' | 'first_observed_at'>,
  lateMs: number,
): boolean {
  return ended_at !== null && first_observed_at - ended_at > lateMs;
}

/**
 * Whether the status under an older rule can explain the current one. An unhealthy metric needs a better status before,
 * because a loosened limit is no reason for it; any other metric needs a different one.
 */
export function isComparable(olderStatus: MetricStatus, status: MetricStatus): boolean {
  if (status === 'healthy' || status === 'unmonitored') return olderStatus !== status;
  return METRIC_STATUSES.indexOf(olderStatus) > METRIC_STATUSES.indexOf(status);
}

/**
 * Why the status of a metric changed. If both value and threshold changed, the threshold is the cause if the new value
 * would have had the old status under the old threshold.
 * @param previous the metric of the same run under the older rule, or of the run before it in its series; null if there is none
 * @param lateMs a run first observed later than this after its end is late, if MLflow was read in between
 * @returns null if the status did not change
 */
export function explainChange(
  previous: JudgedMetric | null,
  current: JudgedMetric & Observation,
  lateMs: number,
): Cause | null {
  if (previous?.status === current.status) return null;
  if (previous && metricStatus(current.value, previous) === previous.status) return 'new_threshold';
  const { ended_at, asked_before } = current;
  const missed = ended_at !== null && asked_before !== null && asked_before > ended_at;
  return missed && isLateArrival(current, lateMs) ? 'late_data' : 'new_value';
}
