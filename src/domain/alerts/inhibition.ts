import { type AlertIncident, type AlertRule, incidentKey } from './incident.js';
import { PLATFORM } from './make-signal.js';
import { INHIBITED_ON_SUBJECT, INHIBITS_APPLICATIONS, INHIBITS_METRICS } from './policy.js';

type Candidate = Pick<AlertIncident, 'key' | 'rule' | 'subject' | 'state' | 'digest_reason' | 'evidence'>;

/**
 * The key of the incident that makes another one superfluous: a rule with the same cause on the same subject, or an alert on
 * the metric's application; null if there is none.
 * @param open all incidents that are not ok, by key
 * @param before the incident in the evaluation before; `undefined` if it was ok
 */
export function inhibitorOf(
  incident: Candidate,
  open: ReadonlyMap<string, Candidate>,
  before: Pick<AlertIncident, 'inhibited_by' | 'evidence'> | undefined,
): string | null {
  for (const key of inhibitorKeys(incident)) {
    const inhibitor = open.get(key);
    if (!inhibitor) continue;
    if (inhibits(inhibitor, incident)) return key;
    // Its runs have become too old for the other rule, which told of this one: it is no news.
    const wasInhibited = before?.inhibited_by === key && inhibitor.state === 'no_data';
    if (wasInhibited && isSameRun(before, incident)) return key;
  }
  return null;
}

const isSameRun = (a: Pick<Candidate, 'evidence'>, b: Pick<Candidate, 'evidence'>): boolean =>
  a.evidence.run !== null && a.evidence.run.run_id === b.evidence.run?.run_id;

/** What late runs show about the past must not hide what happens now. */
const inhibits = (inhibitor: Candidate, incident: Candidate): boolean =>
  (inhibitor.state === 'firing' || inhibitor.state === 'recovering') &&
  (inhibitor.digest_reason !== 'late_data' || incident.digest_reason === 'late_data');

function inhibitorKeys({ rule, subject }: Candidate): string[] {
  const isMetric = subject.scope === 'metric' && INHIBITS_METRICS.includes(rule);
  const application = { ...subject, scope: 'application' as const, metric: null };
  const isApplication = subject.scope === 'application' && INHIBITS_APPLICATIONS.includes(rule);
  return [
    ...(isApplication ? [incidentKey(rule, PLATFORM)] : []),
    ...(isMetric ? INHIBITS_METRICS.map((each) => incidentKey(each, application)) : []),
    ...(Object.entries(INHIBITED_ON_SUBJECT) as [AlertRule, readonly AlertRule[]][]).flatMap(
      ([other, inhibited]) => (inhibited.includes(rule) ? [incidentKey(other, subject)] : []),
    ),
  ];
}
