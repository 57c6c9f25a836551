/** Significant digits by default. */
const DIGITS = 3;
/** 17 significant digits identify every double. */
const MAX_DIGITS = 17;

/**
 * A value with its unit, rounded for people: `0.781`, `447 ms`, `7.9 %`, `12,400`.
 * @param limit the threshold shown with the value; the value gets enough digits to show on which side of it it lies
 */
export function formatQuantity(value: number, unit: string | null, limit: number | null = null): string {
  let digits = DIGITS;
  const rounded = () => round(value, digits);
  const sameSide = () => limit === null || Math.sign(rounded() - limit) === Math.sign(value - limit);
  while (digits < MAX_DIGITS && !sameSide()) digits++;
  return formatWithUnit(rounded(), unit);
}

/** A number with all its digits and its unit. */
export function formatWithUnit(value: number, unit: string | null): string {
  const number = Math.abs(value) < 1e15 && Math.abs(value) >= 1_000 ? grouped(value) : String(value);
  return unit ? `${number} ${unit}` : number;
}

/** Rounds to significant digits, but never rounds away digits before the decimal point. */
function round(value: number, digits: number): number {
  const integerDigits = Math.abs(value) >= 1 ? Math.floor(Math.log10(Math.abs(value))) + 1 : 0;
  return Number(value.toPrecision(Math.min(MAX_DIGITS, Math.max(digits, integerDigits))));
}

function grouped(value: number): string {
  const [integer = '', fraction] = String(value).split('.');
  const text = integer.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction ? `${text}.${fraction}` : text;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A duration in its one or two largest units: `38 s`, `12 min`, `3 h 20 min`, `1 d 2 h`. */
export function formatDuration(ms: number): string {
  const units: readonly [size: number, name: string][] = [
    [DAY, 'd'],
    [HOUR, 'h'],
    [MINUTE, 'min'],
    [1_000, 's'],
  ];
  const largest = units.findIndex(([size]) => ms >= size);
  const [size, name] = units[largest] ?? [1_000, 's'];
  const count = Math.max(0, Math.floor(ms / size));
  const [nextSize, nextName] = units[largest + 1] ?? [0, ''];
  const rest = nextSize > 1_000 ? Math.floor((ms - count * size) / nextSize) : 0;
  // From ten days on, hours do not matter.
  return rest > 0 && !(name === 'd' && count >= 10)
    ? `${count} ${name} ${rest} ${nextName}`
    : `${count} ${name}`;
}

/** A duration rounded to one unit: `24 h`, `30 min`, `7 d`. */
export function formatPeriod(ms: number): string {
  if (ms < 1.5 * HOUR) return `${Math.max(1, Math.round(ms / MINUTE))} min`;
  return ms < 2 * DAY ? `${Math.round(ms / HOUR)} h` : `${Math.round(ms / DAY)} d`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `12 Nov at 11:02 UTC` */
export function formatDate(ms: number): string {
  const time = new Date(ms);
  return `${time.getUTCDate()} ${MONTHS[time.getUTCMonth()]} at ${time.toISOString().slice(11, 16)} UTC`;
}
