import type { MetricStatus } from './model.js';
import { type Limits, metricStatus } from './status.js';
import { instantOf } from './time.js';

/** Why a metric has another status: its value, the rule that it is judged by, or data that came when nobody expected it any more. */
export const CAUSES = ['new_value', 'new_threshold', 'late_data'] as const;
export type Cause = (typeof CAUSES)[number];

/** A metric of a run with the rule it was judged by. */
export interface JudgedMetric extends Limits {
  readonly run_id: string;
  /** null: invalid. */
  readonly value: number | null;
  readonly status: MetricStatus;
  /** ISO 8601; null: the catalog does not say. */
  readonly threshold_updated_at: string | null;
}

/** When the facts of a run were seen, ms. */
export interface Observation {
  /** The end of the run; null: it has not ended. */
  readonly ended_at: number | null;
  readonly first_observed_at: number;
  /** When its facts became what they are. */
  readonly changed_at: number;
}

/**
 * Why a metric has another status than before. Where value and threshold changed both, the threshold is the cause if the
 * value alone had changed nothing.
 * @param previous the same metric before: of the same run, or of the run before it in its series; null: there is none, and
 *   then only a threshold that is younger than the facts tells
 * @param lateMs what is seen later than this after the end of its run is late
 * @returns null: the status is the one of before
 */
export function explainChange(
  previous: JudgedMetric | null,
  current: JudgedMetric & Observation,
  lateMs: number,
): Cause | null {
  if (previous?.status === current.status) return null;
  const seen = arrivedAt(previous, current);
  const updated = current.threshold_updated_at === null ? null : instantOf(current.threshold_updated_at);
  const byThreshold = previous
    ? metricStatus(current.value, previous) === previous.status
    : updated !== null && updated.ms > seen;
  if (byThreshold) return 'new_threshold';
  return current.ended_at !== null && seen - current.ended_at > lateMs ? 'late_data' : 'new_value';
}

/** When what is judged now was seen, ms: a run that is compared with itself by its change, another one by its arrival. */
function arrivedAt(
  previous: JudgedMetric | null,
  { run_id, first_observed_at, changed_at }: JudgedMetric & Observation,
): number {
  return previous?.run_id === run_id ? changed_at : first_observed_at;
}
