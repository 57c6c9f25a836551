import type { AlertEvidence, AlertRule, AlertSubject } from './incident.js';

/**
 * What a rule says about a subject in one evaluation. `violated`: the value is on the bad side of the limit · `met`: it is
 * on the good side of the recovery limit · `between`: neither · `no_data`: there is nothing to judge.
 */
export const VERDICTS = ['violated', 'between', 'met', 'no_data'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** One rule of one subject, measured. Times are ISO 8601. */
export interface AlertSignal {
  readonly rule: AlertRule;
  readonly subject: AlertSubject;
  readonly verdict: Verdict;
  /** Without late runs; equal to `verdict` if there are none. */
  readonly verdict_on_time: Verdict;
  /** Without the late runs that this evaluation sees for the first time; equal to `verdict` if there are none. */
  readonly verdict_before_late: Verdict;
  /** When the condition was first met, if that is known. */
  readonly since: string | null;
  /** The newest run in the window and their number: tells a recovery from a window in which runs only became too old. */
  readonly window: SignalWindow | null;
  readonly evidence: AlertEvidence;
  readonly owner: string | null;
  readonly contact: string | null;
  readonly runbook: string | null;
}

export interface SignalWindow {
  /** When its newest run was observed or ended; compared only with earlier ones of the same signal. */
  readonly newest: string;
  readonly runs: number;
}

/** An MLflow run first observed more than this many delta periods after its end is late: it never pages. */
export const LATE_AFTER_PERIODS = 2;

/** Whether runs have only left the window since `before`: fewer of them, and none is new. */
export function hasOnlyAged(before: SignalWindow | null, now: SignalWindow | null): boolean {
  return before !== null && now !== null && now.newest <= before.newest && now.runs < before.runs;
}
