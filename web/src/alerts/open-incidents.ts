import type { Alerts } from '../../../src/alerts/load-alerts.js';

export type Incident = Alerts['incidents'][number];

/** The alerts of an application, worst first. What has not lasted long enough is none yet. */
export const openIncidents = (alerts: Alerts | undefined, application: string): readonly Incident[] =>
  (alerts?.incidents ?? []).filter(
    ({ subject, state }) => subject.application === application && state !== 'pending',
  );

/** How many alerts fire, muted and acknowledged ones too. Those that are part of another alert do not count. */
export const firingCount = (alerts: Alerts | undefined): number =>
  (alerts?.incidents ?? []).filter(({ state, inhibited_by }) => state === 'firing' && inhibited_by === null)
    .length;
