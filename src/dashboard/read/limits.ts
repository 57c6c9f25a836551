import { isPattern, matches } from '../../domain/pattern.js';
import { type DuckSession, sql } from '../../storage/duck.js';
import type { LimitChange, LimitStep } from '../contract/limits.js';

export type MetricLimitStep = LimitStep & { readonly metric_name: string };

/** The steps of the limits of every metric, from the table `judged`. @param from ms */
export function loadLimitSteps(session: DuckSession, from: number): Promise<MetricLimitStep[]> {
  return session.rows(sql(import.meta.url, './sql/limit_steps.sql'), { from: BigInt(from) });
}

/** All changes of limits in these files of `threshold_changes`, oldest first. */
export async function loadLimitChanges(
  session: DuckSession,
  files: readonly string[],
): Promise<LimitChange[]> {
  if (files.length === 0) return [];
  return session.rows(sql(import.meta.url, './sql/limit_changes.sql'), { changes: files });
}

/** The changes of rows that may apply to a metric in these experiments. */
export const changesOf = (
  changes: readonly LimitChange[],
  metric: string,
  experiments: ReadonlySet<string>,
): LimitChange[] =>
  changes.filter(
    ({ metric_name, experiment_id }) =>
      (metric_name === metric || (isPattern(metric_name) && matches(metric_name, metric))) &&
      (experiment_id === null || experiments.has(experiment_id)),
  );
