import fc from 'fast-check';
import { HUGE_EXPONENT } from '../../../src/domain/exact-sum.js';
import { addRow, hourlySums, SUM_COLUMNS, type SumRows, WHOLE_DAY } from '../../../src/domain/hourly-sums.js';
import { SeriesSums } from '../../../src/domain/moving-statistics.js';
import { MS_PER_DAY, MS_PER_HOUR } from '../../../src/domain/time.js';

type Point = readonly [series: number, time: number, value: number];

const sumsOf = (points: readonly Point[]): SumRows =>
  hourlySums({
    series: Float64Array.from(points, ([series]) => series),
    time: Float64Array.from(points, ([, time]) => time),
    value: Float64Array.from(points, ([, , value]) => value),
  });
const rowsOf = (rows: SumRows): Record<string, number>[] =>
  [...rows.series].map((_, i) => Object.fromEntries(SUM_COLUMNS.map((name) => [name, rows[name][i] ?? 0])));
const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ noNaN: true, min: 0, max: 1 }),
  fc.constantFrom(Number.NaN, 1e308, -1e308, 1e-300, 5e-324, -5e-324, -0, 0, Number.MAX_VALUE),
);
const time = fc.oneof(fc.integer({ min: 0, max: MS_PER_DAY - 1 }), fc.constantFrom(0, MS_PER_HOUR, 1234));
const anyPoints = fc
  .array(fc.tuple(fc.nat(2), time, value), { maxLength: 40 })
  .map((list): Point[] => [...list].sort((a, b) => a[0] - b[0] || a[1] - b[1]));
/** Everything that a window reads from sums, exactly. */
const stateOf = ({ count, times, squares, values, products }: SeriesSums) => [
  count,
  times,
  ...[squares, values, products].map((sum) => sum.parts()),
];

describe('hourly sums', () => {
  it('have rows of whole days and of hours with a point, whether it is valid or not', () => {
    const rows = rowsOf(
      sumsOf([
        [0, 5, 2],
        [0, MS_PER_HOUR, Number.NaN],
        [1, 7, 0.5],
        [1, 9, 0.25],
      ]),
    );
    expect(
      rows.map(({ series, hour, points, valid_points }) => [series, hour, points, valid_points]),
    ).toEqual([
      [0, WHOLE_DAY, 2, 1],
      [1, WHOLE_DAY, 2, 2],
      [0, 0, 1, 1],
      [0, 1, 1, 0],
      [1, 0, 2, 2],
    ]);
    expect(rows[0]).toMatchObject({ first_time: 5, last_time: 5, sum_v: 2, sum_t: 0, sum_tt: 0, sum_tv: 0 });
    expect(rows[1]).toMatchObject({
      first_time: 7,
      last_time: 9,
      sum_t: 16,
      sum_tt: 130,
      sum_v: 0.75,
      sum_tv: 5.75,
    });
  });

  it('continue in further rows where two doubles do not hold a sum, and above the largest double', () => {
    const rows = rowsOf(
      sumsOf([
        [0, 1, 1e308],
        [0, 1, 1e308],
        [0, 1, 1],
        [0, 1, 5e-324],
        [0, 1, 1e-150],
      ]),
    ).filter(({ hour }) => hour === 0);
    expect(rows.map(({ exponent, points, valid_points }) => [exponent, points, valid_points])).toEqual([
      [0, 5, 5],
      [0, 0, 0],
      [HUGE_EXPONENT, 0, 0],
    ]);
    expect([rows[0]?.sum_v, rows[0]?.sum_v_rest, rows[1]?.sum_v]).toEqual([1, 1e-150, 5e-324]);
    expect(rows[2]?.sum_v).toBe(1e308 * 2 ** -127);
  });

  it('of all hours, of the whole day and of the points are the same, in any order and from any origin', () => {
    fc.assert(
      fc.property(anyPoints, fc.nat(7), fc.infiniteStream(fc.nat()), (points, days, random) => {
        const rows = sumsOf(points);
        const offset = days * MS_PER_DAY;
        for (const series of [0, 1, 2]) {
          const [direct, ofHours, ofDay, none] = [0, 1, 2, 3].map(() => new SeriesSums()) as [
            SeriesSums,
            SeriesSums,
            SeriesSums,
            SeriesSums,
          ];
          for (const [each, at, number] of points) {
            if (each === series && !Number.isNaN(number)) direct.add(offset + at, number);
          }
          const shuffled = [...rows.series.keys()]
            .filter((i) => rows.series[i] === series)
            .map((i) => [random.next().value ?? 0, i] as const)
            .sort(([a], [b]) => a - b);
          for (const [, i] of shuffled) {
            addRow((rows.hour[i] as number) < 0 ? ofDay : ofHours, rows, i, offset, 1);
            addRow(none, rows, i, offset, (rows.hour[i] as number) < 0 ? -1 : 1);
          }
          expect(stateOf(ofHours)).toEqual(stateOf(direct));
          expect(stateOf(ofDay)).toEqual(stateOf(direct));
          expect(stateOf(none)).toEqual(stateOf(new SeriesSums()));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('depend on the set of points only', () => {
    fc.assert(
      fc.property(anyPoints, fc.infiniteStream(fc.nat()), (points, random) => {
        const shuffled = points
          .map((point) => [random.next().value ?? 0, point] as const)
          .sort(([a, [series, at]], [b, [other, later]]) => series - other || at - later || a - b)
          .map(([, point]) => point);
        expect(sumsOf(shuffled)).toEqual(sumsOf(points));
      }),
      { numRuns: 300 },
    );
  });
});
