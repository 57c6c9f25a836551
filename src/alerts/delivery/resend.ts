import { currentAlerts, ENDED_FOR_MS } from '../../domain/alerts/current-alerts.js';
import type { AlertEvaluation } from '../../domain/alerts/incident.js';
import type { DeliveryPolicy } from '../../domain/alerts/routes.js';
import type { AlertChain } from '../../state/alerts/evaluations.js';
import type { DeliveryOptions } from './deliver.js';

/** Channels whose receivers forget what is not sent again. */
export interface ResentChannel {
  readonly route: string;
  /** Position in the route, from 0. */
  readonly channel: number;
}

/** Sends the state of a route to such a channel. Nothing is recorded: a minute later it is sent again. */
export async function resend(
  { clock, channelsOf, context, log }: DeliveryOptions,
  chain: AlertChain,
  policy: DeliveryPolicy,
  { route, channel: number }: ResentChannel,
): Promise<void> {
  const channel = (await channelsOf(route))[number]?.channel;
  if (!channel?.resend) return;
  const now = clock();
  const state = currentAlerts(await newestEvaluations(chain, now), route, policy.routes, now);
  if (state.firing.length + state.ended.length === 0) return;
  const result = await channel.resend(state, await context(), now);
  if ('error' in result && result.error) log.warn(`${channel.label} was not updated: ${result.error}`);
}

/** The evaluations that can say what has ended, and the newest one, oldest first. */
async function newestEvaluations(chain: AlertChain, now: number): Promise<AlertEvaluation[]> {
  const newest = await chain.newest();
  if (!newest) return [];
  const recent = (await chain.history())
    .filter(({ to, changes }) => to > now - ENDED_FOR_MS && changes.length > 0)
    .filter(({ sequence }) => sequence < newest.sequence);
  return [...(await chain.readAll(recent.map(({ sequence }) => sequence))), newest];
}
