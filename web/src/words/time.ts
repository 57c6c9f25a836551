/** Times for people. `zone` is the name of a time zone; undefined is that of the reader. */
type Zone = string | undefined;
type Instant = string | number;

/** Making a format is slow: thousands of times are shown at once. */
const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: Zone, name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${name} ${zone}`;
  const known = formats.get(key);
  if (known) return known;
  const made = new Intl.DateTimeFormat('en-GB', { ...options, ...(zone ? { timeZone: zone } : {}) });
  formats.set(key, made);
  return made;
}

const DAY = { weekday: 'short', day: 'numeric', month: 'short' } as const;
const CLOCK = { hour: '2-digit', minute: '2-digit' } as const;
const write = (zone: Zone, name: string, options: Intl.DateTimeFormatOptions, at: Instant): string =>
  format(zone, name, options)
    .format(new Date(at))
    .replace(/^(\w+),/, '$1');

/** `Tue 24 Nov 2026, 21:51:41 UTC` */
export const exactTime = (at: Instant, zone: Zone): string =>
  write(zone, 'exact', { ...DAY, year: 'numeric', ...CLOCK, second: '2-digit', timeZoneName: 'short' }, at);
/** `Tue 24 Nov, 21:51` */
export const minuteTime = (at: Instant, zone: Zone): string =>
  write(zone, 'minute', { ...DAY, ...CLOCK }, at);
/** `21:51` */
export const clockTime = (at: Instant, zone: Zone): string => write(zone, 'clock', CLOCK, at);
/** `24 Nov` */
export const shortDay = (at: Instant, zone: Zone): string =>
  write(zone, 'short', { day: 'numeric', month: 'short' }, at);
/** `Tue 24 Nov` */
export const dayText = (at: Instant, zone: Zone): string => write(zone, 'day', DAY, at);

/** `CET`, `UTC`, `GMT+5:30` */
export function zoneName(at: Instant, zone: Zone): string {
  const parts = format(zone, 'zone', { timeZoneName: 'short' }).formatToParts(new Date(at));
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'UTC';
}

/** How far the clocks of a zone are ahead of UTC at a time, ms. */
export function offsetOf(at: number, zone: Zone): number {
  if (zone === 'UTC') return 0;
  const fields = {
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  } as const;
  const parts = format(zone, 'offset', { ...fields, hourCycle: 'h23' }).formatToParts(new Date(at));
  const part = (name: string) => Number(parts.find(({ type }) => type === name)?.value);
  const local = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'));
  return local - Math.floor(at / 60_000) * 60_000;
}
