/** The terms of alerts, as types. Times are ISO 8601 in UTC. */

/** What an alert is about; docs/alerts.md describes each rule. */
export const ALERT_RULES = [
  'critical_runs',
  'pass_rate',
  'newest_run',
  'silent',
  'likely_breach',
  'quality',
  'mlflow_down',
  'catalog_down',
  'store_down',
  'queue_down',
  'experiment_refused',
] as const;
export type AlertRule = (typeof ALERT_RULES)[number];

/** Worst first. */
export const ALERT_SEVERITIES = ['critical', 'warning'] as const;
export type AlertSeverity = (typeof ALERT_SEVERITIES)[number];

/** An incident that is `ok` does not exist any more. */
export const ALERT_STATES = ['pending', 'firing', 'recovering', 'no_data'] as const;
export type AlertState = (typeof ALERT_STATES)[number];

export const ALERT_SCOPES = ['platform', 'application', 'metric', 'service'] as const;
export type AlertScope = (typeof ALERT_SCOPES)[number];

export interface AlertSubject {
  readonly scope: AlertScope;
  /** null for the platform and for services. */
  readonly application: string | null;
  /** null for all scopes but `metric`. */
  readonly metric: string | null;
  /** What of the rule, if it has several per subject: the quality check, or the id of the experiment. Else null. */
  readonly item: string | null;
}

/** The run that a message names. */
export interface AlertRun {
  readonly run_id: string;
  readonly run_name: string;
  readonly user: string | null;
  readonly experiment_id: string;
  readonly time: string;
}

/** What a message says about an incident. */
export interface AlertEvidence {
  /**
   * The observed value: of `newest_run` and `likely_breach` that of the metric, of `critical_runs` and `pass_rate` a
   * percentage, of `silent` the ms since the last run, of `quality` the number of findings. null: unknown or invalid.
   */
  readonly value: number | null;
  /** The limit that `value` violates, in its unit; of `silent` the usual ms between runs. */
  readonly limit: number | null;
  readonly unit: string | null;
  /** Name for people of the metric, or of the experiment that was refused. */
  readonly display_name: string | null;
  readonly higher_is_better: boolean | null;
  /** How many of the last evaluations or runs are bad. */
  readonly runs: { readonly bad: number; readonly all: number } | null;
  readonly run: AlertRun | null;
  readonly cause: 'new_value' | 'new_threshold' | 'late_data' | null;
  /** Sentences for people. */
  readonly why: string | null;
  /** With the cause `new_threshold`: the limit before, and who changed it. */
  readonly limit_before: number | null;
  readonly limit_changed_by: string | null;
  /** How many metrics have thresholds. */
  readonly coverage: { readonly monitored: number; readonly all: number } | null;
  readonly expected_breach: { readonly status: 'warning' | 'critical'; readonly at: string } | null;
  /** The metric that is responsible for an application's alert, and its newest value. */
  readonly worst_metric: AlertMetric | null;
}

/** A metric with its newest value and the limit that it violates. */
export interface AlertMetric {
  readonly metric_name: string;
  readonly display_name: string;
  readonly unit: string | null;
  readonly value: number | null;
  readonly limit: number | null;
}

/** Evidence that says nothing. */
export const NO_EVIDENCE: AlertEvidence = {
  value: null,
  limit: null,
  unit: null,
  display_name: null,
  higher_is_better: null,
  runs: null,
  run: null,
  cause: null,
  why: null,
  limit_before: null,
  limit_changed_by: null,
  coverage: null,
  expected_breach: null,
  worst_metric: null,
};

export interface AlertIncident {
  /** Key and begin as a digest, safe in a file name and a URL. */
  readonly id: string;
  /** See `incidentKey`. */
  readonly key: string;
  readonly rule: AlertRule;
  readonly subject: AlertSubject;
  readonly severity: AlertSeverity;
  readonly state: AlertState;
  /** When the condition was first met. */
  readonly since: string;
  readonly pending_since: string | null;
  /** When it first fired; null if it has not. */
  readonly fired_at: string | null;
  readonly evaluated_at: string;
  readonly evidence: AlertEvidence;
  /** The worst `evidence.value` since the incident began. */
  readonly worst: number | null;
  readonly owner: string | null;
  readonly contact: string | null;
  /** A URL. */
  readonly runbook: string | null;
  readonly muted: { readonly until: string; readonly by: string; readonly reason: string } | null;
  readonly acknowledged: { readonly at: string; readonly by: string } | null;
  /** The key of the incident that inhibits this one. */
  readonly inhibited_by: string | null;
  /** Only the digest tells it, because of … */
  readonly digest_only: boolean;
  /** … this. */
  readonly digest_reason: DigestReason | null;
  /** When `state` began. */
  readonly state_since: string;
  /** When `fired` was first told, by a message or the digest; null while it is muted, inhibited or pending. */
  readonly told_at: string | null;
  /** Of the last evaluations, oldest first, while `pending`: whether the limit was violated. */
  readonly violations: readonly boolean[];
  /** The window of the last evaluation that violated the limit. */
  readonly violated_window: { readonly newest: string; readonly runs: number } | null;
}

/** Why only the digest tells an incident. `upgrade`: it was red at the first evaluation by a new release. */
export const DIGEST_REASONS = ['first_evaluation', 'late_data', 'policy', 'upgrade'] as const;
export type DigestReason = (typeof DIGEST_REASONS)[number];

/** What happened to an incident. Only `fired`, `recovered`, `corrected` and `no_data` are told. */
export const ALERT_CHANGES = [
  'pending',
  'fired',
  /** It fires, and another incident inhibits it. */
  'inhibited',
  'cleared',
  'recovering',
  'refired',
  'recovered',
  'corrected',
  'no_data',
  'muted',
  'unmuted',
  'acknowledged',
] as const;
export type AlertChange = (typeof ALERT_CHANGES)[number];

export interface AlertTransition {
  /** `<sequence>-<n>` */
  readonly id: string;
  /** `to` of the evaluation. */
  readonly at: string;
  readonly from: AlertState | 'ok';
  readonly to: AlertState | 'ok';
  /** `corrected`: a late run reversed what had been sent. */
  readonly change: AlertChange;
  /** After the change. */
  readonly incident: AlertIncident;
  readonly digest_only: boolean;
  readonly digest_reason: DigestReason | null;
}

/** One evaluation: what changed, and every incident that is not ok. */
export interface AlertEvaluation {
  /** Evaluation n is computed from evaluation n − 1. */
  readonly sequence: number;
  /** The end of the delta's window, or the time of a check of services. */
  readonly to: string;
  readonly kind: 'data' | 'service';
  /** The delta; null for a check of services. */
  readonly pipeline_run_id: string | null;
  /** `to` of the newest evaluation of each kind, as its process saw it; `to` is the later of them. */
  readonly last: { readonly data: string | null; readonly service: string | null };
  /** Until when runs were first observed; null if none was looked at. Later ones are new to the next evaluation. */
  readonly observed_until: string | null;
  /** The versions that evaluated. After others, what is newly red is an upgrade, not news. */
  readonly software: string;
  readonly transitions: readonly AlertTransition[];
  readonly incidents: readonly AlertIncident[];
}

/** The identity of what is alerted about: rule and subject, never a time or a cause. */
export function incidentKey(rule: AlertRule, { scope, application, metric, item }: AlertSubject): string {
  return JSON.stringify([rule, scope, application, metric, item]);
}
