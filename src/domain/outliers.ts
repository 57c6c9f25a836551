import { MAD_SCALE } from './suggest/suggest-limits.js';

/** The points of a series that are much further from what was expected of them than usual. */
export interface Outliers {
  /** The usual distance between a value and its forecast, comparable to a standard deviation; in the unit of the values. */
  readonly usual: number;
  /** A point further from its forecast than this is an outlier. */
  readonly limit: number;
  /** The indices of the outliers. */
  readonly indices: ReadonlySet<number>;
}

/** With fewer forecasts nobody knows what is usual. */
const MIN_FORECASTS = 10;
/**
 * So many usual distances make an outlier. Iglewicz and Hoaglin (How to Detect and Handle Outliers, 1993) propose 3.5 for values that are
 * distributed normally. Errors of forecasts have heavier tails, and a mark on every page would mean nothing.
 */
export const OUTLIER_FACTOR = 5;
/** What `MAD_SCALE` is for the median is √(π/2) for the mean, which they use if more than half of the distances are 0. */
const MEAN_SCALE = 1.2533;
/** Smaller distances are rounding errors of constant series, as a share of the largest value. */
const ROUNDING = 1e-9;

/**
 * @param values n values; null: not valid
 * @param forecasts n forecasts of these values, each made from the values before it; null: there is none
 * @returns null: there are too few points with both to know what is usual
 */
export function findOutliers(
  values: readonly (number | null)[],
  forecasts: readonly (number | null)[],
): Outliers | null {
  const distances = new Float64Array(values.length);
  let [count, sum, largest] = [0, 0, 0];
  values.forEach((value, i) => {
    const forecast = forecasts[i] ?? null;
    if (value === null || forecast === null) return;
    // Halves first: a difference may overflow.
    const distance = Math.min(Number.MAX_VALUE, 2 * Math.abs(value / 2 - forecast / 2));
    distances[count++] = distance;
    sum += distance / values.length;
    largest = Math.max(largest, Math.abs(value));
  });
  if (count < MIN_FORECASTS) return null;
  const sorted = distances.subarray(0, count).sort();
  const median = sorted[(count - 1) >> 1] ?? 0;
  const usual = median > 0 ? MAD_SCALE * median : MEAN_SCALE * sum * (values.length / count);
  const limit = Math.max(OUTLIER_FACTOR * usual, ROUNDING * largest);
  const indices = new Set<number>();
  values.forEach((value, i) => {
    const forecast = forecasts[i] ?? null;
    if (value !== null && forecast !== null && 2 * Math.abs(value / 2 - forecast / 2) > limit) indices.add(i);
  });
  return { usual, limit, indices };
}
