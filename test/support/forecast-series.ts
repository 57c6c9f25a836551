import { fitForecast } from '../../src/domain/forecast/fit.js';
import { type Domain, type Forecast, forecastAhead } from '../../src/domain/forecast/forecast-ahead.js';
import type { ForecastParameters } from '../../src/domain/forecast/parameters.js';
import { lastPoints, type Points } from '../../src/domain/forecast/points.js';
import { continueTail, dayOfSeries, type Fit, type SeriesTail } from '../../src/domain/forecast/tail.js';
import { MS_PER_DAY } from '../../src/domain/time.js';

/** 2 March 2026, a Monday. */
export const MONDAY = Date.UTC(2026, 2, 2);
const HOUR = 3_600_000;

export interface TestSeries {
  readonly times: Float64Array;
  readonly values: Float64Array;
}

/** n points at equal distances of some hours. @param value of each point by its index */
export function regular(n: number, hours: number, value: (i: number) => number): TestSeries {
  return {
    times: Float64Array.from({ length: n }, (_, i) => MONDAY + i * hours * HOUR),
    values: Float64Array.from({ length: n }, (_, i) => value(i)),
  };
}

export const allPoints = ({ times, values }: TestSeries): Points =>
  lastPoints(times, values, {
    end: times.length,
    after: Number.MIN_SAFE_INTEGER,
    before: Number.POSITIVE_INFINITY,
  });

/** The predictions of the rows of a series, which is continued day by day. */
export function predictByDay({ times, values }: TestSeries, lookbackMs: number, fit?: Fit): Float64Array {
  const predictions = new Float64Array(times.length);
  let tail: SeriesTail | undefined;
  for (let begin = 0; begin < times.length; ) {
    const day = Math.floor((times[begin] as number) / MS_PER_DAY) * MS_PER_DAY;
    let end = begin;
    while (end < times.length && (times[end] as number) < day + MS_PER_DAY) end++;
    const rows = { day, times: times.slice(begin, end), values: values.slice(begin, end) };
    const continued = continueTail(dayOfSeries(tail, rows, lookbackMs), fit);
    predictions.set(continued.predictions, begin);
    tail = continued.tail;
    begin = end;
  }
  return predictions;
}

/** Fit and forecast of a series; undefined if it has none. */
export function forecastOf(
  series: TestSeries,
  domain?: Domain,
): { points: Points; parameters: ForecastParameters; forecast: Forecast } | undefined {
  const points = allPoints(series);
  const parameters = fitForecast(points);
  return parameters && { points, parameters, forecast: forecastAhead(points, parameters, domain) };
}

/** Every number in the parameters and the forecast. */
export function numbersOf(result: NonNullable<ReturnType<typeof forecastOf>>): number[] {
  const { season, quantiles, method: _, ...numbers } = result.parameters;
  return [
    ...Object.values(numbers),
    ...quantiles,
    ...(season ? [season.period, season.start, ...season.effects] : []),
    ...Object.values(result.forecast).flatMap((list: Float64Array) => [...list]),
  ];
}
