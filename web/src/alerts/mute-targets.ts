import type { Mute } from '../../../src/domain/alerts/actions.js';
import type { Incident } from './open-incidents.js';

/** What can be muted because of an incident, the least first, with what is requested. */
export function muteTargets({
  id,
  subject: { application, metric },
  evidence: { display_name },
}: Pick<Incident, 'id' | 'subject' | 'evidence'>): {
  readonly label: string;
  readonly request: Partial<Pick<Mute, 'incident' | 'application' | 'metric'>>;
}[] {
  return [
    { label: 'This alert', request: { incident: id } },
    ...(application !== null && metric !== null
      ? [
          {
            label: `All alerts on ${display_name ?? metric} of ${application}`,
            request: { application, metric },
          },
        ]
      : []),
    ...(application !== null ? [{ label: `All alerts on ${application}`, request: { application } }] : []),
  ];
}

/** What a mute is of: `All alerts on churn`. @param one names the alert if it is of one only */
export function mutedText(
  { application, metric }: Pick<Mute, 'application' | 'metric'>,
  one: string,
): string {
  if (application === null) return one;
  return metric === null ? `All alerts on ${application}` : `All alerts on ${metric} of ${application}`;
}

/** Instead of a number of hours. */
export const UNTIL_DATE = 'date';

/**
 * When a mute ends, ISO 8601.
 * @param hours a number, or `UNTIL_DATE`
 * @param date of a `datetime-local` input: `2026-12-01T08:00`
 * @param now ms
 * @param inUtc whether the date is in UTC, and not in the zone of the browser
 */
export function muteEnd(hours: string, date: string, now: number, inUtc: boolean): string {
  const end = hours === UNTIL_DATE ? Date.parse(inUtc ? `${date}Z` : date) : now + Number(hours) * 3_600_000;
  return new Date(end).toISOString();
}
