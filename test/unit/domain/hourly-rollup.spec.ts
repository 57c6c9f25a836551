import fc from 'fast-check';
import { judgeHours, sumByHour } from '../../../src/domain/hourly-rollup.js';
import { addCounts, type ChildCounts, light, NO_RUNS, rates } from '../../../src/domain/light.js';
import type { DomainSettings, RunCounts } from '../../../src/domain/model.js';
import { MS_PER_HOUR } from '../../../src/domain/time.js';
import { countsOf, domainDefaults } from '../../support/defaults.js';

const MIDNIGHT = Date.parse('2026-03-10T00:00:00Z');
/** The start of the hour `n` hours after midnight. */
const hour = (n: number): number => MIDNIGHT + n * MS_PER_HOUR;
const healthy = countsOf({ healthy: 1 });
const critical = countsOf({ critical: 1 });
const NO_CHILDREN = { children: 0, critical_children: 0 };

type Hour = readonly [n: number, counts: RunCounts & Partial<ChildCounts>];
const judge = (hours: readonly Hour[], span = 24, from = MIDNIGHT, settings: Partial<DomainSettings> = {}) =>
  judgeHours(new Map(hours.map(([n, counts]) => [hour(n), { ...NO_CHILDREN, ...counts }])), from, {
    ...domainDefaults,
    light_span_hours: span,
    ...settings,
  });

describe('sumByHour', () => {
  it('sums the counts of all applications per hour', () => {
    const rows = [
      { application: 'a', hour: hour(0), ...healthy, children: 2, critical_children: 1 },
      { application: 'b', hour: hour(0), ...critical, children: 3, critical_children: 0 },
      { application: 'a', hour: hour(1), ...healthy, ...NO_CHILDREN },
    ];
    const sums = sumByHour(rows);
    expect([...sums.keys()]).toEqual([hour(0), hour(1)]);
    expect(sums.get(hour(0))).toEqual({
      ...addCounts(healthy, critical),
      children: 5,
      critical_children: 1,
    });
  });
});

describe('the light of an hour', () => {
  it('covers the span that ends with the hour, across midnight', () => {
    const [first] = judge([
      [-23, critical],
      [0, healthy],
    ]);
    expect(first).toMatchObject({
      hour: hour(0),
      counts: { ...healthy, ...NO_CHILDREN },
      light: 'critical',
      light_reason: '1 of 2 runs is critical (50.0 %); the limit is 20 %.',
    });
  });

  it('ignores the hour just before the span', () => {
    expect(
      judge([
        [-24, critical],
        [0, healthy],
      ])[0],
    ).toMatchObject({ light: 'healthy' });
  });

  it('ignores later hours', () => {
    const lights = judge([
      [0, healthy],
      [1, critical],
    ]).map((each) => each.light);
    expect(lights).toEqual(['healthy', 'critical']);
  });

  it('covers only the hour itself if the span is one hour', () => {
    const lights = judge(
      [
        [0, critical],
        [1, healthy],
      ],
      1,
    ).map((each) => each.light);
    expect(lights).toEqual(['critical', 'healthy']);
  });

  it('is returned only for hours with runs, from the requested start, oldest first', () => {
    const hours = judge([
      [5, healthy],
      [-1, healthy],
      [0, healthy],
      [3, healthy],
    ]);
    expect(hours.map((each) => each.hour)).toEqual([hour(0), hour(3), hour(5)]);
    expect(hours[2]?.counts).toEqual({ ...healthy, ...NO_CHILDREN });
  });

  it('is no_data in an hour that has only running runs', () => {
    const [first, second] = judge([
      [0, countsOf({ running: 2 })],
      [1, healthy],
    ]);
    expect(first).toMatchObject({
      light: 'no_data',
      light_reason: 'No run that counts in the last 24 h: 2 runs have not ended.',
    });
    expect(second).toMatchObject({ light: 'healthy' });
  });

  it('has no hour with only child runs that do not count, but names them', () => {
    const hours: Hour[] = [
      [-2, { ...NO_RUNS, children: 9, critical_children: 8 }],
      [0, countsOf({ running: 1 })],
      [1, { ...NO_RUNS, children: 1, critical_children: 0 }],
    ];
    expect(judge(hours)).toMatchObject([
      {
        hour: hour(0),
        light_reason:
          'No run that counts in the last 24 h: 9 runs are children of another run and not counted (8 critical); 1 run has not ended.',
      },
    ]);
    // Rules before version 3.
    expect(judge(hours, 24, MIDNIGHT, { count_nested_of: null })).toMatchObject([
      { hour: hour(0), light_reason: 'No run in the last 24 h.' },
    ]);
  });
});

describe('the trend of the pass rate', () => {
  it('is the difference from the previous span, in percentage points', () => {
    const [last] = judge([
      [-25, countsOf({ healthy: 1, critical: 1 })],
      [-20, countsOf({ healthy: 3, critical: 1 })],
      [0, healthy],
    ]);
    expect(last?.pass_rate_trend).toBe(80 - 50);
  });

  it.each([
    ['no runs in the previous span', [[0, healthy]]],
    [
      'only unmonitored runs in the previous span',
      [
        [-30, countsOf({ unmonitored: 1 })],
        [0, healthy],
      ],
    ],
    [
      'only unmonitored runs in the current span',
      [
        [-30, healthy],
        [0, countsOf({ unmonitored: 1 })],
      ],
    ],
    [
      'only runs older than the previous span',
      [
        [-48, healthy],
        [0, healthy],
      ],
    ],
  ] as [string, [number, RunCounts][]][])('is null with %s', (_, hours) => {
    expect(judge(hours).at(-1)?.pass_rate_trend).toBeNull();
  });

  it('includes the first hour of the previous span', () => {
    expect(
      judge([
        [-47, critical],
        [0, healthy],
      ])[0]?.pass_rate_trend,
    ).toBe(100);
  });
});

describe('judgeHours', () => {
  it('gives the same result as computing each hour separately', () => {
    const counts = fc.record({
      critical: fc.nat(3),
      warning: fc.nat(3),
      healthy: fc.nat(9),
      unmonitored: fc.nat(2),
    });
    const hours = fc.uniqueArray(fc.tuple(fc.integer({ min: -60, max: 23 }), counts), {
      selector: ([n]) => n,
    });
    fc.assert(
      fc.property(hours, fc.integer({ min: 1, max: 84 }), (list, span) => {
        const rows = list.map(([n, parts]) => [n, countsOf(parts)] as const);
        const within = (from: number, to: number) =>
          rows.filter(([n]) => n >= from && n < to).reduce((sum, [, each]) => addCounts(sum, each), NO_RUNS);
        const settings = { ...domainDefaults, light_span_hours: span };
        for (const judged of judge(rows, span)) {
          const end = (judged.hour - MIDNIGHT) / MS_PER_HOUR + 1;
          const current = within(end - span, end);
          const passRate = rates(current).pass_rate;
          const previous = rates(within(end - 2 * span, end - span)).pass_rate;
          const verdict = light(current, settings);
          expect([judged.light, judged.light_reason]).toEqual([verdict.light, verdict.reason]);
          expect(judged.pass_rate_trend).toBe(
            passRate === null || previous === null ? null : passRate - previous,
          );
        }
      }),
      { numRuns: 300 },
    );
  });
});
