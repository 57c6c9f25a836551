import { Deviance, SKIPPED } from '../../../../src/domain/forecast/deviance.js';
import { log } from '../../../../src/domain/forecast/elementary.js';
import { TrendFilter, type TrendModel } from '../../../../src/domain/forecast/trend-filter.js';
import type { UnitSeries } from '../../../../src/domain/forecast/unit-series.js';
import { noiseFrom } from '../../../support/noise.js';

/** −2 ln L from the filter itself. */
function devianceOfFilter(model: TrendModel, { values, gaps }: UnitSeries, floor: number): number {
  const filter = new TrendFilter();
  let squares = 0;
  let logarithms = 0;
  let product = 1;
  filter.start(model, values[0] as number);
  for (let i = 1; i < values.length; i++) {
    filter.advance(gaps[i] as number);
    filter.update(values[i] as number);
    if (i < SKIPPED) continue;
    squares += filter.innovation ** 2 / filter.predictionVariance;
    product *= filter.predictionVariance;
    if (product > 1e50) {
      logarithms += log(product);
      product = 1;
    }
  }
  const counted = values.length - SKIPPED;
  return counted * log(Math.max(squares / counted, floor * floor)) + logarithms + log(product);
}

/** 200 points with outliers, steps, equal times and gaps of any size. */
function seriesFrom(seed: number): UnitSeries {
  const noise = noiseFrom(seed);
  let level = 0;
  const values = Float64Array.from({ length: 200 }, (_, i) => {
    if (i % 67 === 66) level += 40;
    return level + noise() + (i % 41 === 40 ? 500 : 0);
  });
  const gaps = values.map((_, i) => (i % 29 === 28 || i === 0 ? 0 : i % 3 === 0 ? 1 : Math.abs(noise()) * 2));
  return { values, gaps };
}

const GAPS: Record<string, (i: number) => number> = {
  'equal gaps': () => 1,
  'gaps that are multiples of one': (i) => ((i * 7) % 5) / 2,
  'different gaps': (i) => 0.5 + Math.sqrt(i) / 20,
  'points at one time, and one far away': (i) => (i === 90 ? 199 : 0),
};

const seeds = Array.from({ length: 20 }, (_, i) => i + 1);

describe('the deviance of a series', () => {
  it.each(seeds)('has the bits of the filter, for every model (%i)', (seed) => {
    const series = seriesFrom(seed);
    const deviance = new Deviance(series, 1e-6);
    for (const logDamping of [Math.log(0.5), Math.log(0.97), Math.log(0.9999), Math.log(0.5)]) {
      for (const levelNoise of [1e-6, 0.02, 3, 8000]) {
        for (const slopeNoise of [2e-9, 1e-4, 400]) {
          const model = { levelNoise, slopeNoise, logDamping, initialSlopeVariance: 0.1, clipDeviation: 0.8 };
          expect(deviance.of(model)).toBe(devianceOfFilter(model, series, 1e-6));
        }
      }
    }
  });

  it.each(Object.entries(GAPS))('has the bits of the filter with %s', (_name, gap) => {
    const { values } = seriesFrom(7);
    const series = { values, gaps: values.map((_, i) => (i === 0 ? 0 : gap(i))) };
    const deviance = new Deviance(series, 1e-6);
    for (const logDamping of [Math.log(0.6), Math.log(0.998)]) {
      const model = {
        levelNoise: 0.1,
        slopeNoise: 1e-3,
        logDamping,
        initialSlopeVariance: 0.1,
        clipDeviation: 0.8,
      };
      expect(deviance.of(model)).toBe(devianceOfFilter(model, series, 1e-6));
    }
  });

  it('assumes no standard deviation below the floor', () => {
    const constant = { values: new Float64Array(50), gaps: new Float64Array(50).fill(1) };
    const model = {
      levelNoise: 1,
      slopeNoise: 1,
      logDamping: -0.1,
      initialSlopeVariance: 0.1,
      clipDeviation: 1,
    };
    const withFloor = (floor: number) => new Deviance(constant, floor).of(model);
    expect(withFloor(1e-3)).toBe(devianceOfFilter(model, constant, 1e-3));
    expect(withFloor(1)).toBeGreaterThan(withFloor(1e-3));
  });
});
