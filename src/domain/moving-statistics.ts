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
  private readonly times: number[] = [];
  /** Index in `times` of the oldest value in the window. */
  private firstIndex = 0;
  private origin: number | undefined;
  private sumOfTimes = 0n;
  private sumOfSquares = 0n;

  /** @param value NaN marks an invalid value, which is ignored */
  add(time: number, value: number): void {
    if (Number.isNaN(value)) return;
    // The slope does not depend on the origin of time, and small integers are faster.
    this.origin ??= time;
    const t = BigInt(time - this.origin);
    this.times.push(time);
    this.sum.add(value);
    this.timesValues.addProduct(t, value);
    this.sumOfTimes += t;
    this.sumOfSquares += t * t;
  }

  /** Removes the oldest value, given by its time and value. */
  remove(time: number, value: number): void {
    if (Number.isNaN(value) || this.origin === undefined) return;
    const t = BigInt(time - this.origin);
    this.firstIndex++;
    this.sum.remove(value);
    this.timesValues.addProduct(-t, value);
    this.sumOfTimes -= t;
    this.sumOfSquares -= t * t;
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
    const n = BigInt(count);
    const numerator = this.timesValues.scaledDifference(n, this.sumOfTimes, this.sum);
    const denominator = Number(n * this.sumOfSquares - this.sumOfTimes * this.sumOfTimes);
    if (numerator === null) return null;
    const slope = (numerator / denominator) * MS_PER_DAY;
    return Number.isFinite(slope) ? slope : null;
  }
}
