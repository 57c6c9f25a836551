/** The checks of data quality, in the order in which they are shown. */
export const QUALITY_CHECKS = [
  'null_values',
  'duplicate_records',
  'data_freshness',
  'metric_ranges',
  'schema_compliance',
  'threshold_order',
  'catalog_coverage',
  'volume',
  'stuck_runs',
] as const;
export type QualityCheck = (typeof QUALITY_CHECKS)[number];

/** Those that count records of single days. The others compare times and numbers of runs with what is usual. */
export const COUNTED_CHECKS = [
  'null_values',
  'duplicate_records',
  'metric_ranges',
  'schema_compliance',
  'threshold_order',
  'catalog_coverage',
] as const satisfies readonly QualityCheck[];
export type CountedCheck = (typeof COUNTED_CHECKS)[number];

export const QUALITY_SEVERITIES = ['error', 'warning'] as const;
export type QualitySeverity = (typeof QUALITY_SEVERITIES)[number];

/** What `measured` and `limit` of a check are. `times`: a multiple of what is usual. */
export type QualityUnit = '%' | 'records' | 'times';

interface CheckDefinition {
  /** What it means that the check passes. */
  readonly meaning: string;
  /** What to do when it fails. */
  readonly next_step: string;
  readonly severity: QualitySeverity;
  readonly unit: QualityUnit;
  /** `most`: a larger value fails. `least`: a smaller value fails. A value equal to the limit passes. */
  readonly bound: 'most' | 'least';
  /** The limit unless the file of limits has another one. */
  readonly limit: number;
}

export const CHECKS: Readonly<Record<QualityCheck, CheckDefinition>> = {
  null_values: {
    meaning: 'Metrics have a value: it is neither NaN nor infinite, and no required column is empty.',
    next_step:
      'Find out why the runs in the sample log NaN or infinite values, for example a division by zero or a diverged training.',
    severity: 'error',
    unit: '%',
    bound: 'most',
    limit: 5,
  },
  duplicate_records: {
    meaning: 'Each run is stored once, and each of its metrics once.',
    next_step:
      'Backfill the day: it is made equal to MLflow. If the duplicates come back, look for another program that writes to the store.',
    severity: 'error',
    unit: 'records',
    bound: 'most',
    limit: 0,
  },
  data_freshness: {
    meaning: 'An application runs about as often as it usually does.',
    next_step:
      'Look for a job that no longer runs or fails before it reaches MLflow, and check in /health whether experiments lag behind.',
    severity: 'error',
    unit: 'times',
    bound: 'most',
    limit: 3,
  },
  metric_ranges: {
    meaning: 'Values lie between `min` and `max` of the catalog.',
    next_step:
      'Correct the code that logs the value (percent instead of a share?), or the range in the catalog.',
    severity: 'error',
    unit: '%',
    bound: 'most',
    limit: 0,
  },
  schema_compliance: {
    meaning:
      'Every run of MLflow can be read, published files have their columns and types, statuses are known, and no run starts in the future.',
    next_step: 'Look at the quarantine for the reason, correct the run in MLflow, and replay the quarantine.',
    severity: 'error',
    unit: 'records',
    bound: 'most',
    limit: 0,
  },
  threshold_order: {
    meaning: 'The critical limit of a metric is worse than its warning limit.',
    next_step: 'Exchange the two limits in the catalog, or correct `higher_is_better`.',
    severity: 'warning',
    unit: 'records',
    bound: 'most',
    limit: 0,
  },
  catalog_coverage: {
    meaning: 'Metrics that are logged have a threshold.',
    next_step: 'Add thresholds for the metrics in the sample: `mlflow-monitor suggest` proposes them.',
    severity: 'warning',
    unit: '%',
    bound: 'least',
    limit: 50,
  },
  volume: {
    meaning: 'The number of runs of the last complete day is near the usual one of that weekday.',
    next_step: 'Compare with the schedule of the jobs: did some not run, or run more often than planned?',
    severity: 'warning',
    unit: '%',
    bound: 'most',
    limit: 80,
  },
  stuck_runs: {
    meaning: 'Running runs do not take far longer than is usual for their experiment.',
    next_step: 'Check whether the process of the run is alive, and end the run in MLflow if it is not.',
    severity: 'warning',
    unit: 'times',
    bound: 'most',
    limit: 10,
  },
};

/** What the file of limits may change of a check. */
export interface CheckLimit {
  readonly limit: number;
  readonly severity: QualitySeverity;
  readonly enabled: boolean;
}
export type QualityLimits = Readonly<Record<QualityCheck, CheckLimit>>;

export const DEFAULT_LIMITS = Object.fromEntries(
  QUALITY_CHECKS.map((check) => {
    const { limit, severity } = CHECKS[check];
    return [check, { limit, severity, enabled: true }];
  }),
) as QualityLimits;

/** Whether a measured value keeps the limit. Nothing measured: it does. */
export const keepsLimit = (check: QualityCheck, measured: number | null, limit: number): boolean =>
  measured === null || (CHECKS[check].bound === 'most' ? measured <= limit : measured >= limit);
