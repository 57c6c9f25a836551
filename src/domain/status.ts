import { METRIC_STATUSES, type MetricStatus, type Rule } from './model.js';

export type InvalidKind = 'nan' | 'inf' | '-inf';

/** Why a value can't be judged; null: it can. */
export function invalidKind(value: number): InvalidKind | null {
  if (Number.isNaN(value)) return 'nan';
  // MLflow's SQL store turns an infinite value into the largest double.
  if (value >= Number.MAX_VALUE) return 'inf';
  return value <= -Number.MAX_VALUE ? '-inf' : null;
}

/** The value as datasets show it: null if it is invalid. */
export function publishedValue(value: number): number | null {
  return invalidKind(value) === null ? value : null;
}

/** What judging needs of a rule. */
export type Limits = Pick<Rule, 'higher_is_better' | 'critical_threshold' | 'warning_threshold'>;

/** The status of a value (null: an invalid one, as datasets show it). Exactly on a limit is the better side. */
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

/** The worst of the statuses; of none `unmonitored`. */
export function worst(statuses: Iterable<MetricStatus>): MetricStatus {
  const present = new Set(statuses);
  return METRIC_STATUSES.find((status) => present.has(status)) ?? 'unmonitored';
}
