import { expm1 } from './elementary.js';

/** An innovation of more than this many standard deviations is clipped. */
export const CLIP = 8;

/** The parameters of the filter; variances are relative to that of the observation noise. */
export interface TrendModel {
  /** Variance of the level's random steps per mean gap. */
  readonly levelNoise: number;
  /** Variance of the slope's random steps per mean gap. */
  readonly slopeNoise: number;
  /** ln φ, negative: the slope is multiplied by φ per mean gap. */
  readonly logDamping: number;
  /** Variance of the slope before the first point. */
  readonly initialSlopeVariance: number;
  /** The standard deviation of the observation noise that decides what is clipped, in units of the values. */
  readonly clipDeviation: number;
}

/**
 * A Kalman filter for a local linear trend with a damped slope, at irregular times. A gap dt, in mean gaps, moves the state
 * by level + g·slope and f·slope, with f = φ^dt and g = (f − 1) / ln φ, and adds noise with the covariance
 * [[ql·dt + qb·dt³/3, qb·dt²/2], [qb·dt²/2, qb·dt]]. A. C. Harvey, Forecasting, structural time series models and the
 * Kalman filter, 1989, chapters 3 and 9.
 *
 * Innovations beyond 8 standard deviations are clipped, so that one outlier moves the state little. If the next one is beyond
 * on the same side, the level has changed: it passes in full and the variance of the level grows by its square, so that the
 * filter learns the new level at once.
 */
export class TrendFilter {
  level = 0;
  slope = 0;
  /** The covariance of level and slope, relative to the variance of the observation noise. */
  levelVariance = 1;
  covariance = 0;
  slopeVariance = 0;
  /** The last innovation as the filter used it, in units of the values. */
  innovation = 0;
  /** The variance of the last prediction of a value, relative to that of the observation noise. */
  predictionVariance = 1;

  /** The side on which the last innovation was beyond the limit: −1, 1, or 0 if it was not. */
  beyond = 0;

  private model: TrendModel = NO_MODEL;
  private gap = -1;
  private f = 1;
  private g = 0;

  /** Starts at the first point: its value is the level, the slope is unknown. */
  start(model: TrendModel, value: number): void {
    this.model = model;
    this.level = value;
    this.slope = 0;
    this.levelVariance = 1;
    this.covariance = 0;
    this.slopeVariance = model.initialSlopeVariance;
    this.innovation = 0;
    this.predictionVariance = 1;
    this.beyond = 0;
    this.gap = -1;
  }

  /** Moves the state to a later time. @param gap in mean gaps, not negative */
  advance(gap: number): void {
    const { levelNoise, slopeNoise, logDamping } = this.model;
    if (gap !== this.gap) {
      const decay = expm1(logDamping * gap);
      this.f = 1 + decay;
      this.g = decay / logDamping;
      this.gap = gap;
    }
    const { f, g } = this;
    this.level += g * this.slope;
    this.slope *= f;
    const cross = this.covariance + g * this.slopeVariance;
    this.levelVariance +=
      g * (this.covariance + cross) + levelNoise * gap + (slopeNoise * gap * gap * gap) / 3;
    this.covariance = f * cross + (slopeNoise * gap * gap) / 2;
    this.slopeVariance = f * f * this.slopeVariance + slopeNoise * gap;
  }

  /** What level would be after a gap, without moving the state. @param gap in mean gaps, not negative */
  levelAfter(gap: number): number {
    return this.level + (expm1(this.model.logDamping * gap) / this.model.logDamping) * this.slope;
  }

  /** Corrects the state by the value observed at its time. */
  update(value: number): void {
    const { clipDeviation } = this.model;
    let variance = this.levelVariance + 1;
    let innovation = value - this.level;
    const limitSquared = CLIP * CLIP * clipDeviation * clipDeviation * variance;
    if (innovation * innovation > limitSquared) {
      const side = innovation > 0 ? 1 : -1;
      if (side === this.beyond) {
        const relative = innovation / clipDeviation;
        this.levelVariance += relative * relative;
        variance = this.levelVariance + 1;
      } else innovation = side * Math.sqrt(limitSquared);
      this.beyond = side;
    } else this.beyond = 0;
    const levelGain = this.levelVariance / variance;
    const slopeGain = this.covariance / variance;
    this.level += levelGain * innovation;
    this.slope += slopeGain * innovation;
    this.slopeVariance -= slopeGain * this.covariance;
    this.levelVariance = levelGain;
    this.covariance /= variance;
    this.innovation = innovation;
    this.predictionVariance = variance;
  }
}

const NO_MODEL: TrendModel = {
  levelNoise: 0,
  slopeNoise: 0,
  logDamping: -1,
  initialSlopeVariance: 0,
  clipDeviation: 0,
};
