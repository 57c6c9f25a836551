import { CronTime } from 'cron';
import { MS_PER_DAY } from '../domain/time.js';

const SHORTEST_SEARCH_MS = 60_000;
/** Covers every monthly schedule, except on days that not every month has. */
const LONGEST_SEARCH_MS = 32 * MS_PER_DAY;

/** The last time at or before `now` at which the cron expression was due, ms; `null` if not within `LONGEST_SEARCH_MS`. */
export function lastScheduledTime(expression: string, timezone: string, now: number): number | null {
  const time = new CronTime(expression, timezone);
  // Without the argument, cron uses the time zone of the date, which is the machine's.
  const nextAfter = (ms: number) => time.getNextDateFrom(new Date(ms), timezone).toMillis();
  // cron only computes the next time, so search forward from ever earlier starts until one finds a time.
  for (let back = SHORTEST_SEARCH_MS; ; back = Math.min(back * 16, LONGEST_SEARCH_MS)) {
    let due: number | null = null;
    for (let next = nextAfter(now - back); next <= now; next = nextAfter(next)) due = next;
    if (due !== null || back === LONGEST_SEARCH_MS) return due;
  }
}

/** The last multiple of the period at or before `now`, ms. */
export function startOfPeriod(periodMs: number, now: number): number {
  return Math.floor(now / periodMs) * periodMs;
}
