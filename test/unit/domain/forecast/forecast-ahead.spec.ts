import fc from 'fast-check';
import type { Forecast } from '../../../../src/domain/forecast/forecast-ahead.js';
import { MS_PER_DAY, MS_PER_HOUR } from '../../../../src/domain/time.js';
import { forecastOf, MONDAY, numbersOf, regular, type TestSeries } from '../../../support/forecast-series.js';
import { noiseFrom } from '../../../support/noise.js';

/** Series of all kinds: noise, wandering levels and trends, irregular gaps, equal times. */
const anySeries: fc.Arbitrary<TestSeries> = fc
  .record({
    n: fc.integer({ min: 5, max: 120 }),
    seed: fc.integer({ min: 1, max: 1_000_000 }),
    wander: fc.constantFrom(0, 0.1, 1),
    trend: fc.constantFrom(0, 0.05, 1),
    noise: fc.constantFrom(0, 0.01, 1),
    irregular: fc.boolean(),
  })
  .map(({ n, seed, wander, trend, noise, irregular }) => {
    const normal = noiseFrom(seed);
    let level = 0;
    let time = MONDAY;
    const times = Float64Array.from({ length: n }, () => {
      time += irregular ? Math.round(3 * MS_PER_HOUR * Math.max(0, normal())) : 3 * MS_PER_HOUR;
      return time;
    });
    times[n - 1] = time + MS_PER_HOUR;
    const values = Float64Array.from({ length: n }, () => {
      level += wander * normal() + trend;
      // Integers divided by 1024: they stay exact when shifted.
      return Math.round(1024 * (level + noise * normal())) / 1024;
    });
    return { times, values };
  });
/** The band of a constant series has the size of its values: there is nothing else to take it from. */
const varying = anySeries.filter(({ values }) => values.some((value) => value !== values[0]));
const settings = { numRuns: 40, seed: 13 };

const widths = ({ lower80, upper80, lower95, upper95 }: Forecast) => [
  upper80.map((upper, k) => upper - (lower80[k] as number)),
  upper95.map((upper, k) => upper - (lower95[k] as number)),
];
const change = ({ times, values }: TestSeries, map: (value: number) => number): TestSeries => ({
  times,
  values: values.map(map),
});
const BORDERS = ['forecast', 'lower80', 'upper80', 'lower95', 'upper95'] as const;

/** Expects the second forecast to be the first one mapped, up to a part of the width of its bands. */
function expectMapped(a: TestSeries, b: TestSeries, map: (value: number) => number, tolerance: number): void {
  const [before, after] = [forecastOf(a), forecastOf(b)];
  expect(after?.parameters.method).toBe(before?.parameters.method);
  if (!before || !after) return;
  const ratios = BORDERS.flatMap((name) =>
    Array.from(after.forecast[name], (value, k) => {
      const width = (after.forecast.upper80[k] as number) - (after.forecast.lower80[k] as number);
      return Math.abs(value - map(before.forecast[name][k] as number)) / width;
    }),
  );
  expect(Math.max(...ratios)).toBeLessThanOrEqual(tolerance);
}

describe('a forecast', () => {
  it('has 24 equal steps over a third of the time that its points cover, at most 14 days', () => {
    const noise = noiseFrom(1);
    const short = forecastOf(regular(73, 1, noise));
    const last = MONDAY + 72 * MS_PER_HOUR;
    expect([...(short?.forecast.times ?? [])]).toEqual(
      Array.from({ length: 24 }, (_, k) => last + (k + 1) * MS_PER_HOUR),
    );
    const long = forecastOf(regular(200, 24, noise));
    expect((long?.forecast.times[23] as number) - (MONDAY + 199 * MS_PER_DAY)).toBe(14 * MS_PER_DAY);
  });

  it('continues a trend and fades it out', () => {
    const noise = noiseFrom(2);
    const result = forecastOf(regular(200, 6, (i) => 0.5 * i + noise()));
    const { forecast = [] } = result?.forecast ?? {};
    const ahead = (14 * MS_PER_DAY) / (6 * MS_PER_HOUR);
    expect(forecast[23]).toBeGreaterThan(0.5 * 199 + 0.25 * ahead);
    expect(forecast[23]).toBeLessThan(0.5 * 199 + 0.5 * ahead + 4);
    const steps = Array.from(
      { length: 22 },
      (_, k) => (forecast[k + 2] as number) - (forecast[k + 1] as number),
    );
    for (let k = 1; k < steps.length; k++) expect(steps[k]).toBeLessThanOrEqual(steps[k - 1] as number);
  });

  it('repeats a daily pattern', () => {
    const noise = noiseFrom(3);
    const pattern = (i: number) => 5 * Math.sin((2 * Math.PI * i) / 24);
    const result = forecastOf(regular(200, 1, (i) => 20 + pattern(i) + 0.5 * noise()));
    const { forecast = [], times = [] } = result?.forecast ?? {};
    for (const [k, time] of times.entries())
      expect(Math.abs((forecast[k] as number) - 20 - pattern((time - MONDAY) / MS_PER_HOUR))).toBeLessThan(
        1.5,
      );
  });

  it('is at the new level three points after a step, with a band that contains it', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const noise = noiseFrom(seed);
      const result = forecastOf(regular(100, 6, (i) => (i < 97 ? 0 : 20) + noise()));
      const { forecast = [], lower80 = [], upper80 = [] } = result?.forecast ?? {};
      expect(Math.abs((forecast[0] as number) - 20)).toBeLessThan(3);
      expect((lower80[0] as number) < 20 && 20 < (upper80[0] as number)).toBe(true);
    }
  });

  it('stays in the domain of the metric, and knows none that it was not given', () => {
    const series = regular(100, 6, (i) => 0.9 + 0.001 * i + (i % 2) / 100);
    const bounded = forecastOf(series, { min: 0, max: 1 })?.forecast;
    for (const name of BORDERS) {
      expect(Math.max(...(bounded?.[name] ?? []))).toBeLessThanOrEqual(1);
      expect(Math.min(...(bounded?.[name] ?? []))).toBeGreaterThanOrEqual(0);
    }
    expect(Math.max(...(forecastOf(series)?.forecast.upper95 ?? []))).toBeGreaterThan(1);
  });

  it('has bands that contain each other and never get narrower', () => {
    fc.assert(
      fc.property(anySeries, (series) => {
        const result = forecastOf(series);
        if (!result) return;
        const size = Math.max(...result.forecast.upper95.map(Math.abs));
        for (const list of widths(result.forecast)) {
          expect(list[0]).toBeGreaterThan(0);
          const growth = Array.from(list.slice(1), (width, k) => width - (list[k] as number));
          expect(Math.min(...growth)).toBeGreaterThanOrEqual(-1e-12 * size);
        }
        const [narrow, wide] = widths(result.forecast) as [Float64Array, Float64Array];
        expect(narrow.every((width, k) => width <= (wide[k] as number))).toBe(true);
      }),
      settings,
    );
  });

  it('is scaled with the values', () => {
    fc.assert(
      fc.property(varying, fc.constantFrom(1024, 2 ** -20, 3.7, 1e9), (series, factor) => {
        const map = (value: number) => factor * value;
        // Other factors than powers of 2 round each value: the search may then end at a neighbouring parameter.
        expectMapped(series, change(series, map), map, Number.isInteger(Math.log2(factor)) ? 1e-5 : 0.02);
      }),
      settings,
    );
  });

  it('is shifted with the values', () => {
    fc.assert(
      fc.property(varying, fc.integer({ min: -1000, max: 1000 }), (series, shift) => {
        const map = (value: number) => value + shift;
        expectMapped(series, change(series, map), map, 1e-5);
      }),
      settings,
    );
  });

  it('is the same each time', () => {
    fc.assert(
      fc.property(anySeries, anySeries, (series, other) => {
        const numbers = () => {
          const result = forecastOf(series);
          return result && numbersOf(result);
        };
        const first = numbers();
        forecastOf(other);
        expect(numbers()).toEqual(first);
      }),
      { ...settings, numRuns: 12 },
    );
  });
});
