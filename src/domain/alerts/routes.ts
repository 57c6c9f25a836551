import { matches } from '../pattern.js';
import { addDays } from '../time.js';
import type { AlertIncident, AlertSeverity } from './incident.js';

/** Which incidents a route delivers. Empty lists match every incident. */
export interface AlertRoute {
  readonly name: string;
  /** Patterns, see `matches`. An incident without an owner matches only an empty list. */
  readonly owner: readonly string[];
  readonly application: readonly string[];
  readonly severity: readonly AlertSeverity[];
  /** Whether the routes after this one are tried as well. */
  readonly continue: boolean;
  /** Whether a channel of it takes the digest. */
  readonly digest: boolean;
  /** Whether a channel of it keeps incidents open until they are closed: it also gets ends that cause no message to people. */
  readonly ends: boolean;
}

/** When delivery is held back, every day. */
export interface QuietHours {
  /** `HH:MM` in the time zone; `from` after `to` includes midnight. */
  readonly from: string;
  readonly to: string;
  readonly time_zone: string;
  /** Of which incidents. */
  readonly severity: readonly AlertSeverity[];
}

/** What decides who gets which message when. */
export interface DeliveryPolicy {
  /** In order: an incident goes to the first one that matches, and on while `continue` is set. */
  readonly routes: readonly AlertRoute[];
  readonly quiet_hours: QuietHours | null;
  /** `HH:MM` of the daily digest; its time zone is also that of the times in messages. */
  readonly digest: { readonly at: string; readonly time_zone: string };
}

/** The names of the routes that deliver an incident, in their order. */
export function routesOf(
  { owner, subject, severity }: Pick<AlertIncident, 'owner' | 'subject' | 'severity'>,
  routes: readonly Omit<AlertRoute, 'digest' | 'ends'>[],
): string[] {
  const found: string[] = [];
  const fits = (patterns: readonly string[], name: string | null) =>
    patterns.length === 0 || (name !== null && patterns.some((pattern) => matches(pattern, name)));
  for (const route of routes) {
    if (!fits(route.owner, owner) || !fits(route.application, subject.application)) continue;
    if (route.severity.length > 0 && !route.severity.includes(severity)) continue;
    found.push(route.name);
    if (!route.continue) break;
  }
  return found;
}

/** The day `YYYY-MM-DD` and the time `HH:MM` of clocks in a zone. @param ms a time */
function localTime(ms: number, zone: string): { readonly day: string; readonly time: string } {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(ms);
  const part = (type: string) => parts.find((each) => each.type === type)?.value ?? '';
  return {
    day: `${part('year')}-${part('month')}-${part('day')}`,
    time: `${part('hour')}:${part('minute')}`,
  };
}

/** Whether delivery of an incident of this severity is held back at a time, ms. */
export function isQuiet(quiet: QuietHours | null, severity: AlertSeverity, ms: number): boolean {
  if (!quiet?.severity.includes(severity)) return false;
  const { from, to } = quiet;
  const { time } = localTime(ms, quiet.time_zone);
  return from <= to ? time >= from && time < to : time >= from || time < to;
}

/** The day `YYYY-MM-DD` of the newest digest that is due at a time, ms: it changes at the hour of the digest. */
export function digestDay({ at, time_zone }: DeliveryPolicy['digest'], ms: number): string {
  const { day, time } = localTime(ms, time_zone);
  return time >= at ? day : addDays(day, -1);
}
