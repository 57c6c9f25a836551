/** Scales of pictures: from values and times to places, as fractions from 0 to 1. */

export interface Span {
  readonly low: number;
  readonly high: number;
}

/** Where a value lies in a span: 0 at its low end, 1 at its high end. Halves first: a difference may overflow. */
export function fraction(value: number, { low, high }: Span): number {
  const size = high / 2 - low / 2;
  return size === 0 ? 0.5 : (value / 2 - low / 2) / size;
}

/** How many times the range of the values a limit may be away and still be in the picture. */
const LIMIT_REACH = 5;
/** Free space above and below, as a part of the range. */
const PADDING = 0.08;

/**
 * The span of values that a picture shows: all values, and the limits unless they are so far away that the values would
 * look like a straight line.
 * @returns null without values
 */
export function valueSpan(values: Iterable<number>, limits: Iterable<number>): Span | null {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return null;
  const reach = LIMIT_REACH * (rangeOf(low, high) || Math.abs(high) / 2 || 1);
  const [from, to] = [low - reach, high + reach];
  for (const limit of limits) {
    if (limit < from || limit > to) continue;
    low = Math.min(low, limit);
    high = Math.max(high, limit);
  }
  const padding = PADDING * (rangeOf(low, high) || Math.abs(high) || 1);
  return { low: finite(low - padding), high: finite(high + padding) };
}

const rangeOf = (low: number, high: number): number => finite(high - low);
const finite = (value: number): number => Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const STEPS = [1, 2, 3, 6, 12].map((hours) => hours * HOUR);
const DAY_STEPS = [1, 2, 4, 7, 14, 28, 56];

/**
 * Times for the labels of an axis: whole hours or whole days in the reader's zone.
 * @param offset how far the reader's clocks are ahead of UTC at a time, ms
 * @param most how many labels have room
 */
export function timeTicks(
  from: number,
  to: number,
  most: number,
  offset: (at: number) => number,
): { readonly at: number[]; readonly days: boolean } {
  const size = (to - from) / Math.max(1, most);
  const step = STEPS.find((each) => each >= size);
  const length = step ?? (DAY_STEPS.find((days) => days * DAY >= size) ?? 112) * DAY;
  const at: number[] = [];
  // Days have 23 or 25 h when the clocks change: each label is computed from its own offset.
  const first = Math.ceil((from + offset(from)) / length);
  for (let i = first; ; i++) {
    const guess = i * length - offset(from);
    const tick = i * length - offset(guess);
    if (tick >= to) break;
    if (tick >= from) at.push(tick);
  }
  return { at, days: step === undefined };
}

/** Neighbours that are equal, merged: half-open ranges of indices. */
export function mergeEqual<T>(
  values: readonly T[],
): { readonly value: T; readonly from: number; readonly to: number }[] {
  const merged: { value: T; from: number; to: number }[] = [];
  values.forEach((value, i) => {
    const last = merged.at(-1);
    if (last && last.value === value) last.to = i + 1;
    else merged.push({ value, from: i, to: i + 1 });
  });
  return merged;
}
