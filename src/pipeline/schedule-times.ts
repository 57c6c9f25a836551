import { CronTime } from 'cron';
import { MS_PER_DAY } from '../domain/time.js';

const FIRST_LOOK_MS = 60_000;
const LONGEST_LOOK_MS = 32 * MS_PER_DAY;

/** The last time at or before `now` at which the expression is due in the time zone, ms; null: not within 32 days. */
export function lastScheduledTime(expression: string, timezone: string, now: number): number | null {
  const time = new CronTime(expression, timezone);
  // Without the zone, the expression would be read in that of the start, which is the machine's.
  const after = (ms: number) => time.getNextDateFrom(new Date(ms), timezone).toMillis();
  // The expression tells only what comes next: begin near, and go further back until something is due.
  for (let back = FIRST_LOOK_MS; ; back = Math.min(back * 16, LONGEST_LOOK_MS)) {
    let due: number | null = null;
    for (let next = after(now - back); next <= now; next = after(next)) due = next;
    if (due !== null || back === LONGEST_LOOK_MS) return due;
  }
}

/** The last multiple of the period at or before `now`, ms. */
export function startOfPeriod(periodMs: number, now: number): number {
  return Math.floor(now / periodMs) * periodMs;
}
