import type { Span } from '../marks/scale.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The buttons, in days. */
export const RANGES = ['1', '7', '30', '90'];
export const DEFAULT_RANGE = '30';
/** A shorter span than this cannot be chosen, ms. */
const SHORTEST = 60_000;

/** The time that the chart shows, ms; half-open. */
export interface Shown extends Span {
  /** The button that it is; null: a part chosen by the reader. */
  readonly range: string | null;
}

/**
 * The span of an address: `from` and `to`, else the last `days` until the end of the current hour.
 * @param now ms
 */
export function shownSpan(query: (name: string) => string | null, now: number): Shown {
  const [low, high] = [Date.parse(query('from') ?? ''), Date.parse(query('to') ?? '')];
  if (high - low >= SHORTEST) return { low, high, range: null };
  const asked = query('days') ?? '';
  const range = RANGES.includes(asked) ? asked : DEFAULT_RANGE;
  const end = (Math.floor(now / HOUR) + 1) * HOUR;
  return { low: end - Number(range) * DAY, high: end, range };
}

/**
 * The span of the chart with what is expected: a third longer at most, and only if it ends now.
 * @param forecast the times of the steps, ms
 */
export function withForecast(shown: Shown, forecast: readonly number[]): Span {
  const end = forecast.at(-1);
  if (shown.range === null || end === undefined) return shown;
  return {
    low: shown.low,
    high: Math.max(shown.high, Math.min(end, shown.high + (shown.high - shown.low) / 3)),
  };
}

/** The parameters of a part of the chart. */
export const spanQuery = ({ low, high }: Span) => ({
  from: new Date(Math.round(low)).toISOString(),
  to: new Date(Math.round(Math.max(high, low + SHORTEST))).toISOString(),
});

/** Half a span earlier (−1) or later (1), or half or twice as long. */
export function moved({ low, high }: Span, by: 'earlier' | 'later' | 'in' | 'out'): Span {
  const half = (high - low) / 2;
  if (by === 'earlier') return { low: low - half, high: high - half };
  if (by === 'later') return { low: low + half, high: high + half };
  return by === 'in'
    ? { low: low + half / 2, high: high - half / 2 }
    : { low: low - half, high: high + half };
}
