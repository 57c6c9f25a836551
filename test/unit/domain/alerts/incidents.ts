import {
  type AlertEvidence,
  type AlertIncident,
  type AlertRule,
  incidentKey,
} from '../../../../src/domain/alerts/incident.js';

export const EVIDENCE: AlertEvidence = {
  value: 0.78,
  limit: 0.84,
  unit: null,
  display_name: 'recall',
  higher_is_better: true,
  runs: { bad: 3, all: 3 },
  run: {
    run_id: 'a'.repeat(32),
    run_name: 'nightly-7',
    user: 'ana',
    experiment_id: '12',
    time: '2026-11-28T09:40:00.000Z',
  },
  cause: 'new_value',
  why: 'The metric fell from 0.9 to 0.78.',
  limit_before: null,
  limit_changed_by: null,
  coverage: { monitored: 7, all: 9 },
  expected_breach: null,
  worst_metric: null,
};

type Parts = Omit<Partial<AlertIncident>, 'evidence'> & { readonly evidence?: Partial<AlertEvidence> };

/** A firing incident: recall of fraud-scoring since 09:40, unless `parts` say otherwise. */
export function incident(parts: Parts = {}): AlertIncident {
  const rule: AlertRule = parts.rule ?? 'newest_run';
  const subject = parts.subject ?? {
    scope: 'metric',
    application: 'fraud-scoring',
    metric: 'recall',
    item: null,
  };
  const key = incidentKey(rule, subject);
  return {
    id: 'e3b0c44298fc1c14',
    key,
    severity: 'critical',
    state: 'firing',
    since: '2026-11-28T09:40:00.000Z',
    pending_since: null,
    fired_at: '2026-11-28T09:45:00.000Z',
    evaluated_at: '2026-11-28T09:45:00.000Z',
    worst: 0.71,
    owner: 'ml-fraud',
    contact: null,
    runbook: null,
    muted: null,
    acknowledged: null,
    inhibited_by: null,
    digest_only: false,
    digest_reason: null,
    state_since: '2026-11-28T09:45:00.000Z',
    told_at: '2026-11-28T09:45:00.000Z',
    violations: [],
    violated_window: null,
    ...parts,
    rule,
    subject,
    evidence: { ...EVIDENCE, ...parts.evidence },
  };
}
