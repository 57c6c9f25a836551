import { ExactSum } from './exact-sum.js';
import { MS_PER_DAY, MS_PER_HOUR } from './time.js';

/** `metrics_summary` and the trend look back this far: a day on so many before it. */
export const LOOK_BACK_DAYS = 7;

/**
 * The mean of the valid values with time in (t − windowMs, t] at each point, equal times included; NaN if there is none.
 * @param times ms, ascending
 * @param values as many; NaN: not valid
 */
export function movingAverage(times: Float64Array, values: Float64Array, windowMs: number): Float64Array {
  const averages = new Float64Array(times.length);
  const statistics = new MovingStatistics();
  let low = 0;
  let high = 0;
  for (let i = 0; i < times.length; i++) {
    const time = times[i] as number;
    for (; high < times.length && (times[high] as number) <= time; high++) {
      statistics.add(times[high] as number, values[high] as number);
    }
    for (; (times[low] as number) <= time - windowMs; low++) {
      statistics.remove(times[low] as number, values[low] as number);
    }
    averages[i] = statistics.mean() ?? Number.NaN;
  }
  return averages;
}

/**
 * Mean and trend of the valid values of a span that moves forward: values come and go in the order of their times
 * (whole milliseconds). All sums are exact, so nothing of what left a span remains in it.
 */
export class MovingStatistics {
  private readonly sum = new ExactSum();
  private readonly timesValues = new ExactSum();
  private readonly times: number[] = [];
  private head = 0;
  private origin: number | undefined;
  private sumOfTimes = 0n;
  private sumOfSquares = 0n;

  /** @param value NaN: not valid, and not counted */
  add(time: number, value: number): void {
    if (Number.isNaN(value)) return;
    // Neither numerator nor denominator of the slope changes when all times move; small numbers are faster.
    this.origin ??= time;
    const t = BigInt(time - this.origin);
    this.times.push(time);
    this.sum.add(value);
    this.timesValues.addProduct(t, value);
    this.sumOfTimes += t;
    this.sumOfSquares += t * t;
  }

  /** Takes out the oldest value, which is this one. */
  remove(time: number, value: number): void {
    if (Number.isNaN(value) || this.origin === undefined) return;
    const t = BigInt(time - this.origin);
    this.head++;
    this.sum.remove(value);
    this.timesValues.addProduct(-t, value);
    this.sumOfTimes -= t;
    this.sumOfSquares -= t * t;
  }

  /** Sum ÷ count; null of nothing, or where the sum overflows. */
  mean(): number | null {
    const count = this.times.length - this.head;
    if (count === 0) return null;
    const total = this.sum.value();
    return total === null ? null : total / count;
  }

  /**
   * Least-squares slope per day: (n·Σtv − Σt·Σv) ÷ (n·Σt² − (Σt)²), both exact and rounded once, × ms of a day.
   * null under 3 values, with less than an hour between the first and the last, or where it overflows.
   */
  trend(): number | null {
    const count = this.times.length - this.head;
    if (count < 3) return null;
    if ((this.times.at(-1) ?? 0) - (this.times[this.head] ?? 0) < MS_PER_HOUR) return null;
    const n = BigInt(count);
    const numerator = this.timesValues.scaledDifference(n, this.sumOfTimes, this.sum);
    const denominator = Number(n * this.sumOfSquares - this.sumOfTimes * this.sumOfTimes);
    if (numerator === null) return null;
    const slope = (numerator / denominator) * MS_PER_DAY;
    return Number.isFinite(slope) ? slope : null;
  }
}
