import type { AlertChange, AlertEvaluation, AlertIncident } from './incident.js';
import { type AlertRoute, routesOf } from './routes.js';

/** How long the end of an incident is sent again, ms. */
export const ENDED_FOR_MS = 5 * 60_000;

const OVER: readonly AlertChange[] = ['recovered', 'corrected', 'cleared'];

/** The incidents of a route as they are now, for receivers that forget what is not sent again. */
export interface CurrentAlerts {
  readonly firing: readonly AlertIncident[];
  /** Ended a short time ago, and not firing again. `at`: ISO 8601 */
  readonly ended: readonly { readonly incident: AlertIncident; readonly at: string }[];
}

/**
 * What fires on a route and has ended on it, of all that people were told by a message. What is muted or inhibited does not
 * fire there. An incident without data goes on.
 * @param evaluations newest last @param now ms
 */
export function currentAlerts(
  evaluations: readonly AlertEvaluation[],
  route: string,
  routes: readonly AlertRoute[],
  now: number,
): CurrentAlerts {
  const isOwn = (incident: AlertIncident) =>
    incident.told_at !== null && !incident.digest_only && routesOf(incident, routes).includes(route);
  const isMuted = ({ muted }: AlertIncident) => muted !== null && Date.parse(muted.until) > now;
  const firing = (evaluations.at(-1)?.incidents ?? []).filter(
    (incident) => isOwn(incident) && !isMuted(incident) && incident.inhibited_by === null,
  );
  const keys = new Set(firing.map(({ key }) => key));
  const ended = evaluations
    .flatMap(({ transitions }) => transitions)
    .filter(({ change, at }) => OVER.includes(change) && Date.parse(at) > now - ENDED_FOR_MS)
    .filter(({ incident }) => isOwn(incident) && !keys.has(incident.key))
    .map(({ incident, at }) => ({ incident, at }));
  return { firing, ended };
}
