import fc from 'fast-check';
import { findOutliers } from '../../../src/domain/outliers.js';

const indicesOf = (values: readonly (number | null)[], forecasts: readonly (number | null)[]) => [
  ...(findOutliers(values, forecasts)?.indices ?? []),
];

describe('outliers', () => {
  const noise = [0.2, -0.1, 0.3, -0.3, 0.1, -0.2, 0.3, -0.1, 0.2, -0.3, 0.1, -0.1];

  it('are values more than five times as far from their forecast as usual', () => {
    const values = noise.map((each) => 10 + each);
    const forecasts = noise.map(() => 10);
    // The median distance is 0.2, so the limit is 5 · 1.4826 · 0.2 = 1.4826.
    expect(findOutliers(values, forecasts)).toEqual({
      usual: expect.closeTo(0.29652, 5),
      limit: expect.closeTo(1.4826, 4),
      indices: new Set(),
    });
    expect(indicesOf(values.with(3, 11.47), forecasts)).toEqual([]);
    expect(indicesOf(values.with(3, 11.49), forecasts)).toEqual([3]);
    expect(indicesOf(values.with(3, 8.51).with(7, 20), forecasts)).toEqual([3, 7]);
  });

  it('are not values of a series that moves as it was expected to', () => {
    const values = noise.map((each, i) => 100 * i + each);
    expect(
      indicesOf(
        values,
        noise.map((_, i) => 100 * i),
      ),
    ).toEqual([]);
  });

  it('are found in a series that was constant, where most distances are 0', () => {
    const forecasts = Array<number>(30).fill(0.9);
    expect(indicesOf(Array<number>(30).fill(0.9).with(12, 0.5), forecasts)).toEqual([12]);
    // 0.1 + 0.2 is not 0.3 exactly.
    expect(
      indicesOf(
        Array<number>(30)
          .fill(0.3)
          .with(12, 0.1 + 0.2),
        Array<number>(30).fill(0.3),
      ),
    ).toEqual([]);
  });

  it('are unknown with fewer than ten forecasts, and values without one are none', () => {
    expect(findOutliers(noise.slice(0, 9), Array<number>(9).fill(0))).toBeNull();
    expect(findOutliers([], [])).toBeNull();
    const forecasts = noise.map((_, i) => (i === 3 ? null : 0));
    expect(indicesOf(noise.with(3, 50).with(5, 60), forecasts)).toEqual([5]);
    expect(indicesOf([...noise, null], [...noise.map(() => 0), 0])).toEqual([]);
  });

  it('are the same in any unit, and computed from numbers of any size', () => {
    const value = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }));
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 10 }), (points) => {
        const found = findOutliers(
          points.map(([each]) => each),
          points.map(([, each]) => each),
        );
        expect(Number.isNaN(found?.limit)).toBe(false);
        expect(found?.indices.size ?? 0).toBeLessThanOrEqual(points.length / 2);
      }),
    );
    const values = noise.with(4, 90);
    const scaled = (factor: number) =>
      indicesOf(
        values.map((each) => each * factor),
        noise.map(() => 0),
      );
    expect([scaled(1e-300), scaled(1), scaled(-1e300)]).toEqual([[4], [4], [4]]);
  });
});
