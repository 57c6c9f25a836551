import fc from 'fast-check';
import { dependentDays } from '../../../src/aggregation/rebuild-days.js';
import {
  averagesOf,
  type NumberedPoints,
  spansOf,
  type Window,
} from '../../../src/aggregation/series-statistics.js';
import { hourlySums } from '../../../src/domain/hourly-sums.js';
import { movingAverage } from '../../../src/domain/moving-statistics.js';
import { finish } from '../../../src/domain/steps.js';
import { MS_PER_DAY, MS_PER_HOUR } from '../../../src/domain/time.js';
import { meanOf, trendOf } from '../../support/models/series-statistics.js';

/** `hours` since the start of the day: negative on earlier days. */
type Point = readonly [series: number, hours: number, value: number];

const pointsOf = (list: readonly Point[]): NumberedPoints => ({
  series: Float64Array.from(list, ([series]) => series),
  time: Float64Array.from(list, ([, hours]) => Math.round(hours * MS_PER_HOUR)),
  value: Float64Array.from(list, ([, , value]) => value),
  row: Float64Array.from(list, (_, i) => 100 + i),
});
const byValue = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -99, max: 99 }) },
  { weight: 2, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.NaN, 1e308, -1e308, 1e-300, 5e-324, -0, 0.1) },
);
const at = fc.oneof(
  fc.integer({ min: -168, max: 23 }),
  fc.integer({ min: -168 * MS_PER_HOUR, max: 24 * MS_PER_HOUR - 1 }).map((ms) => ms / MS_PER_HOUR),
);
const anyPoints = fc
  .array(fc.tuple(fc.nat(2), at, byValue), { maxLength: 40 })
  .map((list) => [...list].sort((a, b) => a[0] - b[0] || a[1] - b[1]) as Point[]);

/** What is read from the points of 8 days: `_sums` of the first 7, rows of the last. */
function windowOf(list: readonly Point[], count: number): Window {
  const days = Array.from({ length: 7 }, (_, day) => {
    const { series, time, value } = pointsOf(
      list
        .filter(([, hours]) => Math.floor(hours / 24) === day - 7)
        .map(([each, hours, number]) => [each, hours - 24 * (day - 7), number]),
    );
    return finish(hourlySums({ series, time, value }));
  });
  // `hourlySums` numbers the series that have a point.
  const seriesOf = (day: number) => [
    ...new Set(list.filter(([, hours]) => Math.floor(hours / 24) === day - 7).map(([each]) => each)),
  ];
  const sums = days.flatMap((ofDay, day) =>
    seriesOf(day).map((series, i) => ({
      series,
      day,
      rows: (day === 0 ? ofDay.hours : ofDay.day)[i] ?? new Float64Array(),
    })),
  );
  sums.sort((a, b) => a.series - b.series || a.day - b.day);
  const newest = (series: number): number => {
    const last = list.filter(([each, hours]) => each === series && hours < 0).at(-1);
    return last ? Math.round(last[1] * MS_PER_HOUR) + 7 * MS_PER_DAY : Number.NaN;
  };
  return {
    points: pointsOf(list.filter(([, hours]) => hours >= 0)),
    sums,
    before: Float64Array.from({ length: count }, (_, series) => newest(series)),
  };
}

describe('moving averages', () => {
  it('are returned for the points of the day only, and include earlier points', () => {
    const points = pointsOf([
      [0, -30, 8],
      [0, -2, 2],
      [0, 0, 4],
      [1, -1, 7],
      [1, 5, Number.NaN],
      [2, -3, 1],
    ]);
    expect([...finish(averagesOf(points, 24 * MS_PER_HOUR))]).toEqual([3, 7]);
    expect([...finish(averagesOf(points, MS_PER_HOUR))]).toEqual([4, Number.NaN]);
    expect([...finish(averagesOf(pointsOf([]), 1))]).toEqual([]);
    // A pause per series.
    expect([...averagesOf(points, MS_PER_HOUR)]).toHaveLength(3);
  });

  it('equal those of the whole series, although points before the windows are skipped', () => {
    fc.assert(
      fc.property(anyPoints, fc.integer({ min: 1, max: 168 }), (list, hours) => {
        const expected: number[] = [];
        for (const series of [0, 1, 2]) {
          const own = list.filter(([each]) => each === series);
          const { time, value } = pointsOf(own);
          const averages = movingAverage(time, value, hours * MS_PER_HOUR);
          for (const [i, [, when]] of own.entries()) if (when >= 0) expected.push(averages[i] as number);
        }
        expect([...finish(averagesOf(pointsOf(list), hours * MS_PER_HOUR))]).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
});

describe('spans of a series', () => {
  const days = (n: number): number => n * 24;
  const none = Number.NaN;

  it('are computed with a pause per series', () => {
    expect([...spansOf(windowOf([], 500), () => [0])]).toHaveLength(500);
  });

  it('end with the hour: its last millisecond is included, the next one is not', () => {
    const window = windowOf(
      [
        [0, 0, 1],
        [0, 1 - 1 / MS_PER_HOUR, 3],
        [0, 1, 100],
      ],
      1,
    );
    expect(finish(spansOf(window, () => [0]))).toEqual({
      series: [0],
      hour: [0],
      row: [101],
      avg_value: [2],
      trend: [none],
    });
  });

  it('begin 7 days before the end of the hour: that millisecond is included, the one before is not', () => {
    const window = windowOf(
      [
        [0, 1 - days(7) - 1 / MS_PER_HOUR, 100],
        [0, 1 - days(7), 1],
        [0, 0, 3],
      ],
      1,
    );
    expect(finish(spansOf(window, () => [0]))).toMatchObject({ row: [100], avg_value: [2] });
  });

  it('have no row without a point, and a row without a value if no point is valid', () => {
    const window = windowOf(
      [
        [0, 0.5 - days(7), 1],
        [1, -1, none],
      ],
      2,
    );
    expect(finish(spansOf(window, () => [0]))).toEqual({
      series: [1],
      hour: [0],
      row: [-1],
      avg_value: [none],
      trend: [none],
    });
  });

  it('have the hours of their own series', () => {
    const window = windowOf(
      [
        [0, 0, 1],
        [1, 0, 2],
      ],
      2,
    );
    expect(finish(spansOf(window, (series) => [series]))).toMatchObject({ series: [0, 1], hour: [0, 1] });
  });

  it('have trends only over valid values that cover an hour', () => {
    const window = windowOf(
      [
        [0, -100, none],
        [0, 1, 0],
        [0, 1.25, 1],
        [0, 1.5, 2],
        [0, 2.5, none],
        [0, 3, 3],
      ],
      1,
    );
    expect(finish(spansOf(window, () => [2, 3])).trend.map(Number.isNaN)).toEqual([true, false]);
  });

  it('are those of the exact sums over the points of the 7 days', () => {
    const hours = fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { maxLength: 6 });
    fc.assert(
      fc.property(anyPoints, hours, (list, unsorted) => {
        const wanted = [...unsorted].sort((a, b) => a - b);
        const today = list.filter(([, when]) => when >= 0);
        const expected: unknown[] = [];
        for (const series of [0, 1, 2]) {
          for (const n of wanted) {
            const within = list.filter(
              ([each, when]) => each === series && when < n + 1 && when >= n + 1 - days(7),
            );
            const newest = within.at(-1);
            if (!newest) continue;
            const valid = within
              .filter(([, , value]) => !Number.isNaN(value))
              .map(([, when, value]) => [Math.round(when * MS_PER_HOUR), value] as const);
            expected.push({
              series,
              hour: n,
              row: newest[1] < 0 ? -1 : 100 + today.indexOf(newest),
              avg_value: (meanOf(valid) ?? none) + 0,
              trend: (trendOf(valid) ?? none) + 0,
            });
          }
        }
        const found = finish(spansOf(windowOf(list, 3), () => wanted));
        expect(
          found.hour.map((hour, i) => ({
            series: found.series[i],
            hour,
            row: found.row[i],
            avg_value: (found.avg_value[i] as number) + 0,
            trend: (found.trend[i] as number) + 0,
          })),
        ).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('dependentDays', () => {
  it('returns the touched days and the 7 days after each, once, newest first', () => {
    expect(dependentDays([])).toEqual([]);
    const days = dependentDays(['2026-02-25', '2026-02-27', '2026-02-25']);
    expect(days).toHaveLength(10);
    expect([days[0], days.at(-1)]).toEqual(['2026-03-06', '2026-02-25']);
    expect(days).toEqual([...days].sort().reverse());
  });
});
