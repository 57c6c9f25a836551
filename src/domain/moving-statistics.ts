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
  const statistics = new MovingStatistics();
  let oldest = 0;
  let next = 0;
  for (let i = 0; i < times.length; i++) {
    const time = times[i] as number;
    for (; next < times.length && (times[next] as number) <= time; next++) {
      statistics.add(times[next] as number, values[next] as number);
    }
    for (; (times[oldest] as number) <= time - windowMs; oldest++) {
      statistics.remove(times[oldest] as number, values[oldest] as number);
    }
    averages[i] = statistics.mean() ?? Number.NaN;
  }
  return averages;
}

/**
 * Mean and trend of the valid values in a window that moves forward: values are added and removed in the order of their
 * times (integer milliseconds). All sums are exact, so a removed value leaves no rounding error behind.
 */
export class MovingStatistics {
  private readonly sum = new ExactSum();
  private readonly timesValues = new ExactSum();
  private readonly squares = new ExactSum();
  private readonly times: number[] = [];
  /** Index in `times` of the oldest value in the window. */
  private firstIndex = 0;
  private origin: number | undefined;
  /** Exact up to 2^53. */
  private sumOfTimes = 0;

  /** @param value NaN marks an invalid value, which is ignored */
  add(time: number, value: number): void {
    if (Number.isNaN(value)) return;
    // The slope does not depend on the origin of time, and products with factors of 32 bits are exact.
    this.origin ??= time;
    this.times.push(time);
    this.change(time - this.origin, value, 1);
  }

  /** Removes the oldest value, given by its time and value. */
  remove(time: number, value: number): void {
    if (Number.isNaN(value) || this.origin === undefined) return;
    this.firstIndex++;
    this.change(time - this.origin, value, -1);
  }

  private change(t: number, value: number, sign: 1 | -1): void {
    this.sum.add(sign * value);
    this.timesValues.addProduct(sign * t, value);
    this.squares.addProduct(sign * t, t);
    this.sumOfTimes += sign * t;
  }

  /** Sum ÷ count; null without values or if the sum overflows. */
  mean(): number | null {
    const count = this.times.length - this.firstIndex;
    if (count === 0) return null;
    const total = this.sum.value();
    return total === null ? null : total / count;
  }

  /**
   * The ordinary least-squares slope in units per day: (n·Σtv − Σt·Σv) ÷ (n·Σt² − (Σt)²) × ms per day. Numerator and
   * denominator are computed exactly and rounded once.
   * null with fewer than 3 values, with less than an hour between the first and the last, or if it overflows.
   */
  trend(): number | null {
    const count = this.times.length - this.firstIndex;
    if (count < 3) return null;
    if ((this.times.at(-1) ?? 0) - (this.times[this.firstIndex] ?? 0) < MS_PER_HOUR) return null;
    scratch.clear();
    scratch.addMultiple(count, this.timesValues);
    scratch.addMultiple(-this.sumOfTimes, this.sum);
    const numerator = scratch.value();
    if (numerator === null) return null;
    times.clear();
    times.add(this.sumOfTimes);
    scratch.clear();
    scratch.addMultiple(count, this.squares);
    scratch.addMultiple(-this.sumOfTimes, times);
    const slope = (numerator / (scratch.value() as number)) * MS_PER_DAY;
    return Number.isFinite(slope) ? slope : null;
  }
}

const scratch = new ExactSum();
const times = new ExactSum();
