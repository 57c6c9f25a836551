import type { MetricMetadata, ThresholdRow } from '../../../src/domain/model.js';
import { isPattern, matches } from '../../../src/domain/pattern.js';

/** The rows of the most specific name, found by trying every pattern: the exact name, else the longest, else the first by bytes. */
export function rowsByScan<Row extends { readonly metric_name: string }>(
  rows: readonly Row[],
  name: string,
): readonly Row[] {
  const named = rows.filter(({ metric_name }) => metric_name.trim() !== '');
  const of = (wanted: string) => named.filter(({ metric_name }) => metric_name === wanted);
  if (of(name).length > 0) return of(name);
  const [best] = [...new Set(named.map(({ metric_name }) => metric_name))]
    .filter((pattern) => isPattern(pattern) && matches(pattern, name))
    .sort((a, b) => [...b].length - [...a].length || Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return best === undefined ? [] : of(best);
}

/** The only rows that matter for a metric of an experiment, under its exact name. */
export function rowsThatApply(
  name: string,
  experimentId: string,
  metadata: readonly MetricMetadata[],
  thresholds: readonly ThresholdRow[],
): { metadata: MetricMetadata[]; thresholds: ThresholdRow[] } {
  const blank = (id: string | null) => id === null || id.trim() === '';
  const own = rowsByScan(
    thresholds.filter(({ experiment_id }) => experiment_id === experimentId && !blank(experiment_id)),
    name,
  );
  const platform = rowsByScan(
    thresholds.filter(({ experiment_id }) => blank(experiment_id)),
    name,
  );
  const renamed = <Row>(rows: readonly Row[]) => rows.map((row) => ({ ...row, metric_name: name }));
  return {
    metadata: renamed(rowsByScan(metadata, name)),
    thresholds: renamed(own.length > 0 ? own : platform),
  };
}
