export const DERIVED_DATASETS = [
  'runs',
  'enriched_metrics',
  'metric_timeseries',
  'application_summary',
  'platform_summary',
] as const;
export type DerivedDataset = (typeof DERIVED_DATASETS)[number];

export type Dataset = DerivedDataset | '_base' | '_sums' | 'quarantine' | 'threshold_changes';

/** The key of the object of one UTC day (`YYYY-MM-DD`) of a dataset. */
export function partitionKey(dataset: Dataset, day: string): string {
  return `${dataset}/${day.replaceAll('-', '/')}/part-0.parquet`;
}

export const baseKey = (day: string): string => partitionKey('_base', day);

/** The key of the exact sums over the `enriched_metrics` of a day. */
export const sumsKey = (day: string): string => partitionKey('_sums', day);

/** The day in the key of a partition; `undefined` for any other key. */
export function dayOfKey(key: string): string | undefined {
  const parts = /\/(\d{4})\/(\d{2})\/(\d{2})\/part-\d+\.parquet$/.exec(key);
  return parts ? `${parts[1]}-${parts[2]}-${parts[3]}` : undefined;
}
