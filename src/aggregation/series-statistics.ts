import { LOOK_BACK_DAYS, MovingStatistics, movingAverage } from '../domain/moving-statistics.js';
import { MS_PER_DAY, MS_PER_HOUR } from '../domain/time.js';

/** The points of all series as parallel columns, sorted by series and time. `time`: ms; `value`: NaN if it is not valid. */
export interface Points {
  readonly series: Float64Array;
  readonly time: Float64Array;
  readonly value: Float64Array;
}

const SPAN_MS = LOOK_BACK_DAYS * MS_PER_DAY;

/** Calls `visit` for each series with the index range `[begin, end)` of its points. */
function forEachSeries(points: Points, visit: (series: number, begin: number, end: number) => void): void {
  let begin = 0;
  while (begin < points.series.length) {
    const series = points.series[begin] as number;
    let end = begin + 1;
    while (end < points.series.length && points.series[end] === series) end++;
    visit(series, begin, end);
    begin = end;
  }
}

export interface Averages {
  /** Index of the point. */
  readonly point: number[];
  readonly moving_avg: (number | null)[];
}

/** Moving averages of the points at or after `from` (ms). */
export function averagesFrom(points: Points, from: number, windowMs: number): Averages {
  const point: number[] = [];
  const moving_avg: (number | null)[] = [];
  forEachSeries(points, (_series, begin, end) => {
    let first = begin;
    while (first < end && (points.time[first] as number) < from) first++;
    if (first === end) return;
    // Points before the window of the first requested point do not matter.
    let start = begin;
    while ((points.time[start] as number) <= (points.time[first] as number) - windowMs) start++;
    const averages = movingAverage(
      points.time.subarray(start, end),
      points.value.subarray(start, end),
      windowMs,
    );
    for (let i = first; i < end; i++) {
      const average = averages[i - start] as number;
      point.push(i);
      moving_avg.push(Number.isNaN(average) ? null : average);
    }
  });
  return { point, moving_avg };
}

export interface Spans {
  /** Start of the hour, ms. */
  readonly hour: number[];
  /** Index of the series' newest point in the 7 days that end with the hour. */
  readonly point: number[];
  readonly avg_value: (number | null)[];
  readonly trend: (number | null)[];
}

/**
 * The newest point, mean and trend of the 7 days that end with each hour. An hour without a point in these days is left out.
 * @param hoursOf the hours of a series: ascending starts, ms
 */
export function spansOf(points: Points, hoursOf: (series: number) => readonly number[]): Spans {
  const spans: Spans = { hour: [], point: [], avg_value: [], trend: [] };
  forEachSeries(points, (series, begin, end) => {
    const statistics = new MovingStatistics();
    let low = begin;
    let high = begin;
    for (const hour of hoursOf(series)) {
      const to = hour + MS_PER_HOUR;
      for (; high < end && (points.time[high] as number) < to; high++) {
        statistics.add(points.time[high] as number, points.value[high] as number);
      }
      for (; low < high && (points.time[low] as number) < to - SPAN_MS; low++) {
        statistics.remove(points.time[low] as number, points.value[low] as number);
      }
      if (low === high) continue;
      spans.hour.push(hour);
      spans.point.push(high - 1);
      spans.avg_value.push(statistics.mean());
      spans.trend.push(statistics.trend());
    }
  });
  return spans;
}
