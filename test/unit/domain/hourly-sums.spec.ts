import fc from 'fast-check';
import { HUGE_EXPONENT } from '../../../src/domain/exact-sum.js';
import {
  addRow,
  type DaySums,
  hourlySums,
  SUM_WIDTH,
  SumField,
  type SumRows,
  WHOLE_DAY,
} from '../../../src/domain/hourly-sums.js';
import { SeriesSums } from '../../../src/domain/moving-statistics.js';
import { finish, type Steps } from '../../../src/domain/steps.js';
import { MS_PER_DAY, MS_PER_HOUR } from '../../../src/domain/time.js';

type Point = readonly [series: number, time: number, value: number];

const sumSteps = (points: readonly Point[]): Steps<DaySums> =>
  hourlySums({
    series: Float64Array.from(points, ([series]) => series),
    time: Float64Array.from(points, ([, time]) => time),
    value: Float64Array.from(points, ([, , value]) => value),
  });
const sumsOf = (points: readonly Point[]): DaySums => finish(sumSteps(points));
type Row = Record<keyof typeof SumField, number>;
const rowsOf = (rows: SumRows): Row[] =>
  startsOf(rows).map(
    (at) => Object.fromEntries(Object.entries(SumField).map(([name, i]) => [name, rows[at + i] ?? 0])) as Row,
  );
const startsOf = (rows: SumRows): number[] =>
  Array.from({ length: rows.length / SUM_WIDTH }, (_, i) => i * SUM_WIDTH);
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
  it('have a row of the whole day and of each hour with a point, whether it is valid or not', () => {
    const { day, hours } = sumsOf([
      [0, 5, 2],
      [0, MS_PER_HOUR, Number.NaN],
      [1, 7, 0.5],
      [1, 9, 0.25],
    ]);
    const counts = (each: SumRows) => rowsOf(each).map(({ hour, points, valid }) => [hour, points, valid]);
    expect(day.map(counts)).toEqual([[[WHOLE_DAY, 2, 1]], [[WHOLE_DAY, 2, 2]]]);
    expect(hours.map(counts)).toEqual([
      [
        [0, 1, 1],
        [1, 1, 0],
      ],
      [[0, 2, 2]],
    ]);
    const [single, pair] = day.map((each) => rowsOf(each)[0]);
    expect(single).toMatchObject({ first: 5, last: 5, v: 2, t: 0, tt: 0, tv: 0 });
    expect(pair).toMatchObject({ first: 7, last: 9, t: 16, tt: 130, v: 0.75, tv: 5.75 });
  });

  it('are computed with a pause per series', () => {
    const points = Array.from({ length: 500 }, (_, series): Point => [series, 0, 1]);
    expect([...sumSteps(points)]).toHaveLength(500);
  });

  it('continue in further rows where two doubles do not hold a sum, and above the largest double', () => {
    const { hours } = sumsOf([
      [0, 1, 1e308],
      [0, 1, 1e308],
      [0, 1, 1],
      [0, 1, 5e-324],
      [0, 1, 1e-150],
    ]);
    const rows = rowsOf(hours[0] ?? new Float64Array());
    expect(rows.map(({ exponent, points, valid }) => [exponent, points, valid])).toEqual([
      [0, 5, 5],
      [0, 0, 0],
      [HUGE_EXPONENT, 0, 0],
    ]);
    expect([rows[0]?.v, rows[0]?.vRest, rows[1]?.v]).toEqual([1, 1e-150, 5e-324]);
    expect(rows[2]?.v).toBe(1e308 * 2 ** -127);
  });

  it('of all hours, of the whole day and of the points are the same, in any order and from any origin', () => {
    fc.assert(
      fc.property(anyPoints, fc.nat(7), fc.infiniteStream(fc.nat()), (points, days, random) => {
        const offset = days * MS_PER_DAY;
        const numbers = [...new Set(points.map(([series]) => series))];
        const { day, hours } = sumsOf(points);
        for (const [i, series] of numbers.entries()) {
          const direct = new SeriesSums();
          for (const [each, at, number] of points) {
            if (each === series && !Number.isNaN(number)) direct.add(offset + at, number);
          }
          const [ofDay, ofHours, none] = [new SeriesSums(), new SeriesSums(), new SeriesSums()];
          for (const [rows, sums, sign] of [
            [day[i], ofDay, -1],
            [hours[i], ofHours, 1],
          ] as [SumRows, SeriesSums, 1 | -1][]) {
            const shuffled = startsOf(rows)
              .map((at) => [random.next().value ?? 0, at] as const)
              .sort(([a], [b]) => a - b);
            for (const [, at] of shuffled) {
              addRow(sums, rows, at, offset, 1);
              addRow(none, rows, at, offset, sign);
            }
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
