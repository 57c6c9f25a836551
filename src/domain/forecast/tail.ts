import { joinLists } from '../join-lists.js';
import { isoWeekStart, MS_PER_DAY } from '../time.js';
import { fitForecast, MIN_POINTS } from './fit.js';
import { type Domain, type Forecast, forecastAhead } from './forecast-ahead.js';
import type { ForecastParameters } from './parameters.js';
import { lastPoints, type Points, selectPoints } from './points.js';
import { SeriesState } from './series-state.js';

/** With fewer points before its ISO week, a row uses parameters chosen before its day. */
export const WEEKLY_POINTS = 50;

/** Chooses parameters from points: `fitForecast`, or what it has returned for the same points. */
export type Fit = (points: Points) => ForecastParameters | undefined;

/** What is known of a series at the end of a day: enough to go on with later days, however many points there were before. */
export interface SeriesTail {
  /** The last valid points that a later day may use, ms, ascending: at most 200. */
  readonly times: Float64Array;
  readonly values: Float64Array;
  /** The start of the ISO week of the last row, ms. */
  readonly week: number;
  /** Whether the rows of this week use parameters chosen before it: 50 points preceded it. */
  readonly weekly: boolean;
  /** Those of the week or, if these are chosen daily, those for the next day. `undefined`: there is no forecast. */
  readonly parameters: ForecastParameters | undefined;
  /** With parameters of the week: the state after the last row. */
  readonly state: Float64Array | undefined;
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

/** Points at or before this time, ms, are not used from this day on. */
export const forgottenUntil = (day: number, lookbackMs: number): number => isoWeekStart(day) - lookbackMs;

/**
 * Continues a series by the rows of a day. `predictions`: the value to expect for each row from the rows before it, NaN where
 * fewer than 5 points precede. Parameters are chosen from points before the ISO week of the day or, while there are fewer than
 * 50 of these, before the day; the state includes all rows before. So nothing later changes a prediction.
 * @param previous the tail of the last day with rows; `undefined` if there is none within the lookback
 * @param lookbackMs points older than this before the week or day are not used for it
 */
export function continueTail(
  previous: SeriesTail | undefined,
  { day, ...rows }: RowsOfDay,
  lookbackMs: number,
  choose: Fit = fitForecast,
): { readonly tail: SeriesTail; readonly predictions: Float64Array } {
  const week = isoWeekStart(day);
  const times = joinLists([...(previous ? [previous.times] : []), rows.times]);
  const values = joinLists([...(previous ? [previous.values] : []), rows.values]);
  const partBefore = (cut: number) => ({ end: times.length, after: cut - lookbackMs, before: cut });
  const before = (cut: number): Points => lastPoints(times, values, partBefore(cut));
  // Later in a week, the points before it may have left the tail: it keeps what was decided.
  const ofWeek = previous?.week === week ? previous : undefined;
  const weekly =
    ofWeek?.weekly ?? selectPoints(times, values, partBefore(week)).times.length >= WEEKLY_POINTS;
  let parameters = weekly ? ofWeek?.parameters : undefined;
  let state: SeriesState | undefined;
  if (weekly && ofWeek) state = ofWeek.state && parameters && SeriesState.restore(ofWeek.state, parameters);
  else {
    const points = before(weekly ? week : day);
    parameters = choose(points);
    state = parameters && SeriesState.after(points, parameters);
  }
  const predictions = new Float64Array(rows.times.length).fill(Number.NaN);
  for (let i = 0; state && i < predictions.length; i++) {
    predictions[i] = state.predict(rows.times[i] as number);
    state.observe(rows.times[i] as number, rows.values[i] as number);
  }
  const end = day + MS_PER_DAY;
  const kept = selectPoints(times, values, {
    end: times.length,
    after: forgottenUntil(day, lookbackMs),
    before: end,
  });
  return {
    tail: {
      times: kept.times,
      values: kept.values,
      week,
      weekly,
      parameters: weekly ? parameters : choose(before(end)),
      state: weekly ? state?.save() : undefined,
    },
    predictions,
  };
}

/** A forecast after the last point of a day. */
export interface ForecastAfter {
  readonly points: Points;
  readonly parameters: ForecastParameters;
  readonly forecast: Forecast;
}

/**
 * The forecast after the last point of a series, with the parameters of its tail.
 * @param day the start of the day of the tail, ms
 * @returns `undefined` if there is none: without parameters, or if the points are too few by now or all at one time
 */
export function forecastAfter(
  { times, values, parameters }: SeriesTail,
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
