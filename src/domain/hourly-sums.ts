import { type ExactSum, HUGE_EXPONENT, type SumExponent } from './exact-sum.js';
import { SeriesSums } from './moving-statistics.js';
import { MS_PER_DAY, MS_PER_HOUR } from './time.js';

/** The points of one day as parallel columns, sorted by series and time. */
export interface DayPoints {
  /** A number per series. */
  readonly series: Float64Array;
  /** Whole ms since the start of the day. */
  readonly time: Float64Array;
  /** NaN if it is not valid. */
  readonly value: Float64Array;
}

/** `hour` of the row that sums up the whole day. */
export const WHOLE_DAY = -1;

/**
 * The columns of exact sums over the points of a series in one hour, or in the whole day (`hour` is −1). All rows of a series
 * and hour are added up: a sum is that of its column and of `<column>_rest`, times 2^`exponent`. For a single valid value
 * only `first_time`, `last_time` and `sum_v` are set, to its time and value.
 */
export const SUM_COLUMNS = [
  'series',
  'hour',
  'exponent',
  'points',
  /** Number of valid values; all sums are over these. */
  'valid_points',
  /** Time of the first and the last valid value, ms since the start of the day; 0 without one. */
  'first_time',
  'last_time',
  'sum_t',
  'sum_tt',
  'sum_tt_rest',
  'sum_v',
  'sum_v_rest',
  'sum_tv',
  'sum_tv_rest',
] as const;
type SumColumn = (typeof SUM_COLUMNS)[number];
export type SumRows = Readonly<Record<SumColumn, Float64Array>>;

/**
 * The sums of each series over the whole day, and then those of each series and hour, sorted by series and hour. They depend
 * on the set of points only: equal sets have equal rows.
 */
export function hourlySums({ series, time, value }: DayPoints): SumRows {
  const rows = new RowList();
  const totals = new Totals();
  /** Adds up the points of one series from index `begin` and before a time; returns the index after them. */
  const sumUp = (begin: number, hour: number, until: number): number => {
    const current = series[begin] as number;
    totals.clear();
    let i = begin;
    for (; i < series.length && series[i] === current && (time[i] as number) < until; i++) {
      totals.add(time[i] as number, value[i] as number);
    }
    rows.push(current, hour, totals);
    return i;
  };
  for (let i = 0; i < series.length; ) i = sumUp(i, WHOLE_DAY, MS_PER_DAY);
  for (let i = 0; i < series.length; ) {
    const hour = Math.floor((time[i] as number) / MS_PER_HOUR);
    i = sumUp(i, hour, (hour + 1) * MS_PER_HOUR);
  }
  return rows.columns();
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

class RowList {
  private readonly rows = Object.fromEntries(SUM_COLUMNS.map((name) => [name, []])) as unknown as Record<
    SumColumn,
    number[]
  >;

  push(series: number, hour: number, totals: Totals): void {
    const { rows } = this;
    const isSingle = totals.count === 1;
    const squares = isSingle ? NO_PARTS : partsOf(totals.squares);
    const values = partsOf(totals.values);
    const products = isSingle ? NO_PARTS : partsOf(totals.products);
    for (const exponent of [0, HUGE_EXPONENT] as const) {
      const [ofSquares, ofValues, ofProducts] = [squares[exponent], values[exponent], products[exponent]];
      const longest = Math.max(ofValues.length, ofProducts.length);
      for (let i = 0; i < longest || (i === 0 && exponent === 0); i += 2) {
        const isFirst = i === 0 && exponent === 0;
        rows.series.push(series);
        rows.hour.push(hour);
        rows.exponent.push(exponent);
        rows.points.push(isFirst ? totals.points : 0);
        rows.valid_points.push(isFirst ? totals.count : 0);
        rows.first_time.push(isFirst ? totals.first : 0);
        rows.last_time.push(isFirst ? totals.last : 0);
        rows.sum_t.push(isFirst && !isSingle ? totals.times : 0);
        // A square is below 2^53: two parts hold the sum of 2^53 of them.
        rows.sum_tt.push(ofSquares[i] ?? 0);
        rows.sum_tt_rest.push(ofSquares[i + 1] ?? 0);
        rows.sum_v.push(ofValues[i] ?? 0);
        rows.sum_v_rest.push(ofValues[i + 1] ?? 0);
        rows.sum_tv.push(ofProducts[i] ?? 0);
        rows.sum_tv_rest.push(ofProducts[i + 1] ?? 0);
      }
    }
  }

  columns(): SumRows {
    return Object.fromEntries(
      SUM_COLUMNS.map((name) => [name, new Float64Array(this.rows[name])]),
    ) as unknown as SumRows;
  }
}

type Parts = Readonly<Record<SumExponent, readonly number[]>>;
const NO_PARTS: Parts = { 0: [], [HUGE_EXPONENT]: [] };

function partsOf(sum: ExactSum): Parts {
  const parts: Record<SumExponent, number[]> = { 0: [], [HUGE_EXPONENT]: [] };
  for (const { value, exponent } of sum.parts()) parts[exponent].push(value);
  return parts;
}

/**
 * Adds a row of `hourlySums` to sums whose origin is `offset` ms before the start of the row's day, or removes it again.
 * @param offset days · 86,400,000, at most 8 days
 * @param sign 1 or −1
 */
export function addRow(sums: SeriesSums, rows: SumRows, row: number, offset: number, sign: 1 | -1): void {
  const points = rows.valid_points[row] as number;
  if (points === 1) {
    sums.add(offset + (rows.first_time[row] as number), rows.sum_v[row] as number, sign);
    return;
  }
  const count = sign * points;
  const times = sign * (rows.sum_t[row] as number);
  const exponent = rows.exponent[row] as number;
  const values = rows.sum_v[row] as number;
  const valuesRest = rows.sum_v_rest[row] as number;
  // With t' = t + offset: Σt' = Σt + n·offset, Σt'² = Σt² + 2·offset·Σt + n·offset², Σt'v = Σtv + offset·Σv.
  sums.count += count;
  sums.times += times + count * offset;
  sums.squares.add(sign * (rows.sum_tt[row] as number));
  sums.squares.add(sign * (rows.sum_tt_rest[row] as number));
  sums.squares.addProduct(2 * offset, times);
  // offset² is exact: an offset is a multiple of 2^10, and the rest of it has at most 20 bits.
  sums.squares.addProduct(count, offset * offset);
  sums.values.add(sign * values, exponent);
  sums.values.add(sign * valuesRest, exponent);
  sums.products.add(sign * (rows.sum_tv[row] as number), exponent);
  sums.products.add(sign * (rows.sum_tv_rest[row] as number), exponent);
  sums.products.addProduct(sign * offset, values, exponent);
  sums.products.addProduct(sign * offset, valuesRest, exponent);
}
