import {
  exp,
  expm1,
  exponentOf2,
  log,
  normalCdf,
  powerOf2,
  studentQuantile,
} from '../../../../src/domain/forecast/elementary.js';

/** From −from to `from` at odd distances. */
const grid = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => -from + (2 * from * (i + 0.37)) / count);
const relative = (actual: number, expected: number): number => Math.abs(actual / expected - 1);

describe('elementary functions without Math.exp and Math.log', () => {
  it('agree with those of Math to 1e-15', () => {
    for (const x of grid(40, 300)) {
      expect(relative(exp(x), Math.exp(x))).toBeLessThan(1e-15);
      expect(relative(expm1(x / 20), Math.expm1(x / 20))).toBeLessThan(4e-15);
      expect(relative(log(2 ** x), Math.log(2 ** x))).toBeLessThan(1e-15);
    }
    for (const x of [1e-300, 1e-12, -1e-12]) expect(relative(expm1(x), x)).toBeLessThan(1e-11);
  });

  it('reach the smallest and largest doubles', () => {
    expect(exp(-800)).toBe(0);
    expect(exp(Number.NEGATIVE_INFINITY)).toBe(0);
    expect(exp(709)).toBeLessThan(Number.POSITIVE_INFINITY);
    expect(relative(exp(-740), Math.exp(-740))).toBeLessThan(0.01);
    expect(log(Number.MIN_VALUE)).toBeCloseTo(-744.4400719213812, 10);
    expect(log(Number.MAX_VALUE)).toBeCloseTo(709.782712893384, 10);
    expect(log(1)).toBe(0);
  });

  it('know the powers of 2', () => {
    for (const e of [-1074, -1073, -1000, -1, 0, 1, 52, 1023]) {
      expect(powerOf2(e)).toBe(2 ** e);
      expect(exponentOf2(2 ** e)).toBe(e);
    }
    expect(powerOf2(-1075)).toBe(0);
    expect([0.75, 1.99, 2, 65_535, Number.MAX_VALUE].map(exponentOf2)).toEqual([-1, 0, 1, 15, 1023]);
    expect([0, Number.POSITIVE_INFINITY].map(exponentOf2)).toEqual([-1074, 1023]);
  });

  it('give the normal distribution of tables', () => {
    for (const [z, p] of [
      [0, 0.5],
      [1, 0.8413447460685429],
      [-1.959963984540054, 0.025],
      [3, 0.9986501019683699],
      [-6, 9.865876450376981e-10],
    ] as const)
      expect(normalCdf(z)).toBeCloseTo(p, 12);
    expect([normalCdf(-40), normalCdf(40), normalCdf(Number.POSITIVE_INFINITY)]).toEqual([0, 1, 1]);
  });

  it('give the quantiles of Student’s distribution of tables within 2 %', () => {
    for (const [degreesOfFreedom, quantile90, quantile975] of [
      [3, 1.6377, 3.1824],
      [5, 1.4759, 2.5706],
      [20, 1.3253, 2.086],
      [200, 1.2858, 1.9719],
    ] as const) {
      expect(relative(studentQuantile(1.2815515655446004, degreesOfFreedom), quantile90)).toBeLessThan(0.02);
      expect(relative(studentQuantile(1.959963984540054, degreesOfFreedom), quantile975)).toBeLessThan(0.02);
    }
  });
});
