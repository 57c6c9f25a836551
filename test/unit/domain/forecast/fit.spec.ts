import { fitForecast } from '../../../../src/domain/forecast/fit.js';
import {
  allPoints,
  forecastOf,
  numbersOf,
  regular,
  type TestSeries,
} from '../../../support/forecast-series.js';
import { noiseFrom } from '../../../support/noise.js';

const fitOf = (series: TestSeries) => fitForecast(allPoints(series));
const noisy = (n: number, seed = 1) => {
  const noise = noiseFrom(seed);
  return regular(n, 6, () => 50 + noise());
};

describe('the choice of a forecast', () => {
  it('is none under 5 points, the last value under 10, and a trend from 10', () => {
    expect(fitOf(noisy(4))).toBeUndefined();
    expect(fitOf(noisy(5))?.method).toBe('naive');
    expect(fitOf(noisy(9))?.method).toBe('naive');
    expect(fitOf(regular(10, 6, (i) => i + (i % 2) / 10))?.method).toBe('trend');
  });

  it('is none if all points are at the same time', () => {
    expect(fitOf(regular(50, 0, (i) => i))).toBeUndefined();
  });

  it('is the last value for a random walk and the trend for noise, a drift and a step', () => {
    let walks = 0;
    for (let seed = 1; seed <= 8; seed++) {
      const noise = noiseFrom(seed);
      let level = 0;
      const walk = regular(200, 6, () => {
        level += noise();
        return level;
      });
      if (fitOf(walk)?.method === 'naive') walks++;
      expect(fitOf(noisy(200, seed))?.method).toBe('trend');
      expect(fitOf(regular(200, 6, (i) => 0.05 * i + noise()))?.method).toBe('trend');
      expect(fitOf(regular(200, 6, (i) => (i < 120 ? 0 : 30) + noise()))?.method).toBe('trend');
    }
    expect(walks).toBeGreaterThanOrEqual(7);
  });

  it('finds a steady trend below its noise, and takes it for no wandering level', () => {
    for (let seed = 1; seed <= 24; seed++) {
      const noise = noiseFrom(seed);
      const parameters = fitOf(regular(200, 1, (i) => 0.04 * i + noise()));
      if (parameters?.method !== 'trend') throw new Error(`no trend with seed ${seed}`);
      // The slope fades to a half in 35 points or more, and a step of the level is at most a seventh of the noise.
      expect([seed, parameters.logSlopeLoss < -3.9, parameters.logLevelNoise < -3.9]).toEqual([
        seed,
        true,
        true,
      ]);
    }
  });

  it('estimates the noise of the values and of the level', () => {
    const noise = noiseFrom(5);
    let level = 0;
    const parameters = fitOf(
      regular(200, 6, () => {
        level += 0.5 * noise();
        return level + noise();
      }),
    );
    expect(parameters?.method).toBe('trend');
    if (parameters?.method !== 'trend') return;
    expect(parameters.deviation).toBeGreaterThan(0.8);
    expect(parameters.deviation).toBeLessThan(1.25);
    expect(Math.exp(parameters.logLevelNoise)).toBeGreaterThan(0.08);
    expect(Math.exp(parameters.logLevelNoise)).toBeLessThan(0.7);
    expect(parameters.quantiles[0]).toBeGreaterThan(1.1);
    expect(parameters.quantiles[0]).toBeLessThan(1.5);
    expect(parameters.quantiles[1]).toBeGreaterThan(1.7);
    expect(parameters.quantiles[1]).toBeLessThan(2.4);
  });

  it('does not widen the bands by outliers or by a step', () => {
    const width = (change: (i: number) => number) => {
      const noise = noiseFrom(9);
      const result = forecastOf(regular(200, 6, (i) => noise() + change(i)));
      return (result?.forecast.upper80[0] as number) - (result?.forecast.lower80[0] as number);
    };
    const usual = width(() => 0);
    expect(width((i) => (i % 40 === 7 ? 50 : 0))).toBeLessThan(1.25 * usual);
    expect(width((i) => (i < 100 ? 0 : 50))).toBeLessThan(1.25 * usual);
  });

  it('is rounded: its numbers have few digits', () => {
    const result = forecastOf(noisy(100));
    const { season: _, quantiles = [], method: __, ...numbers } = result?.parameters ?? {};
    for (const number of [...Object.values(numbers), ...quantiles])
      expect(Number((number as number).toPrecision(6))).toBe(number);
  });
});

describe('bad input', () => {
  const noise = noiseFrom(3);
  const YEAR = 365 * 24;
  const cases: Record<string, TestSeries> = {
    constant: regular(200, 6, () => 0.973),
    zero: regular(50, 6, () => 0),
    'two values in turn': regular(200, 6, (i) => i % 2),
    'one change': regular(200, 6, (i) => (i < 199 ? 1 : 2)),
    line: regular(200, 6, (i) => 3 * i + 1),
    'two points at each time': {
      times: regular(100, 6, () => 0).times.map((_, i, times) => times[i - (i % 2)] as number),
      values: regular(100, 6, () => noise()).values,
    },
    'all but one at one time': {
      times: regular(100, 6, () => 0).times.map((time, i, times) => (i === 0 ? time : (times[99] as number))),
      values: regular(100, 6, () => noise()).values,
    },
    '1e12 beside 1e-12': regular(200, 6, (i) => (i % 10 === 3 ? 1e12 : 1e-12)),
    '1e-12 on 1e12': regular(200, 6, (i) => 1e12 + (i % 3) * 1e-12),
    'one point a year': regular(30, YEAR, () => noise()),
    '10,000 points an hour': regular(10_000, 1 / 10_000, () => noise()),
    'a clock that jumps': {
      times: regular(200, 1, () => 0).times.map((time, i) => (i < 100 ? time : time + 20 * YEAR * 3_600_000)),
      values: regular(200, 6, () => noise()).values,
    },
    'the largest doubles': regular(100, 6, (i) => (i % 2 === 0 ? -1 : 1) * Number.MAX_VALUE),
    'the smallest doubles': regular(100, 6, (i) => (i % 7) * Number.MIN_VALUE),
    'NaN and infinities': regular(100, 6, (i) =>
      i % 3 === 0 ? Number.NaN : i % 3 === 1 ? Number.POSITIVE_INFINITY : noise(),
    ),
  };

  it.each(Object.entries(cases))('%s: all numbers are finite, and no band is negative', (_name, series) => {
    const result = forecastOf(series);
    expect(result).toBeDefined();
    if (!result) return;
    expect(numbersOf(result).filter((number) => !Number.isFinite(number))).toEqual([]);
    const { forecast, lower80, upper80, lower95, upper95 } = result.forecast;
    for (let k = 0; k < forecast.length; k++) {
      const order = [lower95, lower80, forecast, upper80, upper95].map((list) => list[k] as number);
      expect(order).toEqual([...order].sort((a, b) => a - b));
      expect(order[4]).toBeGreaterThan(order[0] as number);
    }
  });

  it('only NaN: there is no forecast', () => {
    expect(fitOf(regular(100, 6, () => Number.NaN))).toBeUndefined();
  });
});
