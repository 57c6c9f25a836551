import { TrendFilter, type TrendModel } from '../../../../src/domain/forecast/trend-filter.js';
import { noiseFrom } from '../../../support/noise.js';

const model: TrendModel = {
  levelNoise: 0.01,
  slopeNoise: 1e-5,
  logDamping: Math.log(0.95),
  initialSlopeVariance: 0.1,
  clipDeviation: 1,
};

/** A filter after n points of noise around 0, one mean gap apart. */
function settled(n = 100): TrendFilter {
  const noise = noiseFrom(1);
  const filter = new TrendFilter();
  filter.start(model, noise());
  for (let i = 1; i < n; i++) {
    filter.advance(1);
    filter.update(noise());
  }
  return filter;
}

function observe(filter: TrendFilter, ...values: number[]): void {
  for (const value of values) {
    filter.advance(1);
    filter.update(value);
  }
}

describe('a damped trend filter', () => {
  it('is moved little by one outlier, in the level and in the slope', () => {
    const [clean, hit] = [settled(), settled()];
    observe(clean, 0, 0);
    observe(hit, 1000, 0);
    expect(Math.abs(hit.level - clean.level)).toBeLessThan(1.5);
    expect(Math.abs(hit.slope - clean.slope)).toBeLessThan(0.1);
  });

  it('is moved little by two outliers on opposite sides', () => {
    const filter = settled();
    observe(filter, 1000, -1000, 0);
    expect(Math.abs(filter.level)).toBeLessThan(2);
  });

  it.each([9, 20, 1000, -1000])('learns a step of %d standard deviations within three points', (step) => {
    const filter = settled();
    const noise = noiseFrom(2);
    observe(filter, step + noise(), step + noise(), step + noise());
    expect(Math.abs(filter.levelAfter(1) - step)).toBeLessThan(2.5);
    expect(Math.abs(filter.levelAfter(10) - step)).toBeLessThan(6);
  });

  it('stays at the level after a step, and is as certain of it after some points as before', () => {
    const before = settled().levelVariance;
    const filter = settled();
    const noise = noiseFrom(3);
    observe(filter, ...Array.from({ length: 60 }, () => 50 + noise()));
    expect(Math.abs(filter.level - 50)).toBeLessThan(1);
    expect(filter.levelVariance).toBeLessThan(1.1 * before);
  });

  it('moves on in one gap as in its parts, apart from the noise of the slope', () => {
    const withoutSlopeNoise = { ...model, slopeNoise: 0 };
    const [once, often] = [new TrendFilter(), new TrendFilter()];
    for (const filter of [once, often]) {
      filter.start(withoutSlopeNoise, 0);
      observe(filter, 1, 2, 3);
    }
    expect(once.levelAfter(2.4)).toBeCloseTo(often.levelAfter(2.4), 12);
    once.advance(2.4);
    for (let i = 0; i < 4; i++) often.advance(0.6);
    for (const name of ['level', 'slope', 'levelVariance', 'covariance', 'slopeVariance'] as const)
      expect(often[name]).toBeCloseTo(once[name], 12);
  });

  it('counts a point at the same time as another observation of the same level', () => {
    const filter = settled();
    const { level, levelVariance } = filter;
    filter.advance(0);
    expect([filter.level, filter.levelVariance]).toEqual([level, levelVariance]);
    filter.update(level + 1);
    expect(filter.levelVariance).toBeCloseTo(levelVariance / (1 + levelVariance), 12);
    expect(filter.level).toBeCloseTo(level + levelVariance / (1 + levelVariance), 12);
  });

  it('keeps a covariance that is one: no variance is negative and no correlation above 1', () => {
    const noise = noiseFrom(4);
    const filter = new TrendFilter();
    for (const levelNoise of [1e-6, 1, 8000]) {
      for (const slopeNoise of [1e-9, 1, 400]) {
        filter.start({ ...model, levelNoise, slopeNoise, initialSlopeVariance: 1e12 }, 0);
        for (let i = 0; i < 60; i++) {
          filter.advance(i % 7 === 0 ? 0 : noise() ** 2);
          filter.update(i % 20 < 2 ? 1e6 : noise());
          expect(filter.levelVariance).toBeGreaterThan(0);
          expect(filter.slopeVariance).toBeGreaterThan(0);
          expect(filter.covariance ** 2).toBeLessThanOrEqual(
            filter.levelVariance * filter.slopeVariance * (1 + 1e-6),
          );
        }
      }
    }
  });
});
