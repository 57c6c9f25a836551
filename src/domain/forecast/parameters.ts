import type { Season } from './season.js';

/**
 * What a forecast is computed with, as published: every number is rounded before use, so that anyone can repeat the forecast
 * from the parameters and the points.
 */
export type ForecastParameters = TrendParameters | NaiveParameters;

interface CommonParameters {
  /** The number of points from which the parameters were chosen. */
  readonly points: number;
  /** The mean gap between two points, ms. Gaps, noise and damping are in this unit. */
  readonly meanGap: number;
  /** 80 and 95 % of the one-step errors are within this many standard deviations. */
  readonly quantiles: readonly [number, number];
  readonly season: Season | undefined;
}

/** The parameters of `TrendFilter`. */
export interface TrendParameters extends CommonParameters {
  readonly method: 'trend';
  /** ln ql. */
  readonly logLevelNoise: number;
  /** ln qb. */
  readonly logSlopeNoise: number;
  /** ln (1 − φ). */
  readonly logSlopeLoss: number;
  /** The standard deviation of the observation noise, in units of the metric. */
  readonly deviation: number;
  /** See `TrendModel`; in units of the metric. */
  readonly clipDeviation: number;
  /** See `TrendModel`. */
  readonly initialSlopeVariance: number;
}

/** The forecast is the last value. */
export interface NaiveParameters extends CommonParameters {
  readonly method: 'naive';
  /** The standard deviation of the difference of two values a mean gap apart, in units of the metric. */
  readonly deviation: number;
}

/** Rounds to six significant digits. @param x finite */
export const roundParameter = (x: number): number => Number(x.toPrecision(6));

/** Rounds the logarithm of a parameter to two decimals: a percent of the parameter is far below what data can tell. */
export const roundLogarithm = (x: number): number => Math.round(x * 100) / 100;
