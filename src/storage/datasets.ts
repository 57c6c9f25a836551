import { MonitorError } from '../domain/errors.js';
import {
  APPLICATION_SUMMARY,
  METRIC_FORECAST,
  METRIC_TIMESERIES,
  PLATFORM_SUMMARY,
} from './datasets/aggregates.js';
import type { DatasetDescription } from './datasets/column.js';
import { ALERTS, DATA_QUALITY, QUARANTINE, THRESHOLD_CHANGES } from './datasets/records.js';
import { ENRICHED_METRICS, RUNS } from './datasets/runs.js';
import { type PublishedDataset, publishedDatasetOf } from './keys.js';

/** The columns of every published dataset: docs/datasets.md is generated from this, and every file that is published is checked. */
export const DATASETS: Readonly<Record<PublishedDataset, DatasetDescription>> = {
  runs: RUNS,
  enriched_metrics: ENRICHED_METRICS,
  metric_timeseries: METRIC_TIMESERIES,
  metric_forecast: METRIC_FORECAST,
  application_summary: APPLICATION_SUMMARY,
  platform_summary: PLATFORM_SUMMARY,
  quarantine: QUARANTINE,
  data_quality: DATA_QUALITY,
  threshold_changes: THRESHOLD_CHANGES,
  alerts: ALERTS,
};

export interface WrongColumn {
  readonly column: string;
  /** Whether it only is not there. */
  readonly isMissing: boolean;
  /** After the column's name: `is missing`. */
  readonly reason: string;
}

/**
 * Compares the columns of a file with the description. Those that a later schema version added may be missing.
 * @param found types by name, in DuckDB's notation
 */
export function wrongColumns(dataset: PublishedDataset, found: ReadonlyMap<string, string>): WrongColumn[] {
  return DATASETS[dataset].columns.flatMap(({ name, type, since = 1 }) => {
    const actual = found.get(name);
    if (actual === type || (actual === undefined && since > 1)) return [];
    const isMissing = actual === undefined;
    return [
      { column: name, isMissing, reason: isMissing ? 'is missing' : `is ${actual} instead of ${type}` },
    ];
  });
}

/**
 * Checks a file before it is published: a reader of all days cannot read files whose columns have different types.
 * @throws {MonitorError} `wrong_columns`, not retryable: what writes the file contradicts the description
 */
export function assertColumns(key: string, found: ReadonlyMap<string, string>): void {
  const dataset = publishedDatasetOf(key);
  if (!dataset) return;
  const described = new Set(DATASETS[dataset].columns.map(({ name }) => name));
  const wrong = [
    ...wrongColumns(dataset, found).map(({ column, reason }) => `${column} ${reason}`),
    ...[...found.keys()].filter((name) => !described.has(name)).map((name) => `${name} is not described`),
  ];
  if (wrong.length === 0) return;
  throw new MonitorError('wrong_columns', `${key} is not published: ${wrong.join(', ')}`, { key });
}
