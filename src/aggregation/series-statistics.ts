import { addRow, type DayPoints, SUM_WIDTH, SumField, type SumRows } from '../domain/hourly-sums.js';
import { LOOK_BACK_DAYS, movingAverage, SeriesSums } from '../domain/moving-statistics.js';
import type { Steps } from '../domain/steps.js';
import { MS_PER_DAY, MS_PER_HOUR } from '../domain/time.js';

/** The points of a day as columns, with the row of each in its `enriched_metrics`. */
export interface NumberedPoints extends DayPoints {
  readonly row: Float64Array;
}

/**
 * Moving averages of the points at or after the start of the day.
 * @param points of the day and of days before it, whose times are negative
 * @returns an average per point of the day, in order; NaN if there is none
 */
export function* averagesOf({ series, time, value }: DayPoints, windowMs: number): Steps<Float64Array> {
  const averages = new Float64Array(series.length);
  let length = 0;
  for (let begin = 0, end = 0; begin < series.length; begin = end) {
    yield;
    while (end < series.length && series[end] === series[begin]) end++;
    let first = begin;
    while (first < end && (time[first] as number) < 0) first++;
    if (first === end) continue;
    // Points before the window of the first requested point do not matter.
    let start = begin;
    while ((time[start] as number) <= (time[first] as number) - windowMs) start++;
    const found = movingAverage(time.subarray(start, end), value.subarray(start, end), windowMs);
    averages.set(found.subarray(first - start), length);
    length += end - first;
  }
  return averages.subarray(0, length);
}

/** The sums of a series on one day. */
export interface SeriesDay {
  readonly series: number;
  /** 0 to 6, for the 7 days before a day. */
  readonly day: number;
  /** Of hours if `day` is 0, otherwise of the whole day. */
  readonly rows: SumRows;
}

export interface Spans {
  readonly series: number[];
  /** Hour of the day, 0 to 23. */
  readonly hour: number[];
  /** Row in `enriched_metrics` of the newest point of the series in the 7 days that end with the hour; −1: one of a day before. */
  readonly row: number[];
  /** NaN without one. */
  readonly avg_value: number[];
  /** NaN without one. */
  readonly trend: number[];
}

/** What `spansOf` reads. */
export interface Window {
  /** The points of the day. */
  readonly points: NumberedPoints;
  /** Sorted by series and day. */
  readonly sums: readonly SeriesDay[];
  /** Per series: the time of its newest point on the 7 days before, ms since their start; NaN without one. */
  readonly before: Float64Array;
}

/**
 * The newest point, mean and trend of the 7 days that end with each hour. An hour without a point in these days is left out.
 * @param hoursOf the hours of a series: ascending, 0 to 23
 */
export function* spansOf(
  { points, sums, before }: Window,
  hoursOf: (series: number) => readonly number[],
): Steps<Spans> {
  const spans: Spans = { series: [], hour: [], row: [], avg_value: [], trend: [] };
  const beginsOfPoints = beginsOf(points.series, before.length);
  const window = new SeriesSums();
  let next = 0;
  for (let series = 0; series < before.length; series++) {
    yield;
    const days: SeriesDay[] = [];
    for (; sums[next]?.series === series; next++) days.push(sums[next] as SeriesDay);
    const hours = hoursOf(series);
    if (hours.length === 0) continue;
    const endOfPoints = beginsOfPoints[series + 1] as number;
    let point = beginsOfPoints[series] as number;
    window.clear();
    let last = addDays(window, days);
    /** The hours of the first day that the window has left. */
    const leaving = days[0]?.day === 0 ? days[0].rows : NO_ROWS;
    let left = 0;
    /** The first valid point of the day. */
    let firstOfDay = -1;
    let newest = -1;
    for (const hour of hours) {
      const end = (hour + 1) * MS_PER_HOUR;
      for (; left < leaving.length && (leaving[left] as number) <= hour; left += SUM_WIDTH) {
        addRow(window, leaving, left, 0, -1);
      }
      for (; point < endOfPoints && (points.time[point] as number) < end; point++) {
        newest = points.row[point] as number;
        const value = points.value[point] as number;
        if (Number.isNaN(value)) continue;
        last = SPAN_MS + (points.time[point] as number);
        if (firstOfDay < 0) firstOfDay = last;
        window.add(last, value);
      }
      if (newest < 0 && !((before[series] as number) >= end)) continue;
      spans.series.push(series);
      spans.hour.push(hour);
      spans.row.push(newest);
      spans.avg_value.push(window.mean() ?? Number.NaN);
      spans.trend.push(window.trend(last - (firstTime(days, left) ?? firstOfDay)) ?? Number.NaN);
    }
  }
  return spans;
}

const NO_ROWS = new Float64Array();

/** @returns the time of the last valid value, ms since the start of the first of the 7 days */
function addDays(window: SeriesSums, days: readonly SeriesDay[]): number {
  let last = 0;
  for (const { day, rows } of days) {
    for (let at = 0; at < rows.length; at += SUM_WIDTH) {
      addRow(window, rows, at, day * MS_PER_DAY, 1);
      if (rows[at + SumField.valid] !== 0) last = day * MS_PER_DAY + (rows[at + SumField.last] as number);
    }
  }
  return last;
}

/**
 * The time of the first valid value, ms since the start of the first of the 7 days.
 * @param left index of the first row of the first day that counts
 */
function firstTime(days: readonly SeriesDay[], left: number): number | undefined {
  for (const { day, rows } of days) {
    for (let at = day === 0 ? left : 0; at < rows.length; at += SUM_WIDTH) {
      if (rows[at + SumField.valid] !== 0) return day * MS_PER_DAY + (rows[at + SumField.first] as number);
    }
  }
  return undefined;
}

const SPAN_MS = LOOK_BACK_DAYS * MS_PER_DAY;

/** Where the rows of each number below `count` begin in a sorted column, and at last its length. */
function beginsOf(column: Float64Array, count: number): Float64Array {
  const begins = new Float64Array(count + 1);
  for (const series of column) begins[series + 1] = (begins[series + 1] as number) + 1;
  for (let i = 0; i < count; i++) begins[i + 1] = (begins[i + 1] as number) + (begins[i] as number);
  return begins;
}
