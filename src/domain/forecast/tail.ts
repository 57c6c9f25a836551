import { joinLists } from '../join-lists.js';
import { MS_PER_DAY } from '../time.js';
import { fitForecast, MIN_POINTS } from './fit.js';
import { type Domain, type Forecast, forecastAhead } from './forecast-ahead.js';
import type { ForecastParameters } from './parameters.js';
import { lastPoints, type Points, selectPoints } from './points.js';
import { SeriesState } from './series-state.js';

/** With fewer points before its day, the forecast after a day uses parameters chosen from all points up to the last. */
export const ENOUGH_POINTS = 50;

/** Chooses parameters from points: `fitForecast`, or what it has returned for the same points. */
export type Fit = (points: Points) => ForecastParameters | undefined;

/** What later days need of a series at the end of a day, however many points there were before. */
export interface SeriesTail {
  /** The last valid points that a later day may use, ms, ascending: at most 200. */
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/** The rows of a series on one UTC day. */
export interface RowsOfDay {
  /** The start of the day, ms. */
  readonly day: number;
  /** ms, ascending: the caller orders rows with equal times by `run_id`. */
  readonly times: Float64Array;
  /** As many; those that are not finite are skipped, but get a prediction. */
  readonly values: Float64Array;
}

/** A day of a series. */
export interface ContinuedSeries {
  readonly tail: SeriesTail;
  /** Of the forecast after the day; `undefined`: there is none. */
  readonly parameters: ForecastParameters | undefined;
  /** The value to expect for each row from the rows before it, NaN where fewer than 5 points precede the day. */
  readonly predictions: Float64Array;
}

/** Points at or before this time, ms, are not used from this day on. */
export const forgottenUntil = (day: number, lookbackMs: number): number => day - lookbackMs;

/** The points that a day of a series is computed from: those of the tail before it and its own. */
export interface DayOfSeries {
  readonly rows: RowsOfDay;
  readonly lookbackMs: number;
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** Before the day: the parameters of its rows are chosen from these. */
  readonly before: Points;
  /** Up to the last point of the day: the parameters of the forecast after it are chosen from these. `undefined`: from `before`. */
  readonly until: Points | undefined;
}

/**
 * @param previous the tail of the last day with rows; `undefined` if there is none within the lookback
 * @param lookbackMs points older than this before the day are not used for it
 */
export function dayOfSeries(
  previous: SeriesTail | undefined,
  rows: RowsOfDay,
  lookbackMs: number,
): DayOfSeries {
  const times = joinLists([...(previous ? [previous.times] : []), rows.times]);
  const values = joinLists([...(previous ? [previous.values] : []), rows.values]);
  const partBefore = (cut: number) => ({ end: times.length, after: cut - lookbackMs, before: cut });
  const before = lastPoints(times, values, partBefore(rows.day));
  const isEnough = before.times.length >= ENOUGH_POINTS;
  const until = isEnough ? undefined : lastPoints(times, values, partBefore(rows.day + MS_PER_DAY));
  return { rows, lookbackMs, times, values, before, until };
}

/**
 * Continues a series by the rows of a day. The parameters of the rows are chosen from points before the day, and the state
 * includes all rows before: so nothing later changes a prediction, and rows that are added to the day need no other parameters.
 */
export function continueTail(
  { rows, lookbackMs, times, values, before, until }: DayOfSeries,
  choose: Fit = fitForecast,
): ContinuedSeries {
  const known = choose(before);
  const state = known && SeriesState.after(before, known);
  const predictions = new Float64Array(rows.times.length).fill(Number.NaN);
  for (let i = 0; state && i < predictions.length; i++) {
    predictions[i] = state.predict(rows.times[i] as number);
    state.observe(rows.times[i] as number, rows.values[i] as number);
  }
  const parameters = until ? choose(until) : known;
  const after = forgottenUntil(rows.day, lookbackMs);
  const tail = selectPoints(times, values, { end: times.length, after, before: rows.day + MS_PER_DAY });
  return { tail: { times: tail.times, values: tail.values }, parameters, predictions };
}

/** A forecast after the last point of a day. */
export interface ForecastAfter {
  readonly points: Points;
  readonly parameters: ForecastParameters;
  readonly forecast: Forecast;
}

/**
 * The forecast after the last point of a series.
 * @param day the start of the day, ms
 * @returns `undefined` if there is none: without parameters, or if the points are too few by now or all at one time
 */
export function forecastAfter(
  { tail: { times, values }, parameters }: Pick<ContinuedSeries, 'tail' | 'parameters'>,
  day: number,
  lookbackMs: number,
  domain: Domain,
): ForecastAfter | undefined {
  const end = day + MS_PER_DAY;
  const points = lastPoints(times, values, { end: times.length, after: end - lookbackMs, before: end });
  const [first = 0, last = 0] = [points.times[0], points.times.at(-1)];
  if (!parameters || points.times.length < MIN_POINTS || !(last > first)) return undefined;
  return { points, parameters, forecast: forecastAhead(points, parameters, domain) };
}
