export const DERIVED_DATASETS = [
  'runs',
  'enriched_metrics',
  'metric_timeseries',
  'metric_forecast',
  'application_summary',
  'platform_summary',
] as const;
export type DerivedDataset = (typeof DERIVED_DATASETS)[number];

/** What is published for readers. Each has one folder per UTC day. */
export const PUBLISHED_DATASETS = [
  ...DERIVED_DATASETS,
  'quarantine',
  'data_quality',
  'threshold_changes',
  'alerts',
] as const;
export type PublishedDataset = (typeof PUBLISHED_DATASETS)[number];

export type Dataset = PublishedDataset | '_base' | '_sums' | '_tails';

/** The objects of one UTC day of a dataset begin with this prefix. @param day `YYYY-MM-DD` */
export const dayPrefix = (dataset: Dataset, day: string): string => `${dataset}/${day.replaceAll('-', '/')}/`;

/** The key of an object of one UTC day (`YYYY-MM-DD`) of a dataset. @param part from 0; see `partOf` */
export const partitionKey = (dataset: Dataset, day: string, part = 0): string =>
  `${dayPrefix(dataset, day)}part-${part}.parquet`;

export const baseKey = (day: string, part = 0): string => partitionKey('_base', day, part);

/** The key of the exact sums over a part of the `enriched_metrics` of a day. */
export const sumsKey = (day: string, part = 0): string => partitionKey('_sums', day, part);

/** The day in the key of a partition; `undefined` for any other key. */
export function dayOfKey(key: string): string | undefined {
  const parts = /\/(\d{4})\/(\d{2})\/(\d{2})\/part-\d+\.parquet$/.exec(key);
  return parts ? `${parts[1]}-${parts[2]}-${parts[3]}` : undefined;
}

/** The part in the key of a partition; `undefined` for any other key. */
export function partOfKey(key: string): number | undefined {
  const part = /\/part-(\d+)\.parquet$/.exec(key)?.[1];
  return part === undefined ? undefined : Number(part);
}

/** The published dataset that an object belongs to; `undefined` for any other object. */
export function publishedDatasetOf(key: string): PublishedDataset | undefined {
  const [name] = key.split('/', 1);
  return PUBLISHED_DATASETS.find((dataset) => dataset === name);
}
