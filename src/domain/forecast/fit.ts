import { Deviance, SKIPPED } from './deviance.js';
import { exp, log } from './elementary.js';
import { minimize } from './nelder-mead.js';
import { errorQuantiles } from './one-step-errors.js';
import {
  type ForecastParameters,
  type NaiveParameters,
  roundLogarithm,
  roundParameter,
} from './parameters.js';
import { type Points, sizeFromUnits, toUnits } from './points.js';
import { findSeason, type Season } from './season.js';
import { TrendFilter, type TrendModel } from './trend-filter.js';
import { type SeriesStatistics, seriesStatistics, type UnitSeries, unitSeries } from './unit-series.js';

/** With fewer points there is no forecast. */
export const MIN_POINTS = 5;
/** With fewer points the forecast is the last value. */
export const MIN_TREND_POINTS = 10;
/** The search ends after this many iterations, each of at most five passes over the points. */
export const MAX_ITERATIONS = 60;
const TOLERANCE = 1e-3;

/**
 * The searched parameters: ln ql, ln qb and ln (1 − φ) with φ from 0.5 to 0.9999. The prior adds weight · (x − center)² to
 * −2 ln L: it decides only where the data hardly do.
 *
 * The likelihood can have two maxima: a steady trend with much noise, and a level that wanders. The first simplex spans both, since
 * a search that starts at a wandering level misses one in six steady trends.
 */
const SEARCHED = [
  { lowest: -14, highest: 9, start: -4, step: 2.5, center: -2, weight: 0.05 },
  { lowest: -20, highest: 6, start: -10, step: 2.5, center: -8, weight: 0.05 },
  { lowest: -9.21, highest: -0.7, start: -4.5, step: -1.5, center: -3, weight: 0.2 },
] as const;
const START = Float64Array.from(SEARCHED, ({ start }) => start);
const STEP = Float64Array.from(SEARCHED, ({ step }) => step);

/** Variance of the initial slope, besides the square of the usual difference of two points. */
const INITIAL_SLOPE_VARIANCE = 0.1;

/** The model must be better than the last value by this much one step ahead … */
const MAX_ONE_STEP_RATIO = 0.95;
/** Errors on points that the model was fitted to are too small by about this share, divided by the number of points. */
const OVERFIT = 2;
/** Errors count up to this many times the spread of the differences. */
const MAX_ERROR = 3;
/** … and not worse by more than this for as many steps ahead as a forecast has. */
const MAX_AHEAD_RATIO = 1.2;
/** A forecast looks ahead for at most this share of the time that its points cover. */
export const HORIZON_SHARE = 1 / 3;

const filter = new TrendFilter();

/**
 * Chooses how a series is forecast. Everything is chosen from the points: the unit of time, the season, the parameters of the
 * filter by maximum likelihood with weak priors, and whether the last value has been the better forecast.
 * @returns undefined with fewer than 5 points, or if all are at the same time
 */
export function fitForecast(points: Points): ForecastParameters | undefined {
  const { times } = points;
  const n = times.length;
  const span = (times[n - 1] as number) - (times[0] as number);
  if (n < MIN_POINTS || !(span > 0)) return undefined;
  const meanGap = roundParameter(span / (n - 1));
  const season = roundedSeason(points);
  const series = unitSeries(points, season, meanGap);
  const statistics = seriesStatistics(series, points);
  const naive = () => naiveParameters(points, series, statistics, meanGap, season);
  if (n < MIN_TREND_POINTS || statistics.constant) return naive();
  const found = search(series, statistics);
  const model = modelOf(found, statistics);
  const history = review(model, series, statistics);
  if (history.naiveIsBetter) return naive();
  return {
    method: 'trend',
    points: n,
    meanGap,
    season,
    logLevelNoise: found[0] as number,
    logSlopeNoise: found[1] as number,
    logSlopeLoss: found[2] as number,
    deviation: roundParameter(sizeFromUnits(points, history.deviation)),
    clipDeviation: roundParameter(sizeFromUnits(points, model.clipDeviation)),
    initialSlopeVariance: roundParameter(model.initialSlopeVariance),
    quantiles: errorQuantiles(history.errors, n - SKIPPED - SEARCHED.length),
  };
}

function roundedSeason(points: Points): Season | undefined {
  const season = findSeason(
    points.times,
    points.values.map((value) => toUnits(points, value)),
  );
  const inValues = (effect: number) => roundParameter(sizeFromUnits(points, effect));
  return season && { ...season, effects: season.effects.map(inValues) };
}

function naiveParameters(
  points: Points,
  { values, gaps }: UnitSeries,
  { floor }: SeriesStatistics,
  meanGap: number,
  season: Season | undefined,
): NaiveParameters {
  const n = values.length;
  const errors = new Float64Array(n - 1);
  let squares = 0;
  for (let i = 1; i < n; i++) {
    // Values at almost the same time still differ by their noise.
    const error =
      Math.abs((values[i] as number) - (values[i - 1] as number)) / Math.sqrt(Math.max(1, gaps[i] as number));
    errors[i - 1] = error;
    squares += error * error;
  }
  const deviation = Math.max(floor, Math.sqrt(squares / errors.length));
  return {
    method: 'naive',
    points: n,
    meanGap,
    season,
    deviation: roundParameter(sizeFromUnits(points, deviation)),
    quantiles: errorQuantiles(
      errors.map((error) => error / deviation),
      n - 2,
    ),
  };
}

const limited = (x: Float64Array, k: 0 | 1 | 2): number =>
  Math.min(SEARCHED[k].highest, Math.max(SEARCHED[k].lowest, x[k] as number));

function modelOf(x: Float64Array, { spread, drift }: SeriesStatistics): TrendModel {
  const levelNoise = exp(limited(x, 0));
  const slopeNoise = exp(limited(x, 1));
  // The variance of a difference over a mean gap is 2 + ql + qb / 3 times that of the observation noise.
  const clipDeviation = spread / Math.sqrt(2 + levelNoise + slopeNoise / 3);
  const usualSlope = drift / clipDeviation;
  return {
    levelNoise,
    slopeNoise,
    logDamping: log(1 - exp(limited(x, 2))),
    clipDeviation,
    initialSlopeVariance: INITIAL_SLOPE_VARIANCE + usualSlope * usualSlope,
  };
}

function search(series: UnitSeries, statistics: SeriesStatistics): Float64Array {
  const deviance = new Deviance(series, statistics.floor);
  const loss = (x: Float64Array): number => {
    let penalty = 0;
    for (let k = 0; k < SEARCHED.length; k++) {
      const { center, weight } = SEARCHED[k as 0 | 1 | 2];
      const distance = (x[k] as number) - center;
      penalty += weight * distance * distance;
    }
    return deviance.of(modelOf(x, statistics)) + penalty;
  };
  const best = minimize(loss, START, STEP, MAX_ITERATIONS, TOLERANCE);
  return best.map((_, k) => roundLogarithm(limited(best, k as 0 | 1 | 2)));
}

/** How the model would have done on its own points. */
function review(model: TrendModel, { values, gaps }: UnitSeries, { floor, spread }: SeriesStatistics) {
  const n = values.length;
  const ahead = Math.round(n * HORIZON_SHARE);
  const capped = (error: number) => Math.min(Math.abs(error), MAX_ERROR * spread);
  const errors = new Float64Array(n - SKIPPED);
  let squares = 0;
  let counted = 0;
  const oneStep = { model: 0, naive: 0 };
  const manySteps = { model: 0, naive: 0 };
  let gapAhead = 0;
  for (let i = 1; i <= ahead; i++) gapAhead += gaps[i] as number;
  filter.start(model, values[0] as number);
  for (let i = 1; i < n; i++) {
    const value = values[i] as number;
    filter.advance(gaps[i] as number);
    const error = value - filter.level;
    filter.update(value);
    // An outlier or a step is no noise, and says little about all other points.
    const isUsual = filter.beyond === 0;
    if (isUsual && 2 * i >= ahead) {
      oneStep.model += capped(error);
      oneStep.naive += capped(value - (values[i - 1] as number));
    }
    if (i >= SKIPPED) {
      const square = (filter.innovation * filter.innovation) / filter.predictionVariance;
      errors[i - SKIPPED] = Math.sqrt(square);
      if (isUsual) {
        squares += square;
        counted++;
      }
    }
    if (i + ahead >= n) continue;
    gapAhead += (gaps[i + ahead] as number) - (gaps[i] as number);
    if (2 * i < ahead) continue;
    const later = values[i + ahead] as number;
    manySteps.model += Math.abs(later - filter.levelAfter(Math.max(0, gapAhead)));
    manySteps.naive += Math.abs(later - value);
  }
  const deviation = Math.max(floor, Math.sqrt(squares / Math.max(1, counted)));
  return {
    deviation,
    errors: errors.map((error) => error / deviation),
    naiveIsBetter:
      oneStep.model * (1 + OVERFIT / n) > MAX_ONE_STEP_RATIO * oneStep.naive ||
      manySteps.model > MAX_AHEAD_RATIO * manySteps.naive,
  };
}
