import { type AlertIncident, type AlertRule, incidentKey } from './incident.js';
import { INHIBITED_ON_SUBJECT, INHIBITS_METRICS } from './policy.js';

type Candidate = Pick<AlertIncident, 'key' | 'rule' | 'subject' | 'state' | 'digest_reason'>;

/**
 * The key of the incident that makes another one superfluous: a rule with the same cause on the same subject, or an alert on
 * the metric's application; null if there is none.
 * @param open all incidents that are not ok, by key
 */
export function inhibitorOf(incident: Candidate, open: ReadonlyMap<string, Candidate>): string | null {
  for (const key of inhibitorKeys(incident)) {
    const inhibitor = open.get(key);
    if (inhibitor && inhibits(inhibitor, incident)) return key;
  }
  return null;
}

/** What late runs show about the past must not hide what happens now. */
const inhibits = (inhibitor: Candidate, incident: Candidate): boolean =>
  (inhibitor.state === 'firing' || inhibitor.state === 'recovering') &&
  (inhibitor.digest_reason !== 'late_data' || incident.digest_reason === 'late_data');

function inhibitorKeys({ rule, subject }: Candidate): string[] {
  const isMetric = subject.scope === 'metric' && INHIBITS_METRICS.includes(rule);
  const application = { ...subject, scope: 'application' as const, metric: null };
  return [
    ...(isMetric ? INHIBITS_METRICS.map((each) => incidentKey(each, application)) : []),
    ...(Object.entries(INHIBITED_ON_SUBJECT) as [AlertRule, readonly AlertRule[]][]).flatMap(
      ([other, inhibited]) => (inhibited.includes(rule) ? [incidentKey(other, subject)] : []),
    ),
  ];
}
