import type { Alerts } from '../../../src/alerts/load-alerts.js';
import { mutedText, muteEnd, muteTargets, UNTIL_DATE } from '../../../web/src/alerts/mute-targets.js';
import { firingCount, type Incident, openIncidents } from '../../../web/src/alerts/open-incidents.js';
import { incident } from '../domain/alerts/incidents.js';

const NOW = Date.parse('2026-11-28T10:00:00Z');
const each = (parts: Parameters<typeof incident>[0]): Incident => ({
  ...incident(parts),
  violations: [],
  notified: null,
});
const alerts = (...incidents: Incident[]): Alerts => ({
  evaluated_to: null,
  problems: [],
  noise: [],
  incidents,
});

describe('open alerts', () => {
  it('are those of an application that lasted long enough, in the order of the service', () => {
    const of = (id: string, parts: Parameters<typeof incident>[0] = {}) => each({ id, ...parts });
    const other = { scope: 'application', application: 'churn', metric: null, item: null } as const;
    const all = alerts(
      of('a', { state: 'no_data' }),
      of('b', { subject: other }),
      of('c', { state: 'pending' }),
      of('d', { state: 'recovering' }),
    );
    expect(openIncidents(all, 'fraud-scoring').map(({ id }) => id)).toEqual(['a', 'd']);
    expect(openIncidents(undefined, 'fraud-scoring')).toEqual([]);
  });

  it('are counted while they fire, muted ones too, parts of others not', () => {
    const muted = { until: '2026-11-29T00:00:00.000Z', by: 'ana', reason: 'x' };
    const all = alerts(
      each({ muted }),
      each({ inhibited_by: 'another' }),
      each({ state: 'pending' }),
      each({ state: 'recovering' }),
      each({}),
    );
    expect(firingCount(all)).toBe(2);
    expect(firingCount(undefined)).toBe(0);
  });
});

describe('a mute', () => {
  it('is of the alert, its metric or its application, as far as it has them', () => {
    const labels = (parts: Parameters<typeof incident>[0]) =>
      muteTargets(each(parts)).map(({ label }) => label);
    expect(labels({})).toEqual([
      'This alert',
      'All alerts on recall of fraud-scoring',
      'All alerts on fraud-scoring',
    ]);
    const service = { scope: 'service', application: null, metric: null, item: null } as const;
    expect(labels({ rule: 'mlflow_down', subject: service })).toEqual(['This alert']);
    expect(muteTargets(each({})).map(({ request }) => request)).toEqual([
      { incident: 'e3b0c44298fc1c14' },
      { application: 'fraud-scoring', metric: 'recall' },
      { application: 'fraud-scoring' },
    ]);
    expect(mutedText({ application: 'churn', metric: 'recall' }, 'One')).toBe(
      'All alerts on recall of churn',
    );
    expect(mutedText({ application: null, metric: null }, 'One')).toBe('One');
  });

  it('ends after some hours, or at a date in the zone of the reader', () => {
    expect(muteEnd('4', '', NOW, false)).toBe('2026-11-28T14:00:00.000Z');
    expect(muteEnd(UNTIL_DATE, '2026-12-01T08:00', NOW, true)).toBe('2026-12-01T08:00:00.000Z');
    const local = new Date(2026, 11, 1, 8).toISOString();
    expect(muteEnd(UNTIL_DATE, '2026-12-01T08:00', NOW, false)).toBe(local);
  });
});
