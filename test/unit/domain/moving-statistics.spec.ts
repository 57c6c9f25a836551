import fc from 'fast-check';
import { movingAverage, SeriesSums } from '../../../src/domain/moving-statistics.js';
import { MS_PER_DAY, MS_PER_HOUR } from '../../../src/domain/time.js';
import { exactSum } from '../../support/models/exact-sum.js';
import { meanOf, trendOf } from '../../support/models/series-statistics.js';

const averages = (points: readonly (readonly [time: number, value: number])[], windowMs: number) => [
  ...movingAverage(
    Float64Array.from(points, ([time]) => time),
    Float64Array.from(points, ([, value]) => value),
    windowMs,
  ),
];

describe('a moving average', () => {
  it.each([
    ['of no points is empty', [], []],
    ['of one point is its value', [[5, 2]], [2]],
    [
      'excludes a point at the start of the window',
      [
        [0, 1],
        [10, 3],
        [11, 5],
      ],
      [1, 3, 4],
    ],
    [
      'includes a point one millisecond after the start of the window',
      [
        [1, 1],
        [10, 3],
      ],
      [1, 2],
    ],
    [
      'includes all points with an equal time',
      [
        [0, 1],
        [0, 3],
        [0, 8],
      ],
      [4, 4, 4],
    ],
    [
      'ignores invalid values',
      [
        [0, 2],
        [1, Number.NaN],
        [2, 4],
      ],
      [2, 2, 3],
    ],
    [
      'is NaN without valid values',
      [
        [0, Number.NaN],
        [20, Number.NaN],
      ],
      [Number.NaN, Number.NaN],
    ],
    [
      'is NaN once all valid values have left the window',
      [
        [0, 2],
        [10, Number.NaN],
      ],
      [2, Number.NaN],
    ],
    [
      'is NaN while the sum overflows',
      [
        [0, 1e308],
        [1, 1e308],
        [11, 6],
      ],
      [1e308, Number.NaN, 6],
    ],
    [
      'is unaffected by values that have left the window',
      [
        [0, 1e300],
        [10, 0.1],
        [20, 0.2],
      ],
      [1e300, 0.1, 0.2],
    ],
  ] as [string, [number, number][], number[]][])('%s', (_, points, expected) => {
    expect(averages(points, 10)).toEqual(expected);
  });

  it('equals the mean of (t − window, t] computed separately for every point', () => {
    const point = fc.tuple(
      fc.integer({ min: 0, max: 60 }),
      fc.oneof(fc.constant(Number.NaN), fc.double({ noNaN: true, noDefaultInfinity: true })),
    );
    fc.assert(
      fc.property(fc.array(point, { maxLength: 30 }), fc.integer({ min: 1, max: 30 }), (unsorted, window) => {
        const points = [...unsorted].sort(([a], [b]) => a - b);
        const expected = points.map(([t]) => {
          const values = points
            .filter(([s, v]) => s > t - window && s <= t && !Number.isNaN(v))
            .map(([, v]) => v);
          const total = exactSum(values);
          return values.length === 0 || total === null ? Number.NaN : total / values.length + 0;
        });
        expect(averages(points, window).map((average) => average + 0)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a mean', () => {
  it.each([
    [[], null],
    [[3], 3],
    [[0.1, 0.2, 0.3], 0.6 / 3],
    [[1e16, 1, -1e16, 0], 0.25],
    [[Number.MAX_VALUE, Number.MAX_VALUE], null],
    [[Number.MAX_VALUE, -Number.MAX_VALUE], 0],
  ])('of %j is %j', (values, expected) => {
    const sums = new SeriesSums();
    for (const [time, value] of values.entries()) sums.add(time, value);
    expect(sums.mean()).toBe(expected);
  });
});

describe('a trend', () => {
  const trendOverHours = (points: readonly (readonly [hours: number, value: number])[]) => {
    const sums = new SeriesSums();
    const times = points.map(([hours]) => hours * MS_PER_HOUR);
    for (const [i, [, value]] of points.entries()) sums.add(times[i] ?? 0, value);
    return sums.trend((times.at(-1) ?? 0) - (times[0] ?? 0));
  };

  it.each([
    ['of no points', [], null],
    [
      'of fewer than 3 points',
      [
        [0, 1],
        [24, 2],
      ],
      null,
    ],
    [
      'of 3 points on a line',
      [
        [0, 1],
        [24, 2],
        [48, 3],
      ],
      1,
    ],
    [
      'of falling values',
      [
        [0, 1],
        [12, 0.5],
        [24, 0],
      ],
      -1,
    ],
    [
      'of constant values',
      [
        [0, 5],
        [24, 5],
        [48, 5],
      ],
      0,
    ],
    [
      'over exactly one hour',
      [
        [0, 0],
        [0.5, 1],
        [1, 2],
      ],
      48,
    ],
    [
      'over one millisecond less than an hour',
      [
        [0, 0],
        [0.5, 1],
        [1 - 1 / MS_PER_HOUR, 2],
      ],
      null,
    ],
    [
      'of points with an equal time',
      [
        [0, 1],
        [0, 2],
        [0, 3],
      ],
      null,
    ],
    [
      'that overflows',
      [
        [0, -1e308],
        [1, 0],
        [2, 1e308],
      ],
      null,
    ],
    [
      'of large numbers',
      [
        [0, 2 ** 900],
        [24, 2 * 2 ** 900],
        [48, 3 * 2 ** 900],
      ],
      2 ** 900,
    ],
    [
      'whose numerator overflows',
      [
        [0, 1e300],
        [24, 2e300],
        [48, 3e300],
      ],
      null,
    ],
  ] as [string, [number, number][], number | null][])('%s', (_, points, expected) => {
    expect(trendOverHours(points)).toBe(expected);
  });

  it('is the quotient of the exact numerator and denominator, for any origin of time and after removals', () => {
    const value = fc.oneof(
      { weight: 5, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }) },
      { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
      { weight: 1, arbitrary: fc.constantFrom(Number.MIN_VALUE, -Number.MIN_VALUE, -0, 1e308, 1e-300) },
    );
    const point = fc.tuple(fc.integer({ min: 0, max: 7 * MS_PER_DAY }), value);
    fc.assert(
      fc.property(
        fc.array(point, { maxLength: 20 }),
        fc.nat({ max: 10 }),
        fc.nat({ max: MS_PER_DAY }),
        (unsorted, leaving, from) => {
          const points = [...unsorted].sort(([a], [b]) => a - b);
          const sums = new SeriesSums();
          for (const [time, v] of points) sums.add(from + time, v);
          for (const [time, v] of points.slice(0, leaving)) sums.add(from + time, v, -1);
          const kept = points.slice(leaving);
          const elapsed = (kept.at(-1)?.[0] ?? 0) - (kept[0]?.[0] ?? 0);
          expect(withoutSign(sums.mean())).toEqual(withoutSign(meanOf(kept)));
          expect(withoutSign(sums.trend(elapsed))).toEqual(withoutSign(trendOf(kept)));
        },
      ),
      { numRuns: 1000 },
    );
  });
});

/** An underflow is a signed zero, and Jest distinguishes the two zeros. */
const withoutSign = (value: number | null) => (value === 0 ? 0 : value);
