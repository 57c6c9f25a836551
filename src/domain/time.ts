import type { Window } from './model.js';

export const MS_PER_HOUR = 3_600_000;
export const MS_PER_DAY = 24 * MS_PER_HOUR;

/**
 * The UTC day of an instant, `YYYY-MM-DD`.
 * @throws {RangeError} outside the years 0000 to 9999
 */
export function dayOf(ms: number): string {
  const text = new Date(ms).toISOString();
  if (text.length !== 24) throw new RangeError(`${ms} ms is not in the years 0000 to 9999`);
  return text.slice(0, 10);
}

/**
 * The first instant of a day `YYYY-MM-DD`, ms.
 * @throws {RangeError} there is no such day
 */
export function dayStart(day: string): number {
  const ms = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(ms) || dayOf(ms) !== day) throw new RangeError(`There is no day '${day}'`);
  return ms;
}

/** The day `n` days after `day`; a negative `n` goes back. */
export function addDays(day: string, n: number): string {
  return dayOf(dayStart(day) + n * MS_PER_DAY);
}

/** The UTC days that share an instant with the window, oldest first. */
export function daysOf(window: Window): string[] {
  if (window.from >= window.to) return [];
  const days: string[] = [];
  for (let start = dayStart(dayOf(window.from)); start < window.to; start += MS_PER_DAY)
    days.push(dayOf(start));
  return days;
}

/** The start of the hour of an instant, ms. */
export function hourOf(ms: number): number {
  return Math.floor(ms / MS_PER_HOUR) * MS_PER_HOUR;
}

/**
 * The time of a run, ms: its start; without one the end that was chosen before, else the end it has now. 0 is none.
 * null: the run has no time yet.
 */
export function runTime(start: number | null, end: number | null, chosen: number | null): number | null {
  return start || chosen || end || null;
}

/** An instant to its last digit. */
export interface Instant {
  readonly ms: number;
  /** The digits of the second beyond the milliseconds, without trailing zeros. */
  readonly beyond: string;
}

const ISO_TIME =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?$/i;

/** Reads ISO 8601 as an instant; without an offset it is UTC. null: it is no such time, or not in the years 0000 to 9999. */
export function instantOf(text: string): Instant | null {
  const found = ISO_TIME.exec(text.trim());
  if (!found) return null;
  const [, date = '', time = '00:00', seconds = '00', fraction = '', offset = 'Z'] = found;
  const [, sign = '+', hours = '00', minutes = '00'] = /^([+-])(\d\d):?(\d\d)?$/.exec(offset) ?? [];
  const milliseconds = fraction.slice(0, 3).padEnd(3, '0');
  const ms = Date.parse(`${date}T${time}:${seconds}.${milliseconds}${sign}${hours}:${minutes}`);
  // Date.parse lets the 30th of February pass as the 2nd of March.
  const real = new Date(Date.parse(`${date}T00:00:00Z`));
  if (Number.isNaN(ms) || Number.isNaN(real.getTime()) || real.toISOString().slice(0, 10) !== date)
    return null;
  if (new Date(ms).toISOString().length !== 24) return null;
  return { ms, beyond: fraction.slice(3).replace(/0+$/, '') };
}

/** The one way to write an instant, in UTC and with all its digits: equal instants have equal texts. */
export function instantText({ ms, beyond }: Instant): string {
  return new Date(ms).toISOString().replace('Z', `${beyond}Z`);
}

/** Negative, 0 or positive, as `a` is before, at or after `b`. */
export function compareInstants(a: Instant, b: Instant): number {
  return a.ms - b.ms || (a.beyond < b.beyond ? -1 : Number(a.beyond > b.beyond));
}
