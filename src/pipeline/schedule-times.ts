import { CronTime } from 'cron';
import { MS_PER_DAY } from '../domain/time.js';

const SHORTEST_SEARCH_MS = 60_000;
/** 32 days cover every monthly schedule, except on days that not every month has. */
const LONGEST_SEARCH_MS = 32 * MS_PER_DAY;

/** The times at which a cron expression is due. */
export class CronSchedule {
  private readonly time: CronTime;
  /** What holds from one time until before another, ms: the search takes some 10 ms, and schedulers ask every few seconds. */
  private known = { from: 0, until: 0, last: null as number | null };

  constructor(
    expression: string,
    private readonly timezone: string,
  ) {
    this.time = new CronTime(expression, timezone);
  }

  /** The last time at or before `now`, ms; `null` if there is none within 32 days. */
  lastTime(now: number): number | null {
    const { from, until, last } = this.known;
    if (now >= from && now < until) return last;
    const found = this.find(now);
    // A time that is not found may be due later, or leaves the 32 days.
    const end = found === null ? now : Math.min(this.nextAfter(now), found + LONGEST_SEARCH_MS);
    this.known = { from: now, until: end, last: found };
    return found;
  }

  private find(now: number): number | null {
    // cron only computes the next time, so search forward from ever earlier starts until one finds a time.
    for (let back = SHORTEST_SEARCH_MS; ; back = Math.min(back * 16, LONGEST_SEARCH_MS)) {
      let due: number | null = null;
      for (let next = this.nextAfter(now - back); next <= now; next = this.nextAfter(next)) due = next;
      if (due !== null || back === LONGEST_SEARCH_MS) return due;
    }
  }

  private nextAfter(ms: number): number {
    // Without the argument, cron uses the time zone of the date, which is the machine's.
    return this.time.getNextDateFrom(new Date(ms), this.timezone).toMillis();
  }
}

/** The last multiple of the period at or before `now`, ms. */
export function startOfPeriod(periodMs: number, now: number): number {
  return Math.floor(now / periodMs) * periodMs;
}
