import fc from 'fast-check';
import type {
  AlertEvaluation,
  AlertIncident,
  AlertTransition,
} from '../../../../src/domain/alerts/incident.js';
import { type Plan, type PlanState, planMessages } from '../../../../src/domain/alerts/plan-messages.js';
import type { AlertRoute, DeliveryPolicy } from '../../../../src/domain/alerts/routes.js';
import { MS_PER_HOUR } from '../../../../src/domain/time.js';
import { incident } from './incidents.js';

const route = (parts: Partial<AlertRoute> & { name: string }): AlertRoute => ({
  owner: [],
  application: [],
  severity: [],
  continue: false,
  digest: true,
  ends: false,
  ...parts,
});
const POLICY: DeliveryPolicy = {
  routes: [route({ name: 'all' })],
  quiet_hours: null,
  digest: { at: '09:00', time_zone: 'UTC' },
};
const NIGHT = { from: '22:00', to: '07:00', time_zone: 'UTC', severity: ['critical', 'warning'] } as const;

type Change = AlertTransition['change'];
interface Step {
  readonly at: string;
  readonly changes?: readonly [Change, AlertIncident][];
  /** Those that are open after the changes. */
  readonly open?: readonly AlertIncident[];
}

function evaluation(sequence: number, { at, changes = [], open = [] }: Step): AlertEvaluation {
  return {
    sequence,
    to: at,
    kind: 'data',
    pipeline_run_id: null,
    observed_until: null,
    last: { data: at, service: null },
    software: 'test',
    transitions: changes.map(([change, changed], n) => ({
      id: `${sequence}-${n}`,
      at,
      from: 'ok',
      to: changed.state,
      change,
      incident: changed,
      digest_only: changed.digest_only,
      digest_reason: changed.digest_reason,
    })),
    incidents: open,
  };
}

/** The plans of evaluations one after another. */
function plans(steps: readonly Step[], policy = POLICY): Plan[] {
  let state: PlanState | null = null;
  return steps.map((step, n) => {
    const plan: Plan = planMessages(state, evaluation(n + 1, step), policy);
    state = plan.state;
    return plan;
  });
}

/** `kind news,news` of every message of each step. */
const summary = (all: readonly Plan[]) =>
  all.map(({ messages }) => messages.map(({ kind, lines }) => `${kind} ${lines.map(({ news }) => news)}`));

const RED = incident({ fired_at: '2026-11-28T09:45:00.000Z' });

test('15 metrics that turn red together are one message with 15 lines, worst first', () => {
  const reds = Array.from({ length: 15 }, (_, n) =>
    incident({
      id: `id-${n}`,
      severity: n % 3 === 0 ? 'warning' : 'critical',
      subject: { scope: 'metric', application: 'a', metric: `m${n}`, item: null },
      evidence: { value: 0.8 - n / 100 },
    }),
  );
  const [plan] = plans([{ at: RED.since, changes: reds.map((each) => ['fired', each]), open: reds }]);
  expect(plan?.messages).toHaveLength(1);
  const lines = plan?.messages[0]?.lines.map(
    ({ incident: { severity, subject } }) => `${severity} ${subject.metric}`,
  );
  expect(lines).toHaveLength(15);
  expect(lines?.[0]).toBe('critical m14');
  expect(lines?.slice(10).every((line) => line.startsWith('warning'))).toBe(true);
});

test.each([
  ['critical', 4],
  ['warning', 24],
] as const)('A %s alert that still fires is repeated after %i h, once', (severity, hours) => {
  const red = incident({ severity, fired_at: '2026-11-28T09:45:00.000Z' });
  const after = (h: number, minutes: number) =>
    new Date(Date.parse('2026-11-28T09:45:00Z') + h * MS_PER_HOUR + minutes * 60_000).toISOString();
  const steps: Step[] = [
    { at: '2026-11-28T09:45:00.000Z', changes: [['fired', red]], open: [red] },
    { at: after(hours, -5), open: [red] },
    { at: after(hours, 0), open: [red] },
    { at: after(hours, 5), open: [red] },
    // The service was down for two intervals.
    { at: after(3 * hours, 5), open: [red] },
  ];
  expect(summary(plans(steps))).toEqual([['alert fired'], [], ['alert repeated'], [], ['alert repeated']]);
});

const MUTED = { until: '2027-01-01T00:00:00.000Z', by: 'ana', reason: 'known' };
test.each([
  ['acknowledged', { acknowledged: { at: RED.since, by: 'ana' } }],
  ['muted', { muted: MUTED }],
  ['inhibited', { inhibited_by: 'other' }],
  ['only for the digest', { digest_only: true }],
  ['recovering', { state: 'recovering' }],
] as const)('An alert that is %s is not repeated', (_, parts) => {
  const red = incident(parts);
  expect(summary(plans([{ at: RED.since }, { at: '2026-11-29T08:00:00.000Z', open: [red] }]))).toEqual([
    [],
    [],
  ]);
});

test('The digest comes at its hour, once, with what was only for it and the newest state of each', () => {
  const late = incident({ id: 'late', digest_only: true, digest_reason: 'late_data' });
  const gone = incident({ id: 'gone', digest_only: true, digest_reason: 'policy' });
  const worse = incident({ ...late, evidence: { value: 0.5 } });
  const all = plans([
    {
      at: '2026-11-28T10:00:00.000Z',
      changes: [
        ['fired', late],
        ['fired', gone],
      ],
      open: [late, gone],
    },
    { at: '2026-11-28T12:00:00.000Z', changes: [['recovered', gone]], open: [late] },
    { at: '2026-11-29T08:55:00.000Z', open: [worse] },
    { at: '2026-11-29T09:05:00.000Z', open: [worse] },
    { at: '2026-11-29T09:10:00.000Z', open: [worse] },
  ]);
  expect(summary(all)).toEqual([[], [], [], ['digest fired,recovered'], []]);
  expect(all[3]?.messages[0]?.lines.map(({ held }) => held)).toEqual(['late_data', 'policy']);
  expect(all[3]?.messages[0]?.lines[0]?.incident.evidence.value).toBe(0.5);
});

test('The hour of the digest follows its time zone over a change of clocks', () => {
  const zone: DeliveryPolicy = { ...POLICY, digest: { at: '09:00', time_zone: 'Europe/Berlin' } };
  const late = incident({ digest_only: true, digest_reason: 'policy' });
  const steps: Step[] = [
    // 29 March 2026, 02:00 becomes 03:00.
    { at: '2026-03-28T09:00:00.000Z', changes: [['fired', late]], open: [late] },
    { at: '2026-03-29T06:55:00.000Z', open: [late] },
    { at: '2026-03-29T07:00:00.000Z', open: [late] },
  ];
  expect(summary(plans(steps, zone))).toEqual([[], [], ['digest fired']]);
});

test('Quiet hours hold messages for the digest and repeat nothing', () => {
  const red = incident({ fired_at: '2026-11-28T22:30:00.000Z' });
  const all = plans(
    [
      { at: '2026-11-28T22:30:00.000Z', changes: [['fired', red]], open: [red] },
      { at: '2026-11-29T06:35:00.000Z', open: [red] },
      { at: '2026-11-29T07:05:00.000Z', open: [red] },
      { at: '2026-11-29T09:00:00.000Z', open: [red] },
      { at: '2026-11-29T10:30:00.000Z', open: [red] },
    ],
    { ...POLICY, quiet_hours: NIGHT },
  );
  // The repetition of 06:30 is in the quiet hours, that of 10:30 is not.
  expect(summary(all)).toEqual([[], [], [], ['digest fired'], ['alert repeated']]);
});

test('What recovers before the digest is told only there', () => {
  const red = incident({ id: 'x' });
  const all = plans(
    [
      { at: '2026-11-28T23:00:00.000Z', changes: [['fired', red]], open: [red] },
      { at: '2026-11-29T08:00:00.000Z', changes: [['recovered', red]] },
      { at: '2026-11-29T09:00:00.000Z' },
    ],
    { ...POLICY, quiet_hours: NIGHT },
  );
  expect(summary(all)).toEqual([[], [], ['digest recovered']]);
});

test('Quiet hours of warnings let critical alerts through', () => {
  const policy = { ...POLICY, quiet_hours: { ...NIGHT, severity: ['warning'] as const } };
  const [plan] = plans([{ at: '2026-11-28T23:00:00.000Z', changes: [['fired', RED]], open: [RED] }], policy);
  expect(plan?.messages).toHaveLength(1);
});

test('An incident goes to the first route that matches, and on while a route says so', () => {
  const routes = [
    route({ name: 'audit', severity: ['critical'], continue: true }),
    route({ name: 'fraud', application: ['fraud-*'] }),
    route({ name: 'owner', owner: ['ml-fraud'] }),
    route({ name: 'rest' }),
  ];
  const warning = incident({
    id: 'w',
    severity: 'warning',
    subject: { scope: 'application', application: 'x', metric: null, item: null },
  });
  const nobody = incident({
    id: 'n',
    severity: 'warning',
    owner: null,
    subject: { scope: 'service', application: null, metric: null, item: null },
  });
  const [plan] = plans(
    [
      {
        at: RED.since,
        changes: [
          ['fired', RED],
          ['fired', warning],
          ['fired', nobody],
        ],
      },
    ],
    { ...POLICY, routes },
  );
  const told = plan?.messages.map(({ route: name, lines }) => [
    name,
    lines.map(({ incident: { id } }) => id),
  ]);
  expect(told).toEqual([
    ['audit', [RED.id]],
    ['fraud', [RED.id]],
    ['owner', ['w']],
    ['rest', ['n']],
  ]);
});

describe('whatever happens', () => {
  const change = fc.constantFrom<Change>(
    'pending',
    'fired',
    'cleared',
    'recovering',
    'refired',
    'recovered',
    'corrected',
    'no_data',
    'muted',
    'unmuted',
    'acknowledged',
    'inhibited',
  );
  const any = fc
    .record({
      id: fc.constantFrom('a', 'b', 'c', 'd'),
      severity: fc.constantFrom('critical' as const, 'warning' as const),
      muted: fc.constantFrom(null, MUTED),
      inhibited_by: fc.constantFrom(null, 'other'),
      digest_only: fc.boolean(),
    })
    .map((parts) => incident({ ...parts, digest_reason: parts.digest_only ? 'policy' : null }));
  const step = fc.record({
    minutes: fc.integer({ min: 1, max: 700 }),
    changes: fc.array(fc.tuple(change, any), { maxLength: 4 }),
    open: fc.array(any, { maxLength: 4 }),
  });
  const quiet = fc.constantFrom(null, NIGHT);
  const history = fc.array(step, { minLength: 1, maxLength: 30 });
  const stepsOf = (
    raw: readonly { minutes: number; changes: [Change, AlertIncident][]; open: AlertIncident[] }[],
  ) => {
    let at = Date.parse('2026-11-28T09:45:00Z');
    return raw.map(({ minutes, changes, open }): Step => {
      at += minutes * 60_000;
      return { at: new Date(at).toISOString(), changes, open };
    });
  };

  test('equal evaluations make equal messages, one alert and one digest per route at most', () => {
    fc.assert(
      fc.property(history, quiet, (raw, quiet_hours) => {
        const steps = stepsOf(raw);
        const policy = { ...POLICY, quiet_hours };
        const all = plans(steps, policy);
        expect(plans(steps, policy)).toEqual(all);
        for (const { messages } of all) {
          const kinds = messages.map(({ route: name, kind }) => `${name} ${kind}`);
          expect(new Set(kinds).size).toBe(kinds.length);
        }
      }),
    );
  });

  test('nothing muted is delivered, nothing inhibited by an alert, and no alert in quiet hours', () => {
    fc.assert(
      fc.property(history, quiet, (raw, quiet_hours) => {
        for (const { messages } of plans(stepsOf(raw), { ...POLICY, quiet_hours })) {
          for (const { kind, lines, at } of messages) {
            expect(lines.filter(({ incident: { muted } }) => muted !== null)).toEqual([]);
            if (kind === 'alert')
              expect(lines.filter(({ incident: { inhibited_by } }) => inhibited_by !== null)).toEqual([]);
            const hour = Number(at.slice(11, 13));
            if (quiet_hours) expect(hour >= 7 && hour < 22).toBe(true);
          }
        }
      }),
    );
  });

  test('what is told once is told in the same evaluation or in the next digest', () => {
    fc.assert(
      fc.property(history, quiet, (raw, quiet_hours) => {
        const steps = stepsOf(raw);
        const all = plans(steps, { ...POLICY, quiet_hours });
        const waiting = new Set<string>();
        all.forEach(({ messages, state }, n) => {
          for (const [name, { id, muted, inhibited_by }] of steps[n]?.changes ?? [])
            if (['fired', 'recovered', 'corrected', 'no_data'].includes(name) && !muted && !inhibited_by)
              waiting.add(id);
          for (const { lines } of messages)
            for (const {
              incident: { id },
            } of lines)
              waiting.delete(id);
          // Muted since: the digest leaves it out.
          if (messages.some(({ kind }) => kind === 'digest') || state.held.length === 0) waiting.clear();
          for (const id of waiting)
            expect(state.held.map(({ incident: { id: held } }) => held)).toContain(id);
        });
      }),
    );
  });
});
