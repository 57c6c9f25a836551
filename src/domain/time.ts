import type { Window } from './model.js';

export const MS_PER_HOUR = 3_600_000;
export const MS_PER_DAY = 24 * MS_PER_HOUR;

/**
 * The UTC day of a time in ms, `YYYY-MM-DD`.
 * @throws {RangeError} outside the years 0000 to 9999
 */
export function dayOf(ms: number): string {
  const text = new Date(ms).toISOString();
  if (text.length !== 24) throw new RangeError(`${ms} ms is not in the years 0000 to 9999`);
  return text.slice(0, 10);
}

/**
 * The start of a day `YYYY-MM-DD`, ms.
 * @throws {RangeError} if there is no such day
 */
export function dayStart(day: string): number {
  const ms = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(ms) || dayOf(ms) !== day) throw new RangeError(`There is no day '${day}'`);
  return ms;
}

/** The day `n` days after `day`, or before it if `n` is negative. */
export function addDays(day: string, n: number): string {
  return dayOf(dayStart(day) + n * MS_PER_DAY);
}

/** The UTC days that overlap with a window, oldest first. */
export function daysOf(window: Window): string[] {
  if (window.from >= window.to) return [];
  const days: string[] = [];
  for (let start = dayStart(dayOf(window.from)); start < window.to; start += MS_PER_DAY)
    days.push(dayOf(start));
  return days;
}

/** The start of the hour that contains a time, ms. */
export function hourOf(ms: number): number {
  return Math.floor(ms / MS_PER_HOUR) * MS_PER_HOUR;
}

/** An instant with all the digits of its text. */
export interface Instant {
  readonly ms: number;
  /** The decimals of the second after the milliseconds, without trailing zeros. */
  readonly subMillisecond: string;
}

const ISO_TIME =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

/** Parses an ISO 8601 time; without an offset it is UTC. null if it is invalid or outside the years 0000 to 9999. */
export function instantOf(text: string): Instant | null {
  const found = ISO_TIME.exec(text.trim());
  if (!found) return null;
  const [, date = '', time = '00:00', seconds = '00', fraction = '', offset = 'Z'] = found;
  const [, sign = '+', hours = '00', minutes = '00'] = /^([+-])(\d\d):?(\d\d)?$/.exec(offset) ?? [];
  const milliseconds = fraction.slice(0, 3).padEnd(3, '0');
  const ms = Date.parse(`${date}T${time}:${seconds}.${milliseconds}${sign}${hours}:${minutes}`);
  // Date.parse accepts 30 February and returns 2 March.
  const parsedDate = new Date(Date.parse(`${date}T00:00:00Z`));
  if (
    Number.isNaN(ms) ||
    Number.isNaN(parsedDate.getTime()) ||
    parsedDate.toISOString().slice(0, 10) !== date
  )
    return null;
  if (new Date(ms).toISOString().length !== 24) return null;
  return { ms, subMillisecond: fraction.slice(3).replace(/0+$/, '') };
}

/** The canonical ISO 8601 text of an instant, in UTC with all its digits: equal instants have equal texts. */
export function instantText({ ms, subMillisecond }: Instant): string {
  return new Date(ms).toISOString().replace('Z', `${subMillisecond}Z`);
}

/** Negative, 0 or positive if `a` is before, at or after `b`. */
export function compareInstants(a: Instant, b: Instant): number {
  return (
    a.ms - b.ms || (a.subMillisecond < b.subMillisecond ? -1 : Number(a.subMillisecond > b.subMillisecond))
  );
}
