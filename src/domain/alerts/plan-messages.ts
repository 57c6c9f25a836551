import { compareText } from '../text.js';
import { MS_PER_HOUR } from '../time.js';
import type { AlertNews } from './first-line.js';
import {
  ALERT_RULES,
  ALERT_SCOPES,
  ALERT_SEVERITIES,
  type AlertEvaluation,
  type AlertIncident,
  type AlertSeverity,
  type AlertTransition,
  type DigestReason,
} from './incident.js';
import { type EvaluationChanges, type NoiseNote, noisiest } from './noise.js';
import { type AlertRoute, type DeliveryPolicy, digestDay, isQuiet, routesOf } from './routes.js';

export const MESSAGE_KINDS = ['alert', 'digest', 'test'] as const;
export type MessageKind = (typeof MESSAGE_KINDS)[number];

/** One incident in a message. */
export interface MessageLine {
  readonly news: AlertNews;
  readonly incident: AlertIncident;
  /** Why the digest tells it; null in other messages. */
  readonly held: 'quiet_hours' | DigestReason | null;
}

/** What one route delivers after one evaluation. */
export interface AlertMessage {
  readonly route: string;
  readonly kind: MessageKind;
  /** `to` of the evaluation. */
  readonly at: string;
  /** Worst first. */
  readonly lines: readonly MessageLine[];
  /** In the digest of Mondays: the noise of the rules on this route. */
  readonly noise?: readonly NoiseNote[] | undefined;
}

/** What the next evaluation needs to know of the ones before. */
export interface PlanState {
  /** The sequence and `to` of the last evaluation of which the messages are planned. */
  readonly through: number;
  readonly to: string;
  /** The day of the last digest. */
  readonly digest_day: string;
  /** For the next digest, at most one line per incident. */
  readonly held: readonly MessageLine[];
}

export interface Plan {
  readonly messages: readonly AlertMessage[];
  readonly state: PlanState;
}

/** What still fires is repeated this often, ms. */
export const REPEAT_MS: Readonly<Record<AlertSeverity, number>> = {
  critical: 4 * MS_PER_HOUR,
  warning: 24 * MS_PER_HOUR,
};

/** Whether the digest that is due after an evaluation tells how noisy the rules are. */
export const tellsNoise = (
  state: PlanState | null,
  { to }: AlertEvaluation,
  policy: DeliveryPolicy,
): boolean =>
  state !== null &&
  isDigestDue(state, Date.parse(to), policy) &&
  isMonday(digestDay(policy.digest, Date.parse(to)));

const isMonday = (day: string): boolean => new Date(`${day}T00:00:00Z`).getUTCDay() === 1;

const isDigestDue = (before: PlanState, to: number, { digest, quiet_hours }: DeliveryPolicy): boolean =>
  digestDay(digest, to) > before.digest_day &&
  !ALERT_SEVERITIES.some((each) => isQuiet(quiet_hours, each, to));

/**
 * The messages after an evaluation: one per route, and one more if its digest is due. A pure function: the same evaluations
 * under the same policy make the same messages.
 * @param state of the evaluation before; null: this is the first one
 * @param history of the last 30 days, if `tellsNoise`
 */
export function planMessages(
  state: PlanState | null,
  evaluation: AlertEvaluation,
  policy: DeliveryPolicy,
  history: readonly EvaluationChanges[] = [],
): Plan {
  const to = Date.parse(evaluation.to);
  const due = digestDay(policy.digest, to);
  const first: PlanState = { through: evaluation.sequence, to: evaluation.to, digest_day: due, held: [] };
  const before = state ?? first;
  const news = [...evaluation.transitions.flatMap(newsOf), ...repetitions(evaluation, Date.parse(before.to))];
  const held = new Map(before.held.map((line) => [line.incident.id, line]));
  const now: MessageLine[] = [];
  for (const line of news) {
    const { id, severity } = line.incident;
    // A repetition in quiet hours is no news: the digest tells that the incident fired.
    const isHeld = line.held === null && isQuiet(policy.quiet_hours, severity, to);
    const waits = held.get(id);
    if (line.held !== null || (isHeld && line.news !== 'repeated')) {
      held.set(id, { ...line, held: line.held ?? 'quiet_hours' });
    } else if (waits && line.news !== 'repeated') {
      // What nobody was told yet does not recover with a message of its own.
      held.set(id, { ...line, held: waits.held });
    } else if (!isHeld) {
      held.delete(id);
      now.push(line);
    }
  }
  const messages = grouped('alert', evaluation.to, policy, ({ ends }) =>
    ends ? [...now, ...endings(evaluation, now)] : now,
  );
  const sendsDigest = isDigestDue(before, to, policy);
  const next = { ...first, digest_day: sendsDigest ? due : before.digest_day };
  if (!sendsDigest) return { messages, state: { ...next, held: [...held.values()] } };
  const current = new Map(evaluation.incidents.map((incident) => [incident.id, incident]));
  const told = [...held.values()]
    .map((line) => ({ ...line, incident: current.get(line.incident.id) ?? line.incident }))
    .filter(({ incident }) => !isMuted(incident, to));
  const noise = (route: AlertRoute) =>
    tellsNoise(state, evaluation, policy)
      ? noisiest(history, evaluation.incidents, to, (incident) =>
          routesOf(incident, policy.routes).includes(route.name),
        )
      : [];
  const digests = grouped('digest', evaluation.to, policy, ({ digest }) => (digest ? told : []), noise);
  return { messages: [...messages, ...digests], state: next };
}

const OVER: readonly AlertTransition['change'][] = ['recovered', 'corrected', 'cleared'];

/** Incidents that are over although no line says so: muted, inhibited, in quiet hours, or without a subject. */
function endings({ transitions }: AlertEvaluation, lines: readonly MessageLine[]): MessageLine[] {
  const told = new Set(lines.map(({ incident }) => incident.id));
  return transitions
    .filter(({ change, incident }) => OVER.includes(change) && incident.told_at !== null)
    .filter(({ incident, digest_only }) => !digest_only && !told.has(incident.id))
    .map(({ incident }) => ({ news: 'ended', incident, held: null }));
}

const isMuted = ({ muted }: AlertIncident, now: number): boolean =>
  muted !== null && Date.parse(muted.until) > now;

const TOLD: Partial<Record<AlertTransition['change'], AlertNews>> = {
  fired: 'fired',
  recovered: 'recovered',
  corrected: 'corrected',
  no_data: 'no_data',
};

/** What a message, or the digest, says about a transition; empty if there is no message. */
export function newsOf({ change, incident, at, digest_only, digest_reason }: AlertTransition): MessageLine[] {
  const news = TOLD[change];
  if (!news || incident.inhibited_by !== null || isMuted(incident, Date.parse(at))) return [];
  return [{ news, incident, held: digest_only ? (digest_reason ?? 'policy') : null }];
}

/** What still fires and was told a multiple of the repeat interval ago, since the evaluation before (its `to`, ms). */
function repetitions({ incidents, transitions, to }: AlertEvaluation, before: number): MessageLine[] {
  const now = Date.parse(to);
  const changed = new Set(
    transitions.filter(({ change }) => TOLD[change]).map(({ incident }) => incident.id),
  );
  return incidents.flatMap((incident): MessageLine[] => {
    const { id, state, fired_at, acknowledged, inhibited_by, digest_only, severity } = incident;
    if (state !== 'firing' || fired_at === null || changed.has(id)) return [];
    if (acknowledged !== null || inhibited_by !== null || digest_only || isMuted(incident, now)) return [];
    const repeats = (at: number) => Math.floor((at - Date.parse(fired_at)) / REPEAT_MS[severity]);
    return repeats(now) > Math.max(0, repeats(before)) ? [{ news: 'repeated', incident, held: null }] : [];
  });
}

/** One message per route, worst line first. @param linesOf lines that the route gets if they match it */
function grouped(
  kind: MessageKind,
  at: string,
  { routes }: DeliveryPolicy,
  linesOf: (route: AlertRoute) => readonly MessageLine[],
  noiseOn: (route: AlertRoute) => readonly NoiseNote[] = () => [],
): AlertMessage[] {
  return routes.flatMap((each): AlertMessage[] => {
    const route = each.name;
    const lines = linesOf(each)
      .filter(({ incident }) => routesOf(incident, routes).includes(route))
      .sort(worstFirst);
    const noise = each.digest ? noiseOn(each) : [];
    if (lines.length === 0 && noise.length === 0) return [];
    return [{ route, kind, at, lines, ...(noise.length > 0 ? { noise } : {}) }];
  });
}

const NEWS_ORDER: readonly AlertNews[] = ['fired', 'repeated', 'corrected', 'no_data', 'recovered', 'ended'];

/** By news that may need an action, severity, scope and distance from the limit; then by name, so that the order is total. */
export function worstFirst(a: MessageLine, b: MessageLine): number {
  const isOpen = ({ news }: MessageLine) => Number(news !== 'fired' && news !== 'repeated');
  const rank = <T>(list: readonly T[], of: (incident: AlertIncident) => T) =>
    list.indexOf(of(a.incident)) - list.indexOf(of(b.incident));
  return (
    isOpen(a) - isOpen(b) ||
    rank(ALERT_SEVERITIES, ({ severity }) => severity) ||
    NEWS_ORDER.indexOf(a.news) - NEWS_ORDER.indexOf(b.news) ||
    rank(ALERT_SCOPES, ({ subject }) => subject.scope) ||
    distance(b.incident) - distance(a.incident) ||
    rank(ALERT_RULES, ({ rule }) => rule) ||
    compareText(a.incident.key, b.incident.key) ||
    compareText(a.incident.id, b.incident.id)
  );
}

/** How far the value is from its limit, relative to the limit; an invalid value is farthest. */
function distance({ evidence: { value, limit } }: AlertIncident): number {
  if (limit === null) return 0;
  if (value === null) return Number.MAX_VALUE;
  return Math.abs(value - limit) / Math.max(Math.abs(limit), Number.MIN_VALUE);
}
