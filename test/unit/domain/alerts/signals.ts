import { NO_ACTIONS } from '../../../../src/domain/alerts/actions.js';
import { type AlertInput, evaluateAlerts } from '../../../../src/domain/alerts/evaluate.js';
import {
  type AlertEvaluation,
  type AlertRule,
  type AlertSubject,
  type AlertTransition,
  NO_EVIDENCE,
} from '../../../../src/domain/alerts/incident.js';
import { type AlertPolicy, DEFAULT_POLICY, type RulePolicy } from '../../../../src/domain/alerts/policy.js';
import type { AlertSignal, Verdict } from '../../../../src/domain/alerts/signal.js';

export const MINUTE = 60_000;
export const PERIOD = 5 * MINUTE;
export const START = Date.parse('2026-11-28T09:00:00Z');

export const application = (name: string): AlertSubject => ({
  scope: 'application',
  application: name,
  metric: null,
  item: null,
});
export const metric = (name: string, metricName: string): AlertSubject => ({
  ...application(name),
  scope: 'metric',
  metric: metricName,
});

/** What a rule says about `fraud` in one evaluation. */
export function signal(verdict: Verdict, parts: Partial<AlertSignal> = {}): AlertSignal {
  return {
    rule: 'critical_runs',
    subject: application('fraud'),
    verdict,
    verdict_on_time: verdict,
    verdict_before_late: verdict,
    since: null,
    window: null,
    evidence: NO_EVIDENCE,
    owner: null,
    contact: null,
    runbook: null,
    ...parts,
  };
}

export const policyWith = (rule: AlertRule, changes: Partial<RulePolicy>): AlertPolicy => ({
  rules: { ...DEFAULT_POLICY.rules, [rule]: { ...DEFAULT_POLICY.rules[rule], ...changes } },
});

/** Evaluates one delta after another, as the service does. */
export class Evaluations {
  newest: AlertEvaluation | null = null;
  readonly all: AlertEvaluation[] = [];
  to = START;

  constructor(
    private readonly policy: AlertPolicy = DEFAULT_POLICY,
    public actions = NO_ACTIONS,
  ) {}

  /** A store whose first evaluation saw nothing. */
  static quiet(policy?: AlertPolicy): Evaluations {
    const evaluations = new Evaluations(policy);
    evaluations.next([]);
    return evaluations;
  }

  /** @returns the transitions of the next delta */
  next(signals: readonly AlertSignal[], input: Partial<AlertInput> = {}): readonly AlertTransition[] {
    this.to = input.to ?? this.to + PERIOD;
    const evaluation = evaluateAlerts(
      this.newest,
      {
        kind: 'data',
        to: this.to,
        pipeline_run_id: 'delta-1',
        signals,
        observedUntil: null,
        periodMs: PERIOD,
        software: '1',
        ...input,
      },
      this.policy,
      this.actions,
      (text) => text,
    );
    if (!evaluation) return [];
    this.newest = evaluation;
    this.all.push(evaluation);
    return evaluation.transitions;
  }

  /** The changes of the next `minutes`, evaluated each period with the same signals. */
  during(minutes: number, signals: readonly AlertSignal[]): string[] {
    const steps = Array.from({ length: minutes / 5 }, () => this.next(signals));
    return steps.flat().map(({ change }) => change);
  }
}

export const changes = (transitions: readonly AlertTransition[]): string[] =>
  transitions.map(({ change }) => change);
