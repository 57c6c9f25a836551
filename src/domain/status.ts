import type { MetricStatus, Rule } from './model.js';

export type InvalidKind = 'nan' | 'inf' | '-inf';

/** Why a value is invalid; null if it is valid. */
export function invalidKind(value: number): InvalidKind | null {
  if (Number.isNaN(value)) return 'nan';
  // MLflow's SQL store replaces an infinity by the largest finite double of its sign.
  if (value >= Number.MAX_VALUE) return 'inf';
  return value <= -Number.MAX_VALUE ? '-inf' : null;
}

/** The part of a rule that decides the status. */
export type Limits = Pick<Rule, 'higher_is_better' | 'critical_threshold' | 'warning_threshold'>;

/**
 * The status of a value under a rule. A value equal to a limit gets the better status.
 * @param value null: an invalid value, as the datasets publish it
 */
export function metricStatus(value: number | null, rule: Limits): MetricStatus {
  const { higher_is_better, critical_threshold, warning_threshold } = rule;
  if (higher_is_better === null || (critical_threshold === null && warning_threshold === null)) {
    return 'unmonitored';
  }
  if (value === null || invalidKind(value) !== null) return 'invalid';
  const beyond = (limit: number | null) =>
    limit !== null && (higher_is_better ? value < limit : value > limit);
  if (beyond(critical_threshold)) return 'critical';
  return beyond(warning_threshold) ? 'warning' : 'healthy';
}
