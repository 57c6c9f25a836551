import { compareText } from '../text.js';
import { MS_PER_HOUR } from '../time.js';
import type { AlertActions } from './actions.js';
import { type AlertEvaluation, type AlertIncident, incidentKey } from './incident.js';
import { inhibitorOf } from './inhibition.js';
import { type Moment, nextState, type Step } from './next-state.js';
import { type AlertPolicy, SERVICE_RULES } from './policy.js';
import type { AlertSignal } from './signal.js';
import { changesOf, type Draft, describeIncident } from './transitions.js';

/** Evaluations that are missing, in periods, after which nothing is known about the time between. */
const GAP_PERIODS = 3;
/** More than the clocks of several processes differ, ms. An evaluation later than this is the work of a wrong clock. */
const CLOCK_SKEW_MS = MS_PER_HOUR;

export interface AlertInput {
  readonly kind: AlertEvaluation['kind'];
  /** The end of the delta's window, or the time of the check of services, ms. */
  readonly to: number;
  readonly pipeline_run_id: string | null;
  /** Every rule of this kind and every subject; an incident without a signal is cleared, as its subject is gone. */
  readonly signals: readonly AlertSignal[];
  /** Until when runs were first observed, ms; null if nobody looked. */
  readonly observedUntil: number | null;
  /** The usual time between two evaluations of this kind, ms. */
  readonly periodMs: number;
  /** The versions that evaluate. */
  readonly software: string;
}

/**
 * The next evaluation of the chain: a pure function of the previous one and what was measured.
 * @param digest of the text that identifies an incident; safe in a file name and a URL
 * @returns null if the previous evaluation is as new
 */
export function evaluateAlerts(
  previous: AlertEvaluation | null,
  input: AlertInput,
  policy: AlertPolicy,
  actions: AlertActions,
  digest: (text: string) => string,
): AlertEvaluation | null {
  const { kind, pipeline_run_id, software } = input;
  const time = timeOf(previous, input);
  if (!time) return null;
  const { now } = time;
  const isInitial = time.isFirst || previous?.software !== software;
  const before = new Map((previous?.incidents ?? []).map((each) => [each.key, each]));
  const initialReason = time.isFirst ? 'first_evaluation' : 'upgrade';
  const moment: Moment = { now, afterGap: time.afterGap, isInitial };
  const signals = new Map(input.signals.map((each) => [incidentKey(each.rule, each.subject), each]));
  const drafts: Draft[] = [];
  for (const [key, signal] of signals) {
    const old = before.get(key);
    const rule = policy.rules[signal.rule];
    const step = rule.enabled ? nextState(old, signal, rule, moment) : clearing(old);
    if (step)
      drafts.push({ key, old, signal, step, policy: rule, initialReason: isInitial ? initialReason : null });
  }
  for (const [key, old] of before) {
    if (signals.has(key)) continue;
    const isOfKind = SERVICE_RULES.includes(old.rule) === (kind === 'service');
    const step: Step = isOfKind ? { ended: 'cleared' } : { next: old };
    drafts.push({ key, old, signal: null, step, policy: policy.rules[old.rule], initialReason: null });
  }
  drafts.sort((a, b) => compareText(a.key, b.key));
  const sequence = (previous?.sequence ?? 0) + 1;
  const { incidents, transitions } = settle(drafts, { now, sequence, actions, digest });
  const last = previous?.last ?? { data: null, service: null };
  return {
    sequence,
    to: iso(now),
    kind,
    pipeline_run_id,
    last: { ...last, [kind]: iso(input.to) },
    observed_until:
      input.observedUntil === null ? (previous?.observed_until ?? null) : iso(input.observedUntil),
    software,
    transitions,
    incidents,
  };
}

const clearing = (old: AlertIncident | undefined): Step | undefined => old && { ended: 'cleared' };

interface EvaluationTime {
  readonly now: number;
  readonly isFirst: boolean;
  readonly afterGap: boolean;
}

/** Time does not go back in the chain, unless a wrong clock wrote its end. */
function timeOf(
  previous: AlertEvaluation | null,
  { kind, to, periodMs }: AlertInput,
): EvaluationTime | undefined {
  if (!previous) return { now: to, isFirst: true, afterGap: false };
  const skew = Math.max(CLOCK_SKEW_MS, GAP_PERIODS * periodMs);
  const newest = Date.parse(previous.to);
  const now = newest - to > skew ? to : Math.max(newest, to);
  const own = previous.last[kind];
  if (own === null) return { now, isFirst: true, afterGap: false };
  const last = Date.parse(own);
  if (to <= last && last - to <= skew) return undefined;
  return { now, isFirst: false, afterGap: Math.abs(to - last) > GAP_PERIODS * periodMs };
}

function settle(
  drafts: readonly Draft[],
  context: {
    readonly now: number;
    readonly sequence: number;
    readonly actions: AlertActions;
    readonly digest: (text: string) => string;
  },
): Pick<AlertEvaluation, 'incidents' | 'transitions'> {
  const { sequence, now } = context;
  const described = drafts.map((draft) => ({ draft, incident: describeIncident(draft, context) }));
  const isOpen = ({ step }: Draft) => 'next' in step;
  const open = new Map(
    described.filter(({ draft }) => isOpen(draft)).map(({ incident }) => [incident.key, incident]),
  );
  const settled = described.map(({ draft, incident }) => {
    const inhibited_by = isOpen(draft) ? inhibitorOf(incident, open, draft.old) : null;
    return { draft, ...changesOf(draft, { ...incident, inhibited_by }, now) };
  });
  const incidents = settled.flatMap(({ draft, settled: incident }) => (isOpen(draft) ? [incident] : []));
  const transitions = settled
    .flatMap((each) => each.transitions)
    .map((each, i) => ({ id: `${sequence}-${i + 1}`, at: iso(now), ...each }));
  return { incidents, transitions };
}

const iso = (ms: number): string => new Date(ms).toISOString();
