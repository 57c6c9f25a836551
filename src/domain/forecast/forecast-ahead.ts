import { MS_PER_DAY } from '../time.js';
import { HORIZON_SHARE } from './fit.js';
import { NORMAL_QUANTILES } from './one-step-errors.js';
import type { ForecastParameters } from './parameters.js';
import { fromUnits, type Points, sizeFromUnits, sizeToUnits } from './points.js';
import { seasonAt } from './season.js';
import { SeriesState } from './series-state.js';

/** A forecast has this many steps at equal distances. */
export const STEPS = 24;
export const MAX_HORIZON_DAYS = 14;

/**
 * The variance of the level is this many times that of the filter. The filter takes its parameters and the kind of trend for
 * certain; the factor was chosen on simulated series so that the bands hold what they promise (docs/forecast.md).
 */
const LEVEL_UNCERTAINTY = 1.75;

/** The values that a metric can have; an absent limit is none. */
export interface Domain {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** n expected values with their bands, and what breaches are computed from. All finite; n numbers each. */
export interface Forecast {
  /** ms. */
  readonly times: Float64Array;
  readonly forecast: Float64Array;
  /** The bands contain 80 and 95 % of the values. */
  readonly lower80: Float64Array;
  readonly upper80: Float64Array;
  readonly lower95: Float64Array;
  readonly upper95: Float64Array;
  /** The level without season and noise, and its standard deviation, for the last point and then each step: n + 1 numbers. */
  readonly levels: Float64Array;
  readonly levelDeviations: Float64Array;
}

/**
 * The times of a forecast, ms: 24 equal steps over a third of the time that the points cover, at most 14 days.
 * @param points at least two, not all at the same time
 */
export function stepTimes({ times }: Points): Float64Array {
  const last = times[times.length - 1] as number;
  const span = last - (times[0] as number);
  const horizon = Math.min(span * HORIZON_SHARE, MAX_HORIZON_DAYS * MS_PER_DAY);
  return new Float64Array(STEPS).map((_, k) => last + (horizon * (k + 1)) / STEPS);
}

/**
 * The forecast for times after the last point.
 * @param parameters of `fitForecast`
 * @param times ms, ascending; those of `stepTimes` by default
 */
export function forecastAhead(
  points: Points,
  parameters: ForecastParameters,
  domain: Domain = {},
  times: Float64Array = stepTimes(points),
): Forecast {
  const n = times.length;
  const through = new Float64Array(n + 1);
  through[0] = points.times[points.times.length - 1] as number;
  through.set(times, 1);
  const { levels, variances } = SeriesState.after(points, parameters).moveThrough(through);
  const deviation = sizeToUnits(points, parameters.deviation);
  const { min = -Number.MAX_VALUE, max = Number.MAX_VALUE } = domain;
  const inDomain = (inUnits: number) => Math.min(max, Math.max(min, fromUnits(points, inUnits)));
  const uncertainty = uncertaintyOf(parameters);
  const bands = {
    forecast: new Float64Array(n),
    lower80: new Float64Array(n),
    upper80: new Float64Array(n),
    lower95: new Float64Array(n),
    upper95: new Float64Array(n),
  };
  for (let k = 0; k < n; k++) {
    const season = sizeToUnits(points, seasonAt(parameters.season, times[k] as number));
    const expected = (levels[k + 1] as number) + season;
    const variance = variances[k + 1] as number;
    const width80 = deviation * uncertainty.width(0, variance);
    const width95 = deviation * uncertainty.width(1, variance);
    bands.forecast[k] = inDomain(expected);
    bands.lower80[k] = inDomain(expected - width80);
    bands.upper80[k] = inDomain(expected + width80);
    bands.lower95[k] = inDomain(expected - width95);
    bands.upper95[k] = inDomain(expected + width95);
  }
  return {
    times,
    ...bands,
    levels: levels.map((level) => fromUnits(points, level)),
    levelDeviations: variances.map((variance) =>
      sizeFromUnits(points, deviation * Math.sqrt(uncertainty.levelFactor * variance)),
    ),
  };
}

/** How wide the bands are, in standard deviations of the parameters. */
function uncertaintyOf(parameters: ForecastParameters) {
  const { method, quantiles, season, points } = parameters;
  const levelFactor = method === 'trend' ? LEVEL_UNCERTAINTY : 1;
  // The effects are means of few points: they fit these too well, and later ones worse by as much.
  const known = (season?.effects.length ?? 0) / points;
  const noiseFactor = (1 + known) / (1 - known);
  const perLevel = method === 'trend' ? NORMAL_QUANTILES : quantiles;
  const width = (share: 0 | 1, levelVariance: number): number =>
    Math.sqrt(noiseFactor * quantiles[share] ** 2 + levelFactor * perLevel[share] ** 2 * levelVariance);
  return { levelFactor, width };
}
