import { MS_PER_DAY } from '../time.js';
import type { AlertIncident, AlertState } from './incident.js';
import type { RulePolicy } from './policy.js';
import { type AlertSignal, hasOnlyAged, type Verdict } from './signal.js';

const MS_PER_MINUTE = 60_000;
/** After so long without data, nobody waits for a recovery. */
const FORGET_AFTER_MS = 7 * MS_PER_DAY;

/** What the state machine remembers of an incident. Times are ISO 8601. */
export type StateOf = Pick<
  AlertIncident,
  'state' | 'state_since' | 'pending_since' | 'fired_at' | 'violations' | 'violated_window'
>;

export interface Moment {
  /** ms */
  readonly now: number;
  /** Whether too much time has passed since the previous evaluation to say anything about the time between. */
  readonly afterGap: boolean;
  /** Whether what is violated now was possibly violated before anybody evaluated it: it fires at once, for the digest. */
  readonly isInitial: boolean;
}

export type Step = { readonly next: StateOf } | { readonly ended: Ending };
/** `recovered`: the recovery limit was met long enough · `corrected`: late runs reversed it · `cleared`: nothing to tell. */
export type Ending = 'recovered' | 'corrected' | 'cleared';

/**
 * The state of one rule of one subject after an evaluation.
 * @param previous `undefined` if it was ok
 * @returns `undefined` if it was ok and still is
 */
export function nextState(
  previous: StateOf | undefined,
  signal: AlertSignal,
  policy: RulePolicy,
  moment: Moment,
): Step | undefined {
  const verdict = verdictOf(previous, signal, policy);
  if (verdict === 'ignored') return previous && { next: previous };
  const isPending = previous?.state === 'pending' && !moment.afterGap;
  if (!previous || previous.state === 'pending') {
    const step = waitToFire(isPending ? previous : undefined, verdict, signal, policy, moment);
    return step ?? (previous && { ended: 'cleared' });
  }
  switch (verdict) {
    case 'violated':
      return { next: { ...become(previous, 'firing', moment), violated_window: signal.window } };
    case 'between':
      return { next: become(previous, 'firing', moment) };
    case 'met':
      return recover(previous, signal, policy, moment);
    case 'no_data':
      return loseData(previous, policy, moment);
  }
}

function verdictOf(
  previous: StateOf | undefined,
  { verdict, window }: AlertSignal,
  { no_data }: RulePolicy,
): Verdict | 'ignored' {
  const aged = verdict === 'met' && previous !== undefined && hasOnlyAged(previous.violated_window, window);
  if (verdict !== 'no_data' && !aged) return verdict;
  switch (no_data) {
    case 'alert':
      return 'violated';
    case 'ok':
      return 'met';
    case 'keep':
      return 'no_data';
    case 'ignore':
      return 'ignored';
  }
}

/** @returns `undefined` if it is ok */
function waitToFire(
  pending: StateOf | undefined,
  verdict: Verdict,
  { window }: AlertSignal,
  policy: RulePolicy,
  { now, isInitial }: Moment,
): Step | undefined {
  if (verdict === 'no_data') return pending && { next: pending };
  const isViolated = verdict === 'violated';
  const violations = [...(pending?.violations ?? []), isViolated].slice(-policy.evaluations);
  if (!violations.includes(true)) return undefined;
  // A duration is counted without interruption, unless several evaluations are counted.
  if (!isViolated && policy.evaluations === 1) return undefined;
  const since = pending?.pending_since ?? iso(now);
  const state: StateOf = {
    state: 'pending',
    state_since: since,
    pending_since: since,
    fired_at: null,
    violations,
    violated_window: isViolated ? window : (pending?.violated_window ?? null),
  };
  const isDue =
    violations.filter(Boolean).length >= policy.violations &&
    lastsLongEnough(now - Date.parse(since), policy);
  if (!isViolated || !(isDue || isInitial)) return { next: state };
  return { next: { ...state, state: 'firing', state_since: iso(now), fired_at: iso(now), violations: [] } };
}

/** Whether a violation of this length fires, ms. */
export const lastsLongEnough = (ms: number, { for_minutes }: Pick<RulePolicy, 'for_minutes'>): boolean =>
  ms >= for_minutes * MS_PER_MINUTE;

function recover(
  previous: StateOf,
  { verdict_before_late }: AlertSignal,
  policy: RulePolicy,
  moment: Moment,
): Step {
  if (verdict_before_late === 'violated') return { ended: 'corrected' };
  const next = become(previous, 'recovering', moment);
  const isDue = moment.now - Date.parse(next.state_since) >= policy.keep_firing_minutes * MS_PER_MINUTE;
  return isDue ? { ended: 'recovered' } : { next };
}

function loseData(previous: StateOf, policy: RulePolicy, moment: Moment): Step {
  // The runs that met the recovery limit have become too old; none has violated the limit since.
  if (previous.state === 'recovering') {
    const isDue = moment.now - Date.parse(previous.state_since) >= policy.keep_firing_minutes * MS_PER_MINUTE;
    return isDue ? { ended: 'recovered' } : { next: previous };
  }
  const next = become(previous, 'no_data', moment);
  return moment.now - Date.parse(next.state_since) > FORGET_AFTER_MS ? { ended: 'cleared' } : { next };
}

function become(previous: StateOf, state: AlertState, { now }: Moment): StateOf {
  return previous.state === state ? previous : { ...previous, state, state_since: iso(now) };
}

const iso = (ms: number): string => new Date(ms).toISOString();
