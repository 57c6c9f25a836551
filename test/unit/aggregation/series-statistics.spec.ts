import fc from 'fast-check';
import { dependentDays } from '../../../src/aggregation/rebuild-days.js';
import { averagesFrom, type Points, spansOf } from '../../../src/aggregation/series-statistics.js';
import { MovingStatistics, movingAverage } from '../../../src/domain/moving-statistics.js';
import { MS_PER_HOUR } from '../../../src/domain/time.js';

const MIDNIGHT = Date.parse('2026-03-10T00:00:00Z');
type Point = readonly [series: number, hours: number, value: number];

const pointsOf = (list: readonly Point[]): Points => ({
  series: Float64Array.from(list, ([series]) => series),
  time: Float64Array.from(list, ([, hours]) => MIDNIGHT + hours * MS_PER_HOUR),
  value: Float64Array.from(list, ([, , value]) => value),
});
const byValue = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -99, max: 99 }) },
  { weight: 1, arbitrary: fc.constant(Number.NaN) },
);
const anyPoints = fc
  .array(fc.tuple(fc.nat(2), fc.integer({ min: -200, max: 23 }), byValue), { maxLength: 30 })
  .map((list) => [...list].sort((a, b) => a[0] - b[0] || a[1] - b[1]) as Point[]);

describe('moving averages', () => {
  it('are returned for the requested points only, and include earlier points', () => {
    const points = pointsOf([
      [0, -30, 8],
      [0, -2, 2],
      [0, 0, 4],
      [1, -1, 7],
      [1, 5, Number.NaN],
      [2, -3, 1],
    ]);
    expect(averagesFrom(points, MIDNIGHT, 24 * MS_PER_HOUR)).toEqual({ point: [2, 4], moving_avg: [3, 7] });
    expect(averagesFrom(points, MIDNIGHT, MS_PER_HOUR)).toEqual({ point: [2, 4], moving_avg: [4, null] });
    expect(averagesFrom(pointsOf([]), MIDNIGHT, 1)).toEqual({ point: [], moving_avg: [] });
  });

  it('equal those of the whole series, although points before the windows are skipped', () => {
    fc.assert(
      fc.property(anyPoints, fc.integer({ min: 1, max: 168 }), (list, hours) => {
        const expected = new Map<number, number | null>();
        for (const series of [0, 1, 2]) {
          const own = [...list.entries()].filter(([, [each]]) => each === series);
          const { time, value } = pointsOf(own.map(([, point]) => point));
          const averages = movingAverage(time, value, hours * MS_PER_HOUR);
          for (const [i, [index, [, at]]] of own.entries()) {
            const average = averages[i] as number;
            if (at >= 0) expected.set(index, Number.isNaN(average) ? null : average);
          }
        }
        const found = averagesFrom(pointsOf(list), MIDNIGHT, hours * MS_PER_HOUR);
        expect(new Map(found.point.map((point, i) => [point, found.moving_avg[i]]))).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
});

describe('spans of a series', () => {
  const hour = (n: number): number => MIDNIGHT + n * MS_PER_HOUR;
  const days = (n: number): number => n * 24;

  it('end with the hour: its last millisecond is included, the next one is not', () => {
    const points = pointsOf([
      [0, 0, 1],
      [0, 1 - 1 / MS_PER_HOUR, 3],
      [0, 1, 100],
    ]);
    expect(spansOf(points, () => [hour(0)])).toEqual({
      hour: [hour(0)],
      point: [1],
      avg_value: [2],
      trend: [null],
    });
  });

  it('begin 7 days before the end of the hour: that millisecond is included, the one before is not', () => {
    const points = pointsOf([
      [0, 1 - days(7) - 1 / MS_PER_HOUR, 100],
      [0, 1 - days(7), 1],
      [0, 0, 3],
    ]);
    expect(spansOf(points, () => [hour(0)])).toMatchObject({ point: [2], avg_value: [2] });
  });

  it('have no row without a point, and a row without a value if no point is valid', () => {
    const points = pointsOf([
      [0, days(-8), 1],
      [1, -1, Number.NaN],
    ]);
    expect(spansOf(points, () => [hour(0)])).toEqual({
      hour: [hour(0)],
      point: [1],
      avg_value: [null],
      trend: [null],
    });
  });

  it('have the hours of their own series', () => {
    const points = pointsOf([
      [0, 0, 1],
      [1, 0, 2],
    ]);
    expect(spansOf(points, (series) => [hour(series)])).toMatchObject({
      hour: [hour(0), hour(1)],
      point: [0, 1],
    });
  });

  it('are the same as if each were computed alone', () => {
    const hours = fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { maxLength: 6 });
    fc.assert(
      fc.property(anyPoints, hours, (list, unsorted) => {
        const wanted = [...unsorted].sort((a, b) => a - b);
        const expected: unknown[] = [];
        for (const series of [0, 1, 2]) {
          for (const n of wanted) {
            const within = [...list.entries()].filter(
              ([, [each, at]]) => each === series && at < n + 1 && at >= n + 1 - days(7),
            );
            if (within.length === 0) continue;
            const statistics = new MovingStatistics();
            for (const [, [, at, value]] of within) statistics.add(hour(at), value);
            expected.push([hour(n), within.at(-1)?.[0], statistics.mean(), statistics.trend()]);
          }
        }
        const found = spansOf(pointsOf(list), () => wanted.map(hour));
        expect(
          found.hour.map((each, i) => [each, found.point[i], found.avg_value[i], found.trend[i]]),
        ).toEqual(expected);
      }),
      { numRuns: 300 },
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
