import { METRIC_STATUSES, type MetricStatus, type Rule } from './model.js';
import { type Limits, metricStatus } from './status.js';

/** Why a metric has another status: its value, the rule that it is judged by, or data that came when nobody expected it any more. */
export const CAUSES = ['new_value', 'new_threshold', 'late_data'] as const;
export type Cause = (typeof CAUSES)[number];

/** A metric of a run with the rule it was judged by. */
export interface JudgedMetric extends Limits, Pick<Rule, 'threshold_updated_at' | 'threshold_updated_by'> {
  readonly run_id: string;
  /** null: invalid. */
  readonly value: number | null;
  readonly status: MetricStatus;
}

/** When a run was seen, ms. */
export interface Observation {
  /** The end of the run; null: it has not ended. */
  readonly ended_at: number | null;
  readonly first_observed_at: number;
  /** When MLflow was last asked for all that it had, before it showed this run; null: it never was. */
  readonly asked_before: number | null;
}

/** Whether a run was first seen long after its end, for whatever reason: nobody may have asked. */
export function isLateArrival(
  { ended_at, first_observed_at }: Pick<Observation, 'ended_at' | 'first_observed_at'>,
  lateMs: number,
): boolean {
  return ended_at !== null && first_observed_at - ended_at > lateMs;
}

/**
 * Whether a status by another rule is one to compare with: of a metric that is not well a better one, for a limit that
 * was loosened is not why; of another metric any other.
 */
export function isComparable(by: MetricStatus, now: MetricStatus): boolean {
  if (now === 'healthy' || now === 'unmonitored') return by !== now;
  return METRIC_STATUSES.indexOf(by) > METRIC_STATUSES.indexOf(now);
}

/**
 * Why a metric has another status than before. Where value and threshold changed both, the threshold is the cause if the
 * value alone had changed nothing.
 * @param previous the same metric before: of the same run by the rule before, or of the run before it in its series; null: there is none
 * @param lateMs what is first seen later than this after the end of its run is late, if MLflow was asked in between
 * @returns null: the status is the one of before
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
