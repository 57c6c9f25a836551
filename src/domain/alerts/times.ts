import { MS_PER_DAY } from '../time.js';

const CLOCK = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
const DATE = { day: 'numeric', month: 'short' } as const;

const format = (ms: number, zone: string, options: Intl.DateTimeFormatOptions): string =>
  new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone }).format(ms);

/** `09:40`; of another day than `now`, `12 Nov 09:40`. */
export function shortTime(ms: number, now: number, zone: string): string {
  const clock = format(ms, zone, CLOCK);
  const isToday = Math.abs(now - ms) < MS_PER_DAY && format(ms, zone, DATE) === format(now, zone, DATE);
  return isToday ? clock : `${format(ms, zone, DATE)} ${clock}`;
}

/** `12 Nov at 09:40 UTC`, `12 Nov at 10:40 CET` */
export function fullTime(ms: number, zone: string): string {
  return `${format(ms, zone, DATE)} at ${format(ms, zone, { ...CLOCK, timeZoneName: 'short' })}`;
}
