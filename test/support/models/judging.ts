/**
 * Models of how `judge_metrics.sql` and `copy_runs.sql` (src/enrichment/sql) publish values and roll up statuses.
 * `test/integration/enrichment/judge-metrics.spec.ts` compares the statements with them.
 */
import { METRIC_STATUSES, type MetricStatus } from '../../../src/domain/model.js';
import { invalidKind } from '../../../src/domain/status.js';

/** A value as the datasets publish it: null if it is invalid. */
export function publishedValue(value: number): number | null {
  return invalidKind(value) === null ? value : null;
}

/** The status of a run: the worst of its metrics' statuses, `unmonitored` if it has none. */
export function worstStatus(statuses: Iterable<MetricStatus>): MetricStatus {
  const present = new Set(statuses);
  return METRIC_STATUSES.find((status) => present.has(status)) ?? 'unmonitored';
}
