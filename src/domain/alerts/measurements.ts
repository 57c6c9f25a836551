import type { DomainSettings, MetricStatus, RunCounts } from '../model.js';
import type { AlertEvidence, AlertMetric, AlertRun } from './incident.js';
import type { RunHistory } from './silence.js';

/** When a run was first observed: soon after its end, long after it, or long after it since the previous evaluation. */
export const ARRIVALS = ['on_time', 'late', 'new_late'] as const;
export type Arrival = (typeof ARRIVALS)[number];

/** The runs of a subject in the current span. */
export interface Tally {
  readonly counts: Readonly<Record<Arrival, RunCounts>>;
  /** The time of the newest of them, ms; null if there is none. */
  readonly newest: number | null;
}

/** A judged run that has ended. */
export interface EndedRun extends AlertRun {
  readonly status: MetricStatus;
  readonly arrival: Arrival;
}

export interface Ownership {
  readonly owner: string | null;
  readonly contact: string | null;
  /** A URL. */
  readonly runbook: string | null;
}

/** Times in ms. */
export interface ApplicationMeasurement extends Ownership {
  readonly application: string;
  readonly tally: Tally;
  readonly coverage: AlertEvidence['coverage'];
  /** Why it needs attention, as on the page. */
  readonly reason: {
    readonly since: number | null;
    readonly cause: AlertEvidence['cause'];
    readonly why: string | null;
    readonly limit_before: number | null;
    readonly limit_changed_by: string | null;
    readonly run: AlertRun | null;
    readonly metric: AlertMetric | null;
  } | null;
  /** Its judged runs that ended in the current span, by the time of their end, newest first. */
  readonly ended: readonly EndedRun[];
  /** The worst metric of the newest of them, if that run is critical. */
  readonly ended_metric: (AlertMetric & { readonly higher_is_better: boolean | null }) | null;
  /** null if it has no run in the days that the page shows. */
  readonly last_run: number | null;
  readonly running: boolean;
  /** Whether everything that MLflow stored of it until now is published. */
  readonly is_current: boolean;
  /** The times of its runs, oldest first; empty if its last run is recent. */
  readonly times: readonly number[];
}

export interface MetricMeasurement {
  readonly application: string;
  readonly metric_name: string;
  readonly tally: Tally;
  /** Its newest value in the span. */
  readonly newest: AlertMetric & {
    readonly higher_is_better: boolean | null;
    readonly run: AlertRun;
  };
  readonly reason: Pick<AlertEvidence, 'cause' | 'limit_before' | 'limit_changed_by'> | null;
}

export interface LikelyMeasurement {
  readonly application: string;
  readonly metric: AlertMetric & { readonly higher_is_better: boolean | null };
  readonly status: 'warning' | 'critical';
  /** ms */
  readonly expected: number;
  readonly run: AlertRun;
}

export interface QualityMeasurement {
  readonly check_name: string;
  /** null: all applications together. */
  readonly application: string | null;
  readonly affected: number;
  readonly meaning: string;
  /** ISO 8601 */
  readonly since: string;
}

/** Everything that data rules are judged from, at the end of a delta's window. */
export interface DataMeasurements {
  /** ms */
  readonly to: number;
  readonly settings: DomainSettings;
  readonly applications: readonly ApplicationMeasurement[];
  /** When any of them ran; null if none has been quiet for long enough to matter. */
  readonly all_runs: RunHistory | null;
  readonly metrics: readonly MetricMeasurement[];
  readonly likely: readonly LikelyMeasurement[];
  /** Findings of severity error. */
  readonly quality: readonly QualityMeasurement[];
}
