import { ALERT_SEVERITIES, type AlertIncident, type AlertSeverity } from '../domain/alerts/incident.js';
import type { Light } from '../domain/model.js';
import { compareText } from '../domain/text.js';
import type { CurrentLights } from '../state/current-lights.js';
import type { Metrics } from './metrics.js';

/** The application of the series that all others share. One with this name has no series of its own. */
export const OTHER_APPLICATIONS = '__other__';
/** Applications with a series of their own in each metric. */
const MAX_APPLICATIONS = 100;
const WORST_FIRST: readonly Light[] = ['critical', 'warning', 'no_data', 'unmonitored', 'healthy'];
/** The metrics with a series per application; values of the label `family`. */
export const APPLICATION_FAMILIES = [
  'application_light',
  'application_pass_ratio',
  'seconds_to_breach',
  'application_alerts_firing',
] as const;

interface Named {
  readonly application: string;
}

/** Incidents that people are notified of; those that `alerts_firing` counts include what only the digest tells. */
export const isFiring = ({ state, muted, inhibited_by }: AlertIncident): boolean =>
  (state === 'firing' || state === 'recovering') && muted === null && inhibited_by === null;

/** Owners from `owners.yaml` are in incidents only; those in tags are in both. */
export function ownersOf(incidents: readonly AlertIncident[]): ReadonlyMap<string, string> {
  return new Map(
    incidents.flatMap(({ subject: { application }, owner }) =>
      application === null || owner === null ? [] : [[application, owner] as const],
    ),
  );
}

/** @param owners by application, before the owner of its tags @param now ms */
export function exposeApplications(
  metrics: Metrics,
  { applications, likely_soon }: CurrentLights,
  owners: ReadonlyMap<string, string>,
  now: number,
): void {
  const tagged = new Map(applications.map(({ application, owner }) => [application, owner]));
  const ownerOf = (application: string) => owners.get(application) ?? tagged.get(application) ?? '';
  const byNeed = [...applications].sort(
    (a, b) =>
      Number(b.needs_attention) - Number(a.needs_attention) ||
      rank(a.light) - rank(b.light) ||
      (a.pass_rate ?? 100) - (b.pass_rate ?? 100) ||
      compareText(a.application, b.application),
  );
  const lights = fold(metrics, 'application_light', byNeed);
  for (const { application, light } of lights.own) {
    metrics.application_light.set({ application, owner: ownerOf(application), light }, 1);
  }
  const worst = WORST_FIRST.find((light) => lights.rest.some((each) => each.light === light));
  if (worst) metrics.application_light.set({ application: OTHER_APPLICATIONS, owner: '', light: worst }, 1);

  const rated = byNeed.flatMap(({ application, pass_rate }) =>
    pass_rate === null ? [] : [{ application, ratio: pass_rate / 100 }],
  );
  const ratios = fold(metrics, 'application_pass_ratio', rated);
  for (const { application, ratio } of ratios.own) metrics.application_pass_ratio.set({ application }, ratio);
  if (ratios.rest.length > 0) {
    const lowest = Math.min(...ratios.rest.map(({ ratio }) => ratio));
    metrics.application_pass_ratio.set({ application: OTHER_APPLICATIONS }, lowest);
  }

  const breaches = fold(metrics, 'seconds_to_breach', likely_soon);
  const left = (expected: string) => Math.max(0, Date.parse(expected) - now) / 1000;
  for (const { application, metric, next: status, expected } of breaches.own) {
    const labels = { application, owner: ownerOf(application), metric: metric.name, status };
    metrics.seconds_to_breach.set(labels, left(expected));
  }
  const [soonest] = breaches.rest;
  if (soonest) {
    const labels = { application: OTHER_APPLICATIONS, owner: '', metric: OTHER_APPLICATIONS };
    metrics.seconds_to_breach.set({ ...labels, status: soonest.next }, left(soonest.expected));
  }
}

export function exposeApplicationAlerts(metrics: Metrics, incidents: readonly AlertIncident[]): void {
  const byApplication = new Map<string, { severity: AlertSeverity; owner: string; count: number }>();
  for (const { subject, severity, owner } of incidents.filter(
    (each) => isFiring(each) && !each.digest_only,
  )) {
    if (subject.application === null) continue;
    const known = byApplication.get(subject.application);
    byApplication.set(subject.application, {
      severity: worse(known?.severity ?? severity, severity),
      owner: known?.owner || owner || '',
      count: (known?.count ?? 0) + 1,
    });
  }
  const byNeed = [...byApplication]
    .map(([application, alerts]) => ({ application, ...alerts }))
    .sort(
      (a, b) =>
        severityRank(a.severity) - severityRank(b.severity) ||
        b.count - a.count ||
        compareText(a.application, b.application),
    );
  const { own, rest } = fold(metrics, 'application_alerts_firing', byNeed);
  for (const { application, owner, severity, count } of own) {
    metrics.application_alerts_firing.set({ application, owner, severity }, count);
  }
  const [worst] = rest;
  if (worst) {
    const labels = { application: OTHER_APPLICATIONS, owner: '', severity: worst.severity };
    const total = rest.reduce((sum, { count }) => sum + count, 0);
    metrics.application_alerts_firing.set(labels, total);
  }
}

/** Splits a ranking, and says how many applications share a series. */
function fold<T extends Named>(
  metrics: Metrics,
  family: (typeof APPLICATION_FAMILIES)[number],
  ranked: readonly T[],
): { readonly own: readonly T[]; readonly rest: readonly T[] } {
  const own = ranked
    .filter(({ application }) => application !== OTHER_APPLICATIONS)
    .slice(0, MAX_APPLICATIONS);
  const kept = new Set(own);
  const rest = ranked.filter((each) => !kept.has(each));
  metrics.folded_applications.set({ family }, rest.length);
  return { own, rest };
}

const rank = (light: Light): number => WORST_FIRST.indexOf(light);
const severityRank = (severity: AlertSeverity): number => ALERT_SEVERITIES.indexOf(severity);
const worse = (a: AlertSeverity, b: AlertSeverity): AlertSeverity =>
  severityRank(a) <= severityRank(b) ? a : b;
