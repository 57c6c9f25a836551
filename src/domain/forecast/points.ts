import { exponentOf2, powerOf2 } from './elementary.js';
import { extremesOf, nthSmallest } from './selection.js';

/** A fit uses at most this many points. */
export const MAX_POINTS = 200;
/** A point is part of a fit for this many days by default. */
export const LOOKBACK_DAYS = 90;

/**
 * The filter works with values in units in which it can neither overflow nor lose the digits of small differences:
 * (value − origin) · 2^−exponent.
 */
export interface Units {
  /** One of the values, in the middle of all. */
  readonly origin: number;
  /** The deviations from the origin are at most 2^exponent. */
  readonly exponent: number;
}

/** The points of a series that a forecast uses, oldest first, and the units that fit them. */
export interface Points extends Units {
  /** ms, ascending. */
  readonly times: Float64Array;
  /** As logged. */
  readonly values: Float64Array;
}

/** A part of a series: its points with an index below `end` and a time in `(after, before)`, ms; `after` is finite. */
export interface PartOfSeries {
  readonly end: number;
  readonly after: number;
  readonly before: number;
}

/** The indices that `selectPoints` has found. */
const kept = new Int32Array(MAX_POINTS);

/** The last points of a part of a series, with their units. */
export function lastPoints(times: Float64Array, values: Float64Array, part: PartOfSeries): Points {
  const selected = selectPoints(times, values, part);
  const { origin, exponent } = unitsOf(selected.values);
  return { times: selected.times, values: selected.values, origin, exponent };
}

/**
 * The last points of a part of a series. Points with a value or time that is not finite are skipped, and so are points that
 * are later than one after them: the caller orders points by time, and points with equal times by `run_id`.
 * @param times n times, ms
 * @param values n values
 */
export function selectPoints(
  times: Float64Array,
  values: Float64Array,
  part: PartOfSeries,
): Pick<Points, 'times' | 'values'> {
  let first = MAX_POINTS;
  let next = Number.POSITIVE_INFINITY;
  for (let i = part.end - 1; i >= 0 && first > 0; i--) {
    const time = times[i] as number;
    if (!(time < part.before && time <= next) || !Number.isFinite(time) || !Number.isFinite(values[i]))
      continue;
    if (time <= part.after) break;
    kept[--first] = i;
    next = time;
  }
  const n = MAX_POINTS - first;
  const [begin, end] = [kept[first] ?? 0, (kept[MAX_POINTS - 1] as number) + 1];
  if (n > 0 && end - begin === n) return { times: times.slice(begin, end), values: values.slice(begin, end) };
  const selected = { times: new Float64Array(n), values: new Float64Array(n) };
  for (let k = 0; k < n; k++) {
    const i = kept[first + k] as number;
    selected.times[k] = times[i] as number;
    selected.values[k] = values[i] as number;
  }
  return selected;
}

function unitsOf(values: Float64Array): Units {
  if (values.length === 0) return { origin: 0, exponent: 0 };
  const origin = nthSmallest(values, (values.length - 1) >> 1);
  const { least, greatest } = extremesOf(values);
  // A quarter of each: the difference of the largest doubles overflows.
  const above = greatest / 4 - origin / 4;
  const below = origin / 4 - least / 4;
  const deviation = Math.max(above, below);
  return { origin, exponent: deviation > 0 ? Math.max(exponentOf2(deviation) + 3, LEAST_EXPONENT) : 0 };
}

/** Of the units: their inverse must be finite. */
const LEAST_EXPONENT = -1000;
/** The largest deviation that the filter sees: a later value may be far outside of the points that gave the units. */
const MAX_DEVIATION = 1e100;

/** A value in the units of the filter. */
export function toUnits({ origin, exponent }: Units, value: number): number {
  const deviation = (value / 4 - origin / 4) * powerOf2(2 - exponent);
  return Math.min(MAX_DEVIATION, Math.max(-MAX_DEVIATION, deviation));
}

/** A number in the units of the filter as a value; finite. */
export function fromUnits({ origin, exponent }: Units, deviation: number): number {
  const value = 4 * (origin / 4 + deviation * powerOf2(exponent - 2));
  return Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, value));
}

/** A difference of two values in the units of the filter. */
export const sizeToUnits = ({ exponent }: Units, size: number): number => size * powerOf2(0 - exponent);

/** A difference of two numbers in the units of the filter as a difference of values; finite. */
export const sizeFromUnits = ({ exponent }: Units, size: number): number =>
  Math.min(Number.MAX_VALUE, Math.max(-Number.MAX_VALUE, 4 * (size * powerOf2(exponent - 2))));
