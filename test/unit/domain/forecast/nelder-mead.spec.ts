import { minimize } from '../../../../src/domain/forecast/nelder-mead.js';

const search = (evaluate: (x: Float64Array) => number, iterations: number) =>
  minimize(evaluate, Float64Array.of(-1.2, 1, 0.5), Float64Array.of(0.5, 0.5, 0.5), iterations, 1e-12);

describe('the search of a minimum', () => {
  it('finds that of a narrow valley', () => {
    const [a, b, c] = search(([x = 0, y = 0, z = 0]) => 100 * (y - x * x) ** 2 + (1 - x) ** 2 + z * z, 400);
    expect([a, b].map((x) => Math.abs((x as number) - 1) < 1e-3)).toEqual([true, true]);
    expect(Math.abs(c as number)).toBeLessThan(1e-3);
  });

  it('evaluates at most four corners and five more per iteration, whatever the function', () => {
    let calls = 0;
    search(() => {
      calls++;
      return ((calls * 7919) % 1009) - calls;
    }, 60);
    expect(calls).toBeLessThanOrEqual(4 + 5 * 60);
    calls = 0;
    search(() => {
      calls++;
      return Number.POSITIVE_INFINITY;
    }, 60);
    expect(calls).toBeLessThanOrEqual(4 + 5 * 60);
  });

  it('ends as soon as all corners are equally good', () => {
    let calls = 0;
    search(() => {
      calls++;
      return 1;
    }, 60);
    expect(calls).toBe(4);
  });
});
