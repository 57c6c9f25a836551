import type {
  AlertEvaluation,
  AlertIncident,
  AlertTransition,
} from '../../../../src/domain/alerts/incident.js';
import { messageText } from '../../../../src/domain/alerts/message-text.js';
import type { EvaluationChanges } from '../../../../src/domain/alerts/noise.js';
import { type PlanState, planMessages, tellsNoise } from '../../../../src/domain/alerts/plan-messages.js';
import type { AlertRoute, DeliveryPolicy } from '../../../../src/domain/alerts/routes.js';
import { CONTEXT } from '../../../integration/alerts/messages.js';
import { incident } from './incidents.js';

const route = (name: string, parts: Partial<AlertRoute> = {}): AlertRoute => ({
  name,
  owner: [],
  application: [],
  severity: [],
  continue: true,
  digest: true,
  ends: false,
  ...parts,
});
const policy = (...routes: AlertRoute[]): DeliveryPolicy => ({
  routes,
  quiet_hours: null,
  digest: { at: '09:00', time_zone: 'Europe/Berlin' },
});
/** Monday, 30 November 2026, after 9:00 in Berlin. */
const MONDAY = '2026-11-30T08:01:00.000Z';
const STATE: PlanState = { through: 1, to: '2026-11-29T10:00:00.000Z', digest_day: '2026-11-29', held: [] };

const evaluation = (
  to: string,
  changes: readonly [AlertTransition['change'], AlertIncident][] = [],
): AlertEvaluation => ({
  sequence: 2,
  to,
  kind: 'data',
  pipeline_run_id: null,
  observed_until: null,
  last: { data: to, service: null },
  software: 'test',
  transitions: changes.map(([change, each], n) => ({
    id: `2-${n}`,
    at: to,
    from: 'firing',
    to: 'ok',
    change,
    incident: each,
    digest_only: each.digest_only,
    digest_reason: each.digest_reason,
  })),
  incidents: [],
});
const fired = (application: string, times: number): EvaluationChanges[] =>
  Array.from({ length: times }, (_, n) => {
    const subject = { scope: 'application', application, metric: null, item: null } as const;
    const each = incident({ id: `${application}-${n}`, rule: 'critical_runs', subject, worst: 30 + n });
    return { to: Date.parse(MONDAY) - n * 86_400_000, changes: [{ change: 'fired', incident: each }] };
  });

test('The digest of Mondays tells each route the noise of its own alerts, also if nothing else is in it', () => {
  const routes = policy(
    route('fraud', { application: ['fraud*'] }),
    route('churn', { application: ['churn'] }),
    route('quiet', { application: ['other'] }),
    route('pager', { digest: false }),
  );
  const monday = evaluation(MONDAY);
  expect(tellsNoise(STATE, monday, routes)).toBe(true);
  const { messages, state } = planMessages(STATE, monday, routes, [
    ...fired('fraud-a', 4),
    ...fired('churn', 1),
  ]);
  expect(
    messages.map(({ kind, noise, ...rest }) => [rest.route, kind, noise?.map((each) => each.fired)]),
  ).toEqual([
    ['fraud', 'digest', [4]],
    ['churn', 'digest', [1]],
  ]);
  expect(messages[0]?.noise?.[0]?.halving).toEqual({ setting: 'limit', value: 31, fired: 2 });
  expect(state.digest_day).toBe('2026-11-30');
  const [first] = messages.flatMap((each) => messageText(each, CONTEXT));
  expect(first).toMatchObject({
    title: 'DIGEST · noise of the last 30 days',
    notes: [
      'Noise of the last 30 days, by rule',
      'critical_runs: fired 4 times · with limit: 31 it would have fired 2 times',
    ],
  });
});

test.each([
  ['on another day', { ...STATE, digest_day: '2026-11-30' }, '2026-12-01T08:01:00.000Z'],
  ['before its hour', STATE, '2026-11-30T07:59:00.000Z'],
  ['a second time', { ...STATE, digest_day: '2026-11-30' }, '2026-11-30T12:00:00.000Z'],
  ['at the first evaluation', null, MONDAY],
])('Noise is not told %s', (_, state, to) => {
  expect(tellsNoise(state, evaluation(to), policy(route('all')))).toBe(false);
  expect(planMessages(state, evaluation(to), policy(route('all')), fired('churn', 9)).messages).toEqual([]);
});

describe('A route whose receiver keeps incidents open', () => {
  const muted = { until: '2026-12-09T00:00:00.000Z', by: 'ana', reason: 'x' };
  const plan = (changes: Parameters<typeof evaluation>[1], quiet = false) =>
    planMessages(STATE, evaluation('2026-11-29T11:00:00.000Z', changes), {
      ...policy(route('pager', { ends: true }), route('chat')),
      quiet_hours: quiet ? { from: '00:00', to: '23:59', time_zone: 'UTC', severity: ['critical'] } : null,
    }).messages.map(({ route: name, lines }) => `${name} ${lines.map(({ news }) => news)}`);

  test.each([
    ['is muted', 'cleared', { muted }],
    ['is inhibited', 'recovered', { inhibited_by: 'another' }],
    ['has lost its subject', 'cleared', {}],
  ] as const)('gets the end of what %s, and nobody else does', (_, change, parts) => {
    expect(plan([[change, incident(parts)]])).toEqual(['pager ended']);
  });

  test('gets an end within quiet hours', () => {
    expect(plan([['recovered', incident()]], true)).toEqual(['pager ended']);
  });

  test('gets a usual recovery once', () => {
    expect(plan([['recovered', incident()]])).toEqual(['pager recovered', 'chat recovered']);
  });

  test.each([
    ['was never told', { told_at: null }],
    ['only the digest told', { digest_only: true }],
  ])('gets no end of what %s', (_, parts) => {
    expect(plan([['cleared', incident(parts)]])).toEqual([]);
  });
});
