import type { Points } from './points.js';
import { sizeToUnits, toUnits } from './points.js';
import { type Season, seasonAt } from './season.js';
import { extremesOf, nthSmallest } from './selection.js';

/** Points as the filter sees them: in the units of `Points`, without the pattern that repeats. */
export interface UnitSeries {
  readonly values: Float64Array;
  /** From the point before, in mean gaps; 0 for the first. */
  readonly gaps: Float64Array;
}

/** @param meanGap ms */
export function unitSeries(points: Points, season: Season | undefined, meanGap: number): UnitSeries {
  const { times, values } = points;
  const gaps = new Float64Array(times.length);
  for (let i = 1; i < times.length; i++)
    gaps[i] = ((times[i] as number) - (times[i - 1] as number)) / meanGap;
  const withoutSeason = values.map(
    (value, i) => toUnits(points, value) - sizeToUnits(points, seasonAt(season, times[i] as number)),
  );
  return { values: withoutSeason, gaps };
}

/** Facts about a series that hold without a model. In units of `Points`. */
export interface SeriesStatistics {
  /** 1.4826 times the median distance of the differences from their median: their standard deviation, if they are normal. */
  readonly spread: number;
  /** The median difference of two points in sequence. */
  readonly drift: number;
  /** No standard deviation is assumed to be smaller: a band never has zero width. */
  readonly floor: number;
  readonly constant: boolean;
}

/** The floor as a share of the range of the values or, if they are all equal, of their size. */
const FLOOR_SHARE = 1e-6;
/** The distance of two doubles is below this share of their size. */
const ROUNDING = 2 ** -46;

/** @param series at least two points */
export function seriesStatistics({ values }: UnitSeries, points: Points): SeriesStatistics {
  const differences = new Float64Array(values.length - 1);
  let squares = 0;
  for (let i = 0; i < differences.length; i++) {
    const difference = (values[i + 1] as number) - (values[i] as number);
    differences[i] = difference;
    squares += difference * difference;
  }
  const middle = (differences.length - 1) >> 1;
  const drift = nthSmallest(differences, middle);
  for (let i = 0; i < differences.length; i++) differences[i] = Math.abs((differences[i] as number) - drift);
  const spread = 1.4826 * nthSmallest(differences, middle);
  const { least, greatest } = extremesOf(values);
  const range = greatest - least;
  const size = sizeToUnits(points, Math.max(Math.abs(points.origin), Math.abs(points.values[0] as number)));
  const floor = Math.max(FLOOR_SHARE * (range || size || 1), ROUNDING * size);
  return {
    // More than half of the differences may be equal.
    spread: spread > floor ? spread : Math.max(floor, Math.sqrt(squares / differences.length)),
    drift,
    floor,
    constant: range === 0,
  };
}
