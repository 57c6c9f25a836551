import { fitForecast } from '../../../src/domain/forecast/fit.js';
import { lastPoints } from '../../../src/domain/forecast/points.js';
import { SeriesState } from '../../../src/domain/forecast/series-state.js';
import { MS_PER_DAY } from '../../../src/domain/time.js';

/**
 * A model of what the tails of days compute (`continueTail`), with the whole series at hand.
 *
 * The value to expect for each row of a series from the rows before it: the parameters are chosen from rows before the day of
 * the row; the state includes all rows before it. No later row changes a prediction.
 * @param times n times, ms, ascending: the caller orders rows with equal times by `run_id`
 * @param values n values; those that are not finite are skipped, but get a prediction
 * @param lookbackMs rows older than this before the day are not used for it
 * @returns n predictions, NaN where fewer than 5 points precede the day
 */
export function oneStepAhead(times: Float64Array, values: Float64Array, lookbackMs: number): Float64Array {
  const predictions = new Float64Array(times.length).fill(Number.NaN);
  const before = (cut: number, end: number) =>
    lastPoints(times, values, { end, after: cut - lookbackMs, before: cut });
  let cut = Number.NaN;
  let state: SeriesState | undefined;
  for (let i = 0; i < times.length; i++) {
    const time = times[i] as number;
    if (!Number.isFinite(time)) continue;
    const currentCut = Math.floor(time / MS_PER_DAY) * MS_PER_DAY;
    if (currentCut !== cut) {
      cut = currentCut;
      const points = before(cut, i);
      const parameters = fitForecast(points);
      state = parameters && SeriesState.after(points, parameters);
      for (let k = firstFrom(times, cut, i); k < i; k++)
        state?.observe(times[k] as number, values[k] as number);
    }
    if (!state) continue;
    predictions[i] = state.predict(time);
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
