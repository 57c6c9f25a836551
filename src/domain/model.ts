/** The terms of the domain, as types. Times are milliseconds since the epoch, UTC. */

/** Worst first: a run has the first status of this list that any of its metrics has. */
export const METRIC_STATUSES = ['critical', 'invalid', 'warning', 'healthy', 'unmonitored'] as const;
export type MetricStatus = (typeof METRIC_STATUSES)[number];

export const LIGHTS = ['no_data', 'critical', 'warning', 'unmonitored', 'healthy'] as const;
export type Light = (typeof LIGHTS)[number];

export const PIPELINE_KINDS = [
  'delta',
  'historical',
  'backup',
  'backfill',
  'bootstrap',
  'reevaluation',
] as const;
export type PipelineKind = (typeof PIPELINE_KINDS)[number];

/** One row of the metrics API as the catalog returned it. */
export interface MetricMetadata {
  readonly metric_name: string;
  readonly display_name: string | null;
  readonly description: string | null;
  readonly unit: string | null;
  readonly category: string | null;
  readonly higher_is_better: boolean | null;
  /** The least and the largest value that the metric can have. null: not known. */
  readonly min: number | null;
  readonly max: number | null;
}

/** One row of the thresholds API as the catalog returned it. */
export interface ThresholdRow {
  readonly metric_name: string;
  readonly experiment_id: string | null;
  readonly critical_threshold: number | null;
  readonly warning_threshold: number | null;
  /** ISO 8601 with an offset. */
  readonly updated_at: string | null;
  readonly updated_by: string | null;
}

/** The rule for one metric of one experiment: the metadata and threshold row that apply, and the resulting direction. */
export interface Rule {
  readonly display_name: string;
  readonly description: string | null;
  readonly unit: string | null;
  readonly category: string | null;
  readonly higher_is_better: boolean | null;
  readonly critical_threshold: number | null;
  readonly warning_threshold: number | null;
  /** null: no threshold row applies. */
  readonly threshold_source: 'experiment' | 'platform' | null;
  readonly threshold_updated_at: string | null;
  readonly threshold_updated_by: string | null;
  /** `min` and `max` of the metadata; absent if it has none. */
  readonly min_value?: number;
  readonly max_value?: number;
}

/** The settings that affect published numbers. The rulebook stores each change with the first day it applies to. */
export interface DomainSettings {
  readonly rules_version: number;
  readonly application_tag: string;
  readonly count_nested_runs: boolean;
  /**
   * Patterns of applications and experiments whose child runs count as well. null: by rules before version 3, which know
   * neither these nor the tag `monitor.nested`.
   */
  readonly count_nested_of: readonly string[] | null;
  readonly judge_running: boolean;
  readonly experiment_include: readonly string[];
  readonly experiment_exclude: readonly string[];
  readonly metric_include: readonly string[];
  readonly metric_exclude: readonly string[];
  readonly moving_average_window_hours: number;
  readonly light_span_hours: number;
  readonly critical_runs_percent: number;
  readonly pass_rate_percent: number;
  readonly warning_runs_percent: number;
  readonly failed_runs_percent: number;
  readonly forecast_lookback_days: number;
}

/** Run counts of an hour or a span. */
export interface RunCounts {
  readonly total: number;
  readonly critical: number;
  readonly invalid: number;
  readonly warning: number;
  readonly healthy: number;
  readonly unmonitored: number;
  readonly running: number;
  readonly failed: number;
}

/** A time span `[from, to)`. */
export interface Window {
  readonly from: number;
  readonly to: number;
}
