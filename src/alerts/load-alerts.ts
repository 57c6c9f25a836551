import { z } from 'zod';
import type { AlertActions } from '../domain/alerts/actions.js';
import { acknowledgementOf, muteOf, NO_ACTIONS } from '../domain/alerts/actions.js';
import { ALERT_RULES, type AlertTransition } from '../domain/alerts/incident.js';
import { noiseOf } from '../domain/alerts/noise.js';
import { readAlertActions } from '../state/alerts/actions.js';
import { alertIncidentSchema, alertTransitionSchema } from '../state/alerts/evaluation-schema.js';
import type { AlertChain } from '../state/alerts/evaluations.js';
import {
  type AlertDelivery,
  EMPTY_OUTBOX,
  readDeliveries,
  readOutbox,
  type UnfinishedMessage,
} from '../state/alerts/outbox.js';
import { brokenKeyOf } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import { readAlertPolicy } from './alert-policies.js';

const notifiedSchema = z.object({
  /** `retrying`: an attempt has failed, another one follows. `failed`: no channel of the route took the message. */
  status: z.enum(['delivered', 'retrying', 'failed']),
  route: z.string(),
  /** How people call the channel that took it, or the last one that did not. */
  channel: z.string().nullable(),
  at: z.iso.datetime(),
  error: z.string().nullable(),
});
type Notified = z.infer<typeof notifiedSchema>;

export const alertsSchema = z.object({
  /** The end of the newest evaluation; null before the first. */
  evaluated_to: z.iso.datetime().nullable(),
  /** Sentences: why a changed `alerts.yaml` or `owners.yaml` is not used, and which documents cannot be read. */
  problems: z.array(z.string()).readonly(),
  /** Those that are not ok, worst first. `notified`: the newest message about it; with several routes, that of the route that fails. */
  incidents: z.array(alertIncidentSchema.extend({ notified: notifiedSchema.nullable() })).readonly(),
  /** How often each rule fired in the last 30 days, and how often an incident of it was acknowledged or muted. */
  noise: z
    .array(z.object({ rule: z.enum(ALERT_RULES), fired: z.int(), acknowledged: z.int(), muted: z.int() }))
    .readonly(),
});
export type Alerts = z.infer<typeof alertsSchema>;

export const transitionsSchema = z.object({
  transitions: z.array(alertTransitionSchema).readonly(),
  /** null: there are no more now. Ask again with the same `after`. */
  next: z.int().nullable(),
});

/** Delivery records that are read: older ones are about incidents that were repeated since. */
const DELIVERIES = 200;

/** Reads a document; what says nothing else if it is damaged. */
type Read = <T>(document: Promise<T>, otherwise: T) => Promise<T>;

/**
 * A damaged document is named in `problems`; the rest is shown.
 * @param now ms: mutes and acknowledgements count at once, not with the next evaluation
 * @param known the delivery records of the call before
 */
export async function loadAlerts(
  store: ObjectStore,
  chain: AlertChain,
  now: number,
  known?: Map<string, AlertDelivery>,
): Promise<Alerts> {
  const damaged: string[] = [];
  const read: Read = (document, otherwise) =>
    document.catch((error: unknown) => {
      const key = brokenKeyOf(error);
      if (key === undefined) throw error;
      damaged.push(key);
      return otherwise;
    });
  const [newest, policy, actions, { unfinished }, deliveries, history] = await Promise.all([
    chain.newest(),
    read(readAlertPolicy(store), undefined),
    read(readAlertActions(store), NO_ACTIONS),
    read(readOutbox(store), EMPTY_OUTBOX),
    readDeliveries(store, DELIVERIES, known, damaged),
    chain.history(),
  ]);
  const incidents = (newest?.incidents ?? []).map((each) => ({
    ...each,
    ...requested(actions, each, now),
    violations: [...each.violations],
    notified: notifiedOf(each.id, unfinished, deliveries),
  }));
  // Those that are part of another alert come last.
  const rank = ({ severity, state, inhibited_by }: (typeof incidents)[number]) =>
    (inhibited_by === null ? 0 : 100) +
    (severity === 'critical' ? 0 : 10) +
    ['firing', 'recovering', 'no_data', 'pending'].indexOf(state);
  return {
    evaluated_to: newest?.to ?? null,
    problems: [
      ...(policy?.problem ? [`The last good policy is in use: ${policy.problem}`] : []),
      ...[...damaged, ...chain.damaged].map((key) => `${key} is damaged; what it says is missing here.`),
    ],
    incidents: incidents.sort((a, b) => rank(a) - rank(b) || (a.since < b.since ? 1 : -1)),
    noise: noiseOf(history, now).map(({ rule, fired, acknowledged, muted }) => ({
      rule,
      fired,
      acknowledged,
      muted,
    })),
  };
}

const requested = (
  actions: AlertActions,
  incident: { readonly id: string; readonly subject: Parameters<typeof muteOf>[1]['subject'] },
  now: number,
) => ({ muted: muteOf(actions, incident, now), acknowledged: acknowledgementOf(actions, incident.id) });

/**
 * Of the newest message of each route the one that fails, else the newest one.
 * @param unfinished oldest first
 * @param deliveries newest first
 */
function notifiedOf(
  id: string,
  unfinished: readonly UnfinishedMessage[],
  deliveries: readonly AlertDelivery[],
): Notified | null {
  const retrying = unfinished.toReversed().flatMap(({ incidents, route, tried }): Notified[] => {
    const last = tried.at(-1);
    if (!last || !incidents.includes(id)) return [];
    return [{ status: 'retrying', route, channel: last.channel, at: last.at, error: last.error }];
  });
  const finished = deliveries.flatMap(
    ({ status, incidents, route, channels, finished_at: at }): Notified[] => {
      const last = channels.at(-1);
      if (status === 'superseded' || status === 'skipped' || !incidents.includes(id)) return [];
      return [{ status, route, channel: last?.channel ?? null, at, error: last?.error ?? null }];
    },
  );
  const all = [...retrying, ...finished];
  const newest = all.filter(({ route }, i) => all.findIndex((each) => each.route === route) === i);
  return newest.find(({ status }) => status !== 'delivered') ?? newest[0] ?? null;
}

/** The transitions of the evaluations after a sequence. An evaluation is given whole, so there may be more than `limit`. */
export async function loadTransitions(
  chain: AlertChain,
  after: number,
  limit: number,
): Promise<{ transitions: readonly AlertTransition[]; next: number | null }> {
  const transitions: AlertTransition[] = [];
  let next = after;
  for await (const evaluation of chain.after(after)) {
    transitions.push(...evaluation.transitions);
    next = evaluation.sequence;
    if (transitions.length >= limit) break;
  }
  return { transitions, next: next === after ? null : next };
}
