import type { AlertIncident } from './incident.js';

/** Who asked for silence about what. Times are ISO 8601. */
export interface Mute {
  readonly id: string;
  /** One of these: the id of an incident, or an application and possibly one of its metrics. */
  readonly incident: string | null;
  readonly application: string | null;
  readonly metric: string | null;
  readonly from: string;
  readonly until: string;
  readonly by: string;
  readonly reason: string;
}

export interface Acknowledgement {
  /** The id of an incident. */
  readonly incident: string;
  readonly at: string;
  readonly by: string;
}

/** What people asked for. */
export interface AlertActions {
  readonly mutes: readonly Mute[];
  readonly acknowledgements: readonly Acknowledgement[];
}

export const NO_ACTIONS: AlertActions = { mutes: [], acknowledgements: [] };

/** The mutes that are in force, the last to end first. @param now ms */
export const activeMutes = (mutes: readonly Mute[], now: number): Mute[] =>
  mutes
    .filter(({ until }) => Date.parse(until) > now)
    .sort((a, b) => Date.parse(b.until) - Date.parse(a.until));

type Muted = Pick<AlertIncident, 'id' | 'subject'>;

/** The mute of an incident that ends last; null if there is none. @param now ms */
export function muteOf({ mutes }: AlertActions, incident: Muted, now: number): AlertIncident['muted'] {
  const mute = activeMutes(mutes, now).find((each) => isMuteOf(each, incident));
  return mute ? { until: mute.until, by: mute.by, reason: mute.reason } : null;
}

/** Whether a mute is of this incident, its metric or its application. */
export function isMuteOf(mute: Mute, { id, subject: { application, metric } }: Muted): boolean {
  if (mute.incident !== null) return mute.incident === id;
  if (mute.application === null || mute.application !== application) return false;
  return mute.metric === null || mute.metric === metric;
}

export function acknowledgementOf(
  { acknowledgements }: AlertActions,
  id: string,
): AlertIncident['acknowledged'] {
  const found = acknowledgements.find(({ incident }) => incident === id);
  return found ? { at: found.at, by: found.by } : null;
}
