/** The words of the domain, as types. Times are milliseconds since the epoch, UTC. */

export const METRIC_STATUSES = ['critical', 'invalid', 'warning', 'healthy', 'unmonitored'] as const;
/** Worst first: the order of `METRIC_STATUSES` is the order of roll-ups. */
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

/** One row of the metrics API, as the catalog sent it. */
export interface MetricMetadata {
  readonly metric_name: string;
  readonly display_name: string | null;
  readonly description: string | null;
  readonly unit: string | null;
  readonly category: string | null;
  readonly higher_is_better: boolean | null;
}

/** One row of the thresholds API, as the catalog sent it. */
export interface ThresholdRow {
  readonly metric_name: string;
  readonly experiment_id: string | null;
  readonly critical_threshold: number | null;
  readonly warning_threshold: number | null;
  /** ISO 8601 with an offset. */
  readonly updated_at: string | null;
  readonly updated_by: string | null;
}

/** What applies to one metric of one experiment: the chosen metadata and threshold row, and the direction used. */
export interface Rule {
  readonly display_name: string;
  readonly description: string | null;
  readonly unit: string | null;
  readonly category: string | null;
  readonly higher_is_better: boolean | null;
  readonly critical_threshold: number | null;
  readonly warning_threshold: number | null;
  /** null: no threshold row. */
  readonly threshold_source: 'experiment' | 'platform' | null;
  readonly threshold_updated_at: string | null;
  readonly threshold_updated_by: string | null;
}

/** The settings that change published numbers; stored in the rulebook, each change with its first day. */
export interface DomainSettings {
  readonly rules_version: number;
  readonly application_tag: string;
  readonly count_nested_runs: boolean;
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
}

/** Counts of runs of an hour or a span. */
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
