import { CronTime } from 'cron';
import { MS_PER_DAY } from '../domain/time.js';

/** The last time at or before `now` at which the expression is due, ms; null: not within 32 days. */
export function lastDue(expression: string, timezone: string, now: number): number | null {
  const time = new CronTime(expression, timezone);
  // The expression tells only what comes next: begin near, and go further back until something is due.
  for (let back = MS_PER_DAY / 24; back <= 32 * MS_PER_DAY; back *= 4) {
    let due: number | null = null;
    let next = time.getNextDateFrom(new Date(now - back)).toMillis();
    while (next <= now) {
      due = next;
      next = time.getNextDateFrom(new Date(next)).toMillis();
    }
    if (due !== null) return due;
  }
  return null;
}

/** The last multiple of the period at or before `now`, ms. */
export function lastPeriod(periodMs: number, now: number): number {
  return Math.floor(now / periodMs) * periodMs;
}
