import { type AlertActions, acknowledgementOf, muteOf } from './actions.js';
import type { AlertChange, AlertEvidence, AlertIncident, AlertTransition, DigestReason } from './incident.js';
import type { StateOf, Step } from './next-state.js';
import type { RulePolicy } from './policy.js';
import type { AlertSignal } from './signal.js';

/** An incident before and after the step of its state machine. */
export interface Draft {
  readonly key: string;
  readonly old: AlertIncident | undefined;
  /** null if this evaluation measured nothing about it. */
  readonly signal: AlertSignal | null;
  readonly step: Step;
  readonly policy: RulePolicy;
  /** Why what fires in this evaluation is no news; null in a usual one. */
  readonly initialReason: 'first_evaluation' | 'upgrade' | null;
}

interface Context {
  /** ms */
  readonly now: number;
  readonly actions: AlertActions;
  readonly digest: (text: string) => string;
}

/** The incident after the step, not yet told and not yet inhibited. One that ended keeps its last state. */
export function describeIncident(draft: Draft, { now, actions, digest }: Context): AlertIncident {
  const { key, old, signal, step, policy } = draft;
  const at = iso(now);
  const state: StateOf | undefined = 'next' in step ? step.next : old;
  const measured = signal ?? old;
  if (!measured || !state) throw new Error(`Nothing is known about the incident ${key}`);
  const { rule, subject } = measured;
  const begun = old?.since ?? signal?.since ?? at;
  const id = old?.id ?? digest(`${key} ${at}`);
  const digest_reason = digestReasonOf(draft);
  const evidence = signal && signal.verdict !== 'no_data' ? signal.evidence : measured.evidence;
  return {
    id,
    key,
    rule,
    subject,
    severity: policy.severity,
    state: state.state,
    state_since: state.state_since,
    pending_since: state.pending_since,
    fired_at: state.fired_at,
    violations: state.violations,
    violated_window: state.violated_window,
    since: signal?.since && signal.since < begun ? signal.since : begun,
    evaluated_at: signal || !old ? at : old.evaluated_at,
    evidence,
    worst: worstOf(old?.worst ?? null, evidence),
    owner: signal?.owner ?? old?.owner ?? null,
    contact: signal?.contact ?? old?.contact ?? null,
    runbook: signal?.runbook ?? old?.runbook ?? null,
    muted: muteOf(actions, { id, subject }, now),
    acknowledged: acknowledgementOf(actions, id),
    inhibited_by: null,
    digest_only: digest_reason !== null,
    digest_reason,
    // The digest may have told it. What happens on time is told by a message of its own.
    told_at: old?.digest_reason === 'late_data' && digest_reason === null ? null : (old?.told_at ?? null),
  };
}

function digestReasonOf({ old, signal, step, policy, initialReason }: Draft): DigestReason | null {
  const isOnTime = signal?.verdict_on_time === 'violated';
  if (old && old.fired_at !== null) {
    return old.digest_reason === 'late_data' && isOnTime ? null : old.digest_reason;
  }
  if (!('next' in step) || step.next.fired_at === null) return null;
  if (policy.digest_only) return 'policy';
  if (initialReason !== null) return initialReason;
  return signal?.verdict === 'violated' && !isOnTime ? 'late_data' : null;
}

function worstOf(worst: number | null, { value, higher_is_better }: AlertEvidence): number | null {
  if (value === null || worst === null) return value ?? worst;
  return higher_is_better ? Math.min(worst, value) : Math.max(worst, value);
}

/**
 * What happened to the incident, and the incident after it.
 * @param incident with its inhibition
 * @param now ms
 */
export function changesOf(
  draft: Draft,
  incident: AlertIncident,
  now: number,
): { readonly settled: AlertIncident; readonly transitions: readonly Omit<AlertTransition, 'id' | 'at'>[] } {
  const { old, step } = draft;
  const from = old?.state ?? 'ok';
  const to = 'next' in step ? step.next.state : 'ok';
  const state = stateChange(draft, incident, from);
  const settled = state === 'fired' ? { ...incident, told_at: iso(now) } : incident;
  const changes = [...(state ? [state] : []), ...('next' in step ? requests(old, incident, state) : [])];
  const { digest_only, digest_reason } = settled;
  return {
    settled,
    transitions: changes.map((change) => ({
      from,
      to,
      change,
      incident: settled,
      digest_only,
      digest_reason,
    })),
  };
}

function stateChange(
  { old, signal, step, policy }: Draft,
  { told_at, muted, inhibited_by }: AlertIncident,
  from: AlertTransition['from'],
): AlertChange | null {
  if ('ended' in step) return told_at === null || muted ? 'cleared' : step.ended;
  const { state } = step.next;
  if (state !== 'firing') return state === from ? null : state;
  const isViolated =
    signal?.verdict === 'violated' || (signal?.verdict === 'no_data' && policy.no_data === 'alert');
  if (told_at === null && isViolated && !muted && inhibited_by === null) return 'fired';
  if (old === undefined || old.fired_at === null) return muted ? 'muted' : 'inhibited';
  return from === 'firing' ? null : 'refired';
}

/** What people asked for since the previous evaluation. */
function requests(
  old: AlertIncident | undefined,
  { muted, acknowledged }: AlertIncident,
  state: AlertChange | null,
): AlertChange[] {
  const changes: AlertChange[] = [];
  if (muted && !old?.muted && state !== 'muted') changes.push('muted');
  if (!muted && old?.muted) changes.push('unmuted');
  if (acknowledged && !old?.acknowledged) changes.push('acknowledged');
  return changes;
}

const TOLD: readonly AlertChange[] = ['fired', 'recovered', 'corrected', 'no_data'];

/** Whether a message or the digest tells a transition. What is muted, inhibited or was never told is not. */
export function isTold({ change, incident }: Pick<AlertTransition, 'change' | 'incident'>): boolean {
  const { told_at, muted, inhibited_by } = incident;
  return TOLD.includes(change) && told_at !== null && muted === null && inhibited_by === null;
}

const iso = (ms: number): string => new Date(ms).toISOString();
