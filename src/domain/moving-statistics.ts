import { ExactSum } from './exact-sum.js';
import { MS_PER_DAY, MS_PER_HOUR } from './time.js';

/** Days before a day that its `metrics_summary` and trend depend on. */
export const LOOK_BACK_DAYS = 7;

/**
 * The trailing moving average: for each point at time t, the mean of the valid values with a time in (t − windowMs, t],
 * including later points with an equal time.
 * @param times n times in ms, ascending
 * @param values n values; NaN marks an invalid value
 * @returns n averages; NaN if the window has no valid value or the sum overflows
 */
export function movingAverage(times: Float64Array, values: Float64Array, windowMs: number): Float64Array {
  const averages = new Float64Array(times.length);
  windowSum.clear();
  let count = 0;
  let oldest = 0;
  let next = 0;
  for (let i = 0; i < times.length; i++) {
    const time = times[i] as number;
    for (; next < times.length && (times[next] as number) <= time; next++) {
      const value = values[next] as number;
      if (Number.isNaN(value)) continue;
      windowSum.add(value);
      count++;
    }
    for (; (times[oldest] as number) <= time - windowMs; oldest++) {
      const value = values[oldest] as number;
      if (Number.isNaN(value)) continue;
      windowSum.remove(value);
      count--;
    }
    averages[i] = count === 0 ? Number.NaN : (windowSum.value() ?? Number.NaN) / count;
  }
  return averages;
}

/**
 * The sums from which mean and trend of a set of valid values follow. Values can be added in any order and removed again;
 * all sums are exact, so the statistics depend on the set alone. Times are whole ms since an origin, up to 2^31.
 */
export class SeriesSums {
  count = 0;
  /** Exact up to 2^53. */
  times = 0;
  readonly squares = new ExactSum();
  readonly values = new ExactSum();
  readonly products = new ExactSum();

  clear(): void {
    this.count = 0;
    this.times = 0;
    this.squares.clear();
    this.values.clear();
    this.products.clear();
  }

  /**
   * @param value finite
   * @param sign −1 removes a point that was added before
   */
  add(time: number, value: number, sign: 1 | -1 = 1): void {
    this.count += sign;
    this.times += sign * time;
    this.squares.addProduct(sign * time, time);
    this.values.add(sign * value);
    this.products.addProduct(sign * time, value);
  }

  /** Sum ÷ count; null without values or if the sum overflows. */
  mean(): number | null {
    if (this.count === 0) return null;
    const total = this.values.value();
    return total === null ? null : total / this.count;
  }

  /**
   * The ordinary least-squares slope in units per day: (n·Σtv − Σt·Σv) ÷ (n·Σt² − (Σt)²) × ms per day. Numerator and
   * denominator are computed exactly and rounded once; neither depends on the origin of time.
   * null with fewer than 3 values, with less than an hour between the first and the last, or if it overflows.
   * @param elapsed ms between the first and the last value
   */
  trend(elapsed: number): number | null {
    if (this.count < 3 || elapsed < MS_PER_HOUR) return null;
    scratch.clear();
    scratch.addMultiple(this.count, this.products);
    scratch.addMultiple(-this.times, this.values);
    const numerator = scratch.value();
    if (numerator === null) return null;
    times.clear();
    times.add(this.times);
    scratch.clear();
    scratch.addMultiple(this.count, this.squares);
    scratch.addMultiple(-this.times, times);
    const slope = (numerator / (scratch.value() as number)) * MS_PER_DAY;
    return Number.isFinite(slope) ? slope : null;
  }
}

/** Reused: a sum has memory for numbers of every size. */
const windowSum = new ExactSum();
const scratch = new ExactSum();
const times = new ExactSum();
