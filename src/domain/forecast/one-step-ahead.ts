import type { Steps } from '../steps.js';
import { isoWeekStart, MS_PER_DAY } from '../time.js';
import { fitForecast } from './fit.js';
import type { ForecastParameters } from './parameters.js';
import { lastPoints } from './points.js';
import { SeriesState } from './series-state.js';

/** With fewer points before its ISO week, a row uses parameters chosen before its day. */
const WEEKLY_POINTS = 50;

/**
 * The value to expect for each row of a series from the rows before it: the parameters are chosen from rows before the ISO week
 * of the row or, while there are fewer than 50 of these, before its day; the state includes all rows before it. No later row
 * changes a prediction. Pauses after each choice of parameters.
 * @param times n times, ms, ascending: the caller orders rows with equal times by `run_id`
 * @param values n values; those that are not finite are skipped, but get a prediction
 * @param from the first row to predict
 * @param lookbackMs rows older than this before the week or day are not used for it
 * @returns n − from predictions, NaN where fewer than 5 points precede
 */
export function* oneStepAhead(
  times: Float64Array,
  values: Float64Array,
  from: number,
  lookbackMs: number,
): Steps<Float64Array> {
  const predictions = new Float64Array(times.length - from).fill(Number.NaN);
  const before = (cut: number, end: number) =>
    lastPoints(times, values, { end, after: cut - lookbackMs, before: cut });
  let week = Number.NaN;
  let weekly = false;
  let cut = Number.NaN;
  let state: SeriesState | undefined;
  for (let i = from; i < times.length; i++) {
    const time = times[i] as number;
    if (!Number.isFinite(time)) continue;
    if (isoWeekStart(time) !== week) {
      week = isoWeekStart(time);
      weekly = before(week, i).times.length >= WEEKLY_POINTS;
    }
    const currentCut = weekly ? week : Math.floor(time / MS_PER_DAY) * MS_PER_DAY;
    if (currentCut !== cut) {
      cut = currentCut;
      const points = before(cut, i);
      const parameters: ForecastParameters | undefined = fitForecast(points);
      state = parameters && new SeriesState(points, parameters);
      for (let k = firstFrom(times, cut, i); k < i; k++)
        state?.observe(times[k] as number, values[k] as number);
      yield;
    }
    if (!state) continue;
    predictions[i - from] = state.predict(time);
    state.observe(time, values[i] as number);
  }
  return predictions;
}

/** The first row before `end` from which on all have a time at or after `cut`. */
function firstFrom(times: Float64Array, cut: number, end: number): number {
  let first = end;
  while (first > 0 && (times[first - 1] as number) >= cut) first--;
  return first;
}
