import fc from 'fast-check';
import {
  fromUnits,
  lastPoints,
  MAX_POINTS,
  sizeFromUnits,
  sizeToUnits,
  toUnits,
} from '../../../../src/domain/forecast/points.js';

const all = { after: Number.MIN_SAFE_INTEGER, before: Number.MAX_SAFE_INTEGER };
const select = (times: number[], values: number[], part = {}) => {
  const points = lastPoints(Float64Array.from(times), Float64Array.from(values), {
    end: times.length,
    ...all,
    ...part,
  });
  return [...points.times].map((time, i) => [time, points.values[i]]);
};

describe('the points of a forecast', () => {
  it('are the last 200', () => {
    const times = Array.from({ length: 500 }, (_, i) => i);
    const selected = select(times, times);
    expect(selected.length).toBe(MAX_POINTS);
    expect(selected.at(0)).toEqual([300, 300]);
    expect(selected.at(-1)).toEqual([499, 499]);
  });

  it('are after the lookback, before the limit, and below the index', () => {
    const times = [1, 2, 3, 4, 5, 6];
    expect(select(times, times, { after: 2, before: 5 })).toEqual([
      [3, 3],
      [4, 4],
    ]);
    expect(select(times, times, { end: 2 })).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(select([], [])).toEqual([]);
  });

  it('are never NaN or infinite, and never go back in time', () => {
    const { NaN: nan, POSITIVE_INFINITY: infinite } = Number;
    expect(select([1, 2, 3, 4, 5], [nan, 1, infinite, -infinite, 2])).toEqual([
      [2, 1],
      [5, 2],
    ]);
    expect(select([nan, 1, -infinite, 2, infinite], [1, 2, 3, 4, 5])).toEqual([
      [1, 2],
      [2, 4],
    ]);
    // The clock of a run was a year ahead; the runs after it count.
    expect(select([1, 9000, 2, 3, 3], [1, 2, 3, 4, 5])).toEqual([
      [1, 1],
      [2, 3],
      [3, 4],
      [3, 5],
    ]);
  });

  it('keep all digits in units of a power of 2 around one of the values', () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 20 }), (values) => {
        const points = lastPoints(
          Float64Array.from(values, (_, i) => i),
          Float64Array.from(values),
          { end: values.length, ...all },
        );
        expect(values).toContain(points.origin);
        const rounding = 2 ** -900 * Math.max(...values.map(Math.abs)) + 8 * Number.MIN_VALUE;
        for (const value of values) {
          const deviation = toUnits(points, value);
          expect(Math.abs(deviation)).toBeLessThanOrEqual(1);
          const size = Math.max(Math.abs(value), Math.abs(points.origin));
          const difference = Math.abs(fromUnits(points, deviation) / 2 - value / 2);
          expect(difference).toBeLessThanOrEqual(size * 2 ** -52 + rounding);
        }
        expect(Number.isFinite(fromUnits(points, 1e300))).toBe(true);
        expect(Number.isFinite(sizeFromUnits(points, 1e300))).toBe(true);
        expect(sizeToUnits(points, sizeFromUnits(points, 0.75))).toBeCloseTo(0.75, 9);
      }),
      { numRuns: 80, seed: 13 },
    );
  });

  it('bound what a later value can be, so that the filter cannot overflow', () => {
    const points = lastPoints(Float64Array.of(0, 1), Float64Array.of(1e-12, 2e-12), { end: 2, ...all });
    expect(Number.isFinite(toUnits(points, Number.MAX_VALUE) ** 2)).toBe(true);
    expect(toUnits(points, -Number.MAX_VALUE)).toBe(-toUnits(points, Number.MAX_VALUE));
  });
});
