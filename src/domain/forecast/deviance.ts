import { expm1, log } from './elementary.js';
import { CLIP, type TrendModel } from './trend-filter.js';
import type { UnitSeries } from './unit-series.js';

/** The errors of the first points say more about the initial state than about the noise. */
export const SKIPPED = 2;
/** The product of so many variances is not yet near the largest double. */
const LARGE = 1e50;

/**
 * −2 ln L of a series, less a constant, at the observation variance that maximizes L.
 *
 * The formulas are those of `TrendFilter`, in the same order, so that both give the same bits. They are written out because a
 * fit evaluates some 80 models over all points: with the state in local variables, and with one exponential for all equal
 * gaps, it takes about half the time, and leaves far less to the garbage collector.
 */
export class Deviance {
  private readonly values: Float64Array;
  /** The different gaps of the series. */
  private readonly gaps: Float64Array;
  /** For each point, which of them is before it. */
  private readonly gapBefore: Int32Array;
  /** `TrendFilter` names them f and g: one of each per gap, for the last `logDamping`. */
  private readonly slopeFactors: Float64Array;
  private readonly slopeShares: Float64Array;
  private logDamping = Number.NaN;

  /** @param floor the least standard deviation of the observation noise */
  constructor(
    { values, gaps }: UnitSeries,
    private readonly floor: number,
  ) {
    this.values = values;
    this.gapBefore = new Int32Array(gaps.length);
    const numbers = new Map<number, number>();
    for (let i = 1; i < gaps.length; i++) {
      const gap = gaps[i] as number;
      const number = numbers.get(gap) ?? numbers.size;
      if (number === numbers.size) numbers.set(gap, number);
      this.gapBefore[i] = number;
    }
    this.gaps = Float64Array.from(numbers.keys());
    this.slopeFactors = new Float64Array(numbers.size);
    this.slopeShares = new Float64Array(numbers.size);
  }

  of(model: TrendModel): number {
    this.damp(model.logDamping);
    const { levelNoise, slopeNoise, clipDeviation } = model;
    const { values, gaps, gapBefore, slopeFactors, slopeShares, floor } = this;
    const clipSquared = CLIP * CLIP * clipDeviation * clipDeviation;
    let level = values[0] as number;
    let slope = 0;
    let levelVariance = 1;
    let covariance = 0;
    let slopeVariance = model.initialSlopeVariance;
    let beyond = 0;
    let squares = 0;
    let product = 1;
    let logarithms = 0;
    for (let i = 1; i < values.length; i++) {
      const number = gapBefore[i] as number;
      const gap = gaps[number] as number;
      const f = slopeFactors[number] as number;
      const g = slopeShares[number] as number;
      level += g * slope;
      slope *= f;
      const cross = covariance + g * slopeVariance;
      levelVariance += g * (covariance + cross) + levelNoise * gap + (slopeNoise * gap * gap * gap) / 3;
      covariance = f * cross + (slopeNoise * gap * gap) / 2;
      slopeVariance = f * f * slopeVariance + slopeNoise * gap;

      let variance = levelVariance + 1;
      let innovation = (values[i] as number) - level;
      const limitSquared = clipSquared * variance;
      if (innovation * innovation > limitSquared) {
        const side = innovation > 0 ? 1 : -1;
        if (side === beyond) {
          const relative = innovation / clipDeviation;
          levelVariance += relative * relative;
          variance = levelVariance + 1;
        } else innovation = side * Math.sqrt(limitSquared);
        beyond = side;
      } else beyond = 0;
      const levelGain = levelVariance / variance;
      const slopeGain = covariance / variance;
      level += levelGain * innovation;
      slope += slopeGain * innovation;
      slopeVariance -= slopeGain * covariance;
      levelVariance = levelGain;
      covariance = slopeGain;

      if (i < SKIPPED) continue;
      squares += (innovation * innovation) / variance;
      product *= variance;
      if (product > LARGE) {
        logarithms += log(product);
        product = 1;
      }
    }
    const counted = values.length - SKIPPED;
    return counted * log(Math.max(squares / counted, floor * floor)) + logarithms + log(product);
  }

  /** A search often stays at the limit of the damping. */
  private damp(logDamping: number): void {
    if (logDamping === this.logDamping) return;
    this.logDamping = logDamping;
    const { gaps, slopeFactors, slopeShares } = this;
    for (let k = 0; k < gaps.length; k++) {
      const decay = expm1(logDamping * (gaps[k] as number));
      slopeFactors[k] = 1 + decay;
      slopeShares[k] = decay / logDamping;
    }
  }
}
