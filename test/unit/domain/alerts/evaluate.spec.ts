import { isTold } from '../../../../src/domain/alerts/transitions.js';
import {
  application,
  changes,
  Evaluations,
  MINUTE,
  metric,
  PERIOD,
  policyWith,
  START,
  signal,
} from './signals.js';

const violated = signal('violated');
const met = signal('met');

describe('an incident', () => {
  test('fires once, recovers after its keep-firing time, and is gone', () => {
    const evaluations = Evaluations.quiet();
    expect(changes(evaluations.next([violated]))).toEqual(['fired']);
    expect(evaluations.during(60, [violated])).toEqual([]);
    expect(evaluations.during(30, [met])).toEqual(['recovering']);
    expect(changes(evaluations.next([met]))).toEqual(['recovered']);
    expect(evaluations.newest?.incidents).toEqual([]);
  });

  test('that is violated again while it recovers goes on without news', () => {
    const evaluations = Evaluations.quiet();
    evaluations.next([violated]);
    const [, resumed] = [evaluations.during(20, [met]), evaluations.next([violated])];
    expect(changes(resumed)).toEqual(['refired']);
    expect(resumed.some(isTold)).toBe(false);
  });

  test('between limit and recovery limit goes on, and does not begin', () => {
    const evaluations = Evaluations.quiet();
    expect(evaluations.during(30, [signal('between')])).toEqual([]);
    evaluations.next([violated]);
    expect(evaluations.during(120, [signal('between')])).toEqual([]);
    expect(evaluations.newest?.incidents).toMatchObject([{ state: 'firing' }]);
  });

  test('fires after N of M violations', () => {
    const evaluations = Evaluations.quiet(policyWith('critical_runs', { violations: 2, evaluations: 3 }));
    expect(changes(evaluations.next([violated]))).toEqual(['pending']);
    expect(changes(evaluations.next([met]))).toEqual([]);
    expect(changes(evaluations.next([violated]))).toEqual(['fired']);
  });

  test('that is pending is dropped once none of the last M evaluations violates the limit', () => {
    const evaluations = Evaluations.quiet(policyWith('critical_runs', { violations: 2, evaluations: 2 }));
    expect([violated, met, met].map((each) => changes(evaluations.next([each])))).toEqual([
      ['pending'],
      [],
      ['cleared'],
    ]);
  });

  test('with a duration fires when it has lasted, unless it was interrupted', () => {
    const evaluations = Evaluations.quiet(policyWith('critical_runs', { for_minutes: 15 }));
    expect(evaluations.during(10, [violated])).toEqual(['pending']);
    expect(evaluations.during(5, [met])).toEqual(['cleared']);
    expect(evaluations.during(15, [violated])).toEqual(['pending']);
    expect(evaluations.during(5, [violated])).toEqual(['fired']);
  });

  test('that is pending starts again after a gap of more than three periods', () => {
    const evaluations = Evaluations.quiet(policyWith('critical_runs', { for_minutes: 15 }));
    evaluations.next([violated]);
    expect(evaluations.next([violated], { to: evaluations.to + 3 * PERIOD + 1 })).toEqual([]);
    expect(evaluations.newest?.incidents).toMatchObject([{ state: 'pending' }]);
    expect(evaluations.during(15, [violated])).toEqual(['fired']);
  });

  test('whose subject is gone is cleared', () => {
    const evaluations = Evaluations.quiet();
    evaluations.next([violated]);
    expect(changes(evaluations.next([]))).toEqual(['cleared']);
  });

  test('keeps the worst value', () => {
    const evaluations = Evaluations.quiet();
    const rate = (value: number) =>
      signal('violated', { evidence: { ...violated.evidence, value, higher_is_better: true } });
    for (const value of [70, 40, 60]) evaluations.next([rate(value)]);
    expect(evaluations.newest?.incidents).toMatchObject([{ worst: 40, evidence: { value: 60 } }]);
  });
});

describe('without data', () => {
  const noData = signal('no_data');

  test('an incident is not recovered, and goes on with the next data', () => {
    const evaluations = Evaluations.quiet();
    evaluations.next([violated]);
    expect(evaluations.during(24 * 60, [noData])).toEqual(['no_data']);
    expect(changes(evaluations.next([violated]))).toEqual(['refired']);
  });

  test('an incident is forgotten after a week', () => {
    const evaluations = Evaluations.quiet();
    evaluations.next([violated]);
    expect(evaluations.during(7 * 24 * 60 + 10, [noData])).toEqual(['no_data', 'cleared']);
  });

  test('a window whose runs only became too old is no recovery', () => {
    const evaluations = Evaluations.quiet();
    const window = (runs: number, newest: string) => ({ window: { newest, runs } });
    evaluations.next([signal('violated', window(5, '2026-11-28T08:00:00Z'))]);
    expect(changes(evaluations.next([signal('met', window(2, '2026-11-28T08:00:00Z'))]))).toEqual([
      'no_data',
    ]);
    expect(changes(evaluations.next([signal('met', window(3, '2026-11-28T09:00:00Z'))]))).toEqual([
      'recovering',
    ]);
  });

  test.each([
    ['alert', ['fired']],
    ['keep', []],
    ['ok', []],
    ['ignore', []],
  ] as const)('mode %s: %j of what was ok', (no_data, expected) => {
    const evaluations = Evaluations.quiet(policyWith('critical_runs', { no_data }));
    expect(changes(evaluations.next([noData]))).toEqual(expected);
  });

  test.each([
    ['alert', 'firing'],
    ['keep', 'no_data'],
    ['ok', 'recovering'],
    ['ignore', 'firing'],
  ] as const)('mode %s: what fires is %s', (no_data, state) => {
    const evaluations = Evaluations.quiet(policyWith('critical_runs', { no_data }));
    evaluations.next([violated]);
    evaluations.next([noData]);
    expect(evaluations.newest?.incidents).toMatchObject([{ state }]);
  });
});

describe('what is no news', () => {
  test('is what is red at the first evaluation: only the digest tells it, and the recovery', () => {
    const evaluations = new Evaluations(policyWith('critical_runs', { for_minutes: 60 }));
    const all = [evaluations.next([violated]), evaluations.next([violated]), evaluations.next([met])].flat();
    expect(all).toMatchObject([
      { change: 'fired', digest_only: true, digest_reason: 'first_evaluation' },
      { change: 'recovering', digest_only: true },
    ]);
  });

  test('is what is red at the first evaluation of each kind', () => {
    const evaluations = Evaluations.quiet();
    const down = signal('violated', {
      rule: 'mlflow_down',
      subject: { ...application('x'), scope: 'service' },
    });
    const input = { kind: 'service', to: evaluations.to + MINUTE, periodMs: MINUTE } as const;
    expect(evaluations.next([down], input)).toMatchObject([{ digest_reason: 'first_evaluation' }]);
  });

  test('is what is newly red at the first evaluation after an upgrade', () => {
    const evaluations = Evaluations.quiet();
    evaluations.next([violated]);
    const other = signal('violated', { subject: application('churn') });
    expect(evaluations.next([violated, other], { software: '2' })).toMatchObject([
      { change: 'fired', digest_reason: 'upgrade', incident: { subject: application('churn') } },
    ]);
  });

  test('is not forgotten when the process starts again', () => {
    const evaluations = Evaluations.quiet();
    const restarted = new Evaluations();
    restarted.newest = evaluations.newest;
    restarted.to = evaluations.to;
    expect(restarted.next([violated])).toMatchObject([{ change: 'fired', digest_only: false }]);
  });

  test('is what late runs show, until runs on time show it', () => {
    const evaluations = Evaluations.quiet();
    const late = signal('violated', { verdict_on_time: 'met' });
    expect(evaluations.next([late])).toMatchObject([{ change: 'fired', digest_reason: 'late_data' }]);
    expect(evaluations.during(60, [late])).toEqual([]);
    expect(evaluations.next([violated])).toMatchObject([{ change: 'fired', digest_only: false }]);
    expect(evaluations.during(60, [violated])).toEqual([]);
  });

  test('is what a rule with digest_only finds', () => {
    const evaluations = Evaluations.quiet();
    const likely = signal('violated', { rule: 'likely_breach', subject: metric('fraud', 'recall') });
    expect(evaluations.next([likely])).toMatchObject([{ change: 'fired', digest_reason: 'policy' }]);
  });
});

test('An alert that late runs reverse is corrected at once', () => {
  const evaluations = Evaluations.quiet();
  evaluations.next([violated]);
  const corrected = evaluations.next([signal('met', { verdict_before_late: 'violated' })]);
  expect(changes(corrected)).toEqual(['corrected']);
  expect(corrected.every(isTold)).toBe(true);
});

describe('an evaluation', () => {
  test('that is not later than the previous one of its kind is skipped', () => {
    const evaluations = Evaluations.quiet();
    expect(evaluations.next([violated], { to: evaluations.to })).toEqual([]);
    expect(evaluations.all).toHaveLength(1);
  });

  test('of a clock that was days ahead does not stop later ones', () => {
    const evaluations = Evaluations.quiet();
    evaluations.next([], { to: START + 48 * 60 * MINUTE });
    expect(changes(evaluations.next([violated], { to: START + 10 * MINUTE }))).toEqual(['fired']);
    expect(evaluations.newest?.to).toBe('2026-11-28T09:10:00.000Z');
  });

  test('of a clock that jumps ahead fires nothing that was pending', () => {
    const evaluations = Evaluations.quiet(policyWith('critical_runs', { for_minutes: 30 }));
    evaluations.next([violated]);
    expect(evaluations.next([violated], { to: START + 48 * 60 * MINUTE })).toEqual([]);
  });

  test('leaves the incidents of the other kind as they are', () => {
    const evaluations = Evaluations.quiet();
    evaluations.next([violated]);
    const input = { kind: 'service', to: evaluations.to + MINUTE, periodMs: MINUTE } as const;
    expect(evaluations.next([], input)).toEqual([]);
    expect(evaluations.newest?.incidents).toMatchObject([{ state: 'firing' }]);
  });
});
