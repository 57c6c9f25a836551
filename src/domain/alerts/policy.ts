import type { AlertRule, AlertSeverity } from './incident.js';

/**
 * What a window without data means: `alert`: the limit is violated · `keep`: an open incident becomes `no_data`, which is no
 * recovery · `ok`: the limit is met · `ignore`: nothing changes.
 */
export const NO_DATA_MODES = ['alert', 'keep', 'ok', 'ignore'] as const;
export type NoDataMode = (typeof NO_DATA_MODES)[number];

/** How one rule alerts. */
export interface RulePolicy {
  readonly enabled: boolean;
  readonly severity: AlertSeverity;
  /** Only the digest tells it. */
  readonly digest_only: boolean;
  /** In the unit of the rule, see `DEFAULT_POLICY`; null: the limit of the traffic lights, or the rule has none. */
  readonly limit: number | null;
  /** How far a value must be on the good side of the limit before it recovers, in the unit of the limit. */
  readonly recovery_margin: number;
  /** It fires once `violations` of the last `evaluations` evaluations violate the limit, and … */
  readonly violations: number;
  readonly evaluations: number;
  /** … the first of them is at least this old. */
  readonly for_minutes: number;
  /** It recovers once the recovery limit is met for this long. */
  readonly keep_firing_minutes: number;
  readonly no_data: NoDataMode;
}

export interface AlertPolicy {
  readonly rules: Readonly<Record<AlertRule, RulePolicy>>;
}

const RULE: RulePolicy = {
  enabled: true,
  severity: 'critical',
  digest_only: false,
  limit: null,
  recovery_margin: 0,
  violations: 1,
  evaluations: 1,
  for_minutes: 0,
  keep_firing_minutes: 30,
  no_data: 'keep',
};

const SERVICE: RulePolicy = { ...RULE, for_minutes: 10, keep_firing_minutes: 5, no_data: 'ignore' };

/** Raised when the same data is evaluated differently: what is newly red then is an upgrade, not news. */
export const ALERTS_VERSION = 2;

/** Used where `alerts.yaml` says nothing else. */
export const DEFAULT_POLICY: AlertPolicy = {
  rules: {
    // Percent of the evaluated runs of the current span; the limits are CRITICAL_RUNS_PERCENT and PASS_RATE_PERCENT.
    critical_runs: { ...RULE, recovery_margin: 5 },
    pass_rate: { ...RULE, recovery_margin: 5 },
    newest_run: RULE,
    // Times the usual pause at this time of the week.
    silent: { ...RULE, severity: 'warning', limit: 2, keep_firing_minutes: 0, no_data: 'ignore' },
    // Hours until the breach is expected.
    likely_breach: { ...RULE, severity: 'warning', digest_only: true, limit: 168, keep_firing_minutes: 720 },
    quality: { ...RULE, severity: 'warning', no_data: 'ignore' },
    mlflow_down: SERVICE,
    catalog_down: { ...SERVICE, severity: 'warning' },
    store_down: { ...SERVICE, for_minutes: 5 },
    queue_down: { ...SERVICE, for_minutes: 5 },
    experiment_refused: { ...SERVICE, severity: 'warning', for_minutes: 0 },
  },
};

/** Evaluated each minute; the others once for each finished delta. */
export const SERVICE_RULES: readonly AlertRule[] = [
  'mlflow_down',
  'catalog_down',
  'store_down',
  'queue_down',
  'experiment_refused',
];

/** Rules that a firing rule of the same subject inhibits: they have the same cause. */
export const INHIBITED_ON_SUBJECT: Partial<Readonly<Record<AlertRule, readonly AlertRule[]>>> = {
  critical_runs: ['pass_rate', 'newest_run'],
  pass_rate: ['newest_run'],
};

/** Rules whose alerts on the platform inhibit the same rule on its applications. */
export const INHIBITS_APPLICATIONS: readonly AlertRule[] = ['silent'];

/** Rules whose alerts on an application inhibit the same rules on its metrics. */
export const INHIBITS_METRICS: readonly AlertRule[] = ['critical_runs', 'pass_rate', 'newest_run'];
