import { type ExactSum, HUGE_EXPONENT, type SumExponent } from './exact-sum.js';
import { SeriesSums } from './moving-statistics.js';
import type { Steps } from './steps.js';
import { MS_PER_HOUR } from './time.js';

/** The points of one day as parallel columns, sorted by series and time. */
export interface DayPoints {
  /** A number per series. */
  readonly series: Float64Array;
  /** Whole ms since the start of the day. */
  readonly time: Float64Array;
  /** NaN if it is not valid. */
  readonly value: Float64Array;
}

/** The hour of rows that sum up the whole day. */
export const WHOLE_DAY = -1;

/**
 * Exact sums over the points of a series in the whole day, or in one hour each: rows of `SUM_WIDTH` numbers, in the order of
 * `SumField`. All rows of an hour are added up: a sum is that of its field and of the rest, times 2^exponent. For a single
 * valid value only the first and the last time and Σv are set.
 */
export type SumRows = Float64Array;

export const SumField = {
  /** 0 to 23, or `WHOLE_DAY`. */
  hour: 0,
  exponent: 1,
  points: 2,
  /** Number of valid values; all sums are over these. */
  valid: 3,
  /** Time of the first and the last valid value, ms since the start of the day; 0 without one. */
  first: 4,
  last: 5,
  t: 6,
  tt: 7,
  ttRest: 8,
  v: 9,
  vRest: 10,
  tv: 11,
  tvRest: 12,
} as const;
export const SUM_WIDTH = 13;

/** The sums of each series of a day. */
export interface DaySums {
  readonly day: readonly SumRows[];
  /** Sorted by hour; hours without a point are left out. */
  readonly hours: readonly SumRows[];
}

/** The sums of each series. They depend on the set of its points only: equal sets have equal rows. */
export function* hourlySums({ series, time, value }: DayPoints): Steps<DaySums> {
  const day: SumRows[] = [];
  const hours: SumRows[] = [];
  const totals = new Totals();
  const sumUp = (begin: number, end: number): void => {
    totals.clear();
    for (let i = begin; i < end; i++) totals.add(time[i] as number, value[i] as number);
  };
  for (let begin = 0; begin < series.length; ) {
    yield;
    let end = begin;
    while (end < series.length && series[end] === series[begin]) end++;
    sumUp(begin, end);
    day.push(new Float64Array(rowsOf(WHOLE_DAY, totals)));
    const ofHours: number[] = [];
    while (begin < end) {
      const hour = Math.floor((time[begin] as number) / MS_PER_HOUR);
      let next = begin;
      while (next < end && (time[next] as number) < (hour + 1) * MS_PER_HOUR) next++;
      sumUp(begin, next);
      for (const number of rowsOf(hour, totals)) ofHours.push(number);
      begin = next;
    }
    hours.push(new Float64Array(ofHours));
  }
  return { day, hours };
}

class Totals extends SeriesSums {
  points = 0;
  first = 0;
  last = 0;

  override clear(): void {
    super.clear();
    this.points = 0;
    this.first = 0;
    this.last = 0;
  }

  override add(time: number, value: number): void {
    this.points++;
    if (Number.isNaN(value)) return;
    if (this.count === 0) this.first = time;
    this.last = time;
    super.add(time, value);
  }
}

function rowsOf(hour: number, { points, count, first, last, times, ...sums }: Totals): number[] {
  if (count < 2) return [hour, 0, points, count, first, last, 0, 0, 0, sums.values.value() ?? 0, 0, 0, 0];
  const [squares, values, products] = [partsOf(sums.squares), partsOf(sums.values), partsOf(sums.products)];
  // A square is below 2^53: two doubles hold the sum of 2^53 of them.
  const [tt = 0, ttRest = 0] = squares[0];
  const rows = [hour, 0, points, count, first, last, times, tt, ttRest];
  for (const exponent of [0, HUGE_EXPONENT] as const) {
    const [v, tv] = [values[exponent], products[exponent]];
    for (let i = 0; i < Math.max(v.length, tv.length) || (i === 0 && exponent === 0); i += 2) {
      if (i > 0 || exponent > 0) rows.push(hour, exponent, 0, 0, 0, 0, 0, 0, 0);
      rows.push(v[i] ?? 0, v[i + 1] ?? 0, tv[i] ?? 0, tv[i + 1] ?? 0);
    }
  }
  return rows;
}

type Parts = Readonly<Record<SumExponent, readonly number[]>>;

function partsOf(sum: ExactSum): Parts {
  const parts: Record<SumExponent, number[]> = { 0: [], [HUGE_EXPONENT]: [] };
  for (const { value, exponent } of sum.parts()) parts[exponent].push(value);
  return parts;
}

/**
 * Adds a row of `hourlySums` to sums whose origin is `offset` ms before the start of the row's day, or removes it again.
 * @param at index of the row's first number
 * @param offset days · 86,400,000, at most 8 days
 * @param sign 1 or −1
 */
export function addRow(sums: SeriesSums, rows: SumRows, at: number, offset: number, sign: 1 | -1): void {
  const points = rows[at + SumField.valid] as number;
  const v = rows[at + SumField.v] as number;
  if (points === 1) {
    sums.add(offset + (rows[at + SumField.first] as number), v, sign);
    return;
  }
  const count = sign * points;
  const times = sign * (rows[at + SumField.t] as number);
  const exponent = rows[at + SumField.exponent] as number;
  const vRest = rows[at + SumField.vRest] as number;
  // With t' = t + offset: Σt' = Σt + n·offset, Σt'² = Σt² + 2·offset·Σt + n·offset², Σt'v = Σtv + offset·Σv.
  sums.count += count;
  sums.times += times + count * offset;
  sums.squares.add(sign * (rows[at + SumField.tt] as number));
  sums.squares.add(sign * (rows[at + SumField.ttRest] as number));
  sums.squares.addProduct(2 * offset, times);
  // offset² is exact: an offset is a multiple of 2^10, and the rest of it has at most 20 bits.
  sums.squares.addProduct(count, offset * offset);
  sums.values.add(sign * v, exponent);
  sums.values.add(sign * vRest, exponent);
  sums.products.add(sign * (rows[at + SumField.tv] as number), exponent);
  sums.products.add(sign * (rows[at + SumField.tvRest] as number), exponent);
  sums.products.addProduct(sign * offset, v, exponent);
  sums.products.addProduct(sign * offset, vRest, exponent);
}
