import { formatDuration, formatQuantity, formatWithUnit } from '../../../src/domain/format.js';
import type { MetricStatus } from '../../../src/domain/model.js';

export interface Measured {
  readonly value: number | null;
  readonly invalid_kind: 'nan' | 'inf' | '-inf' | null;
  readonly unit: string | null;
}

const INVALID = { nan: 'NaN', inf: '∞', '-inf': '−∞' } as const;

/** `0.781`, `447 ms`; of an invalid value what it is. @param limit see `formatQuantity` */
export function valueText({ value, invalid_kind, unit }: Measured, limit: number | null = null): string {
  if (value === null) return invalid_kind === null ? '–' : INVALID[invalid_kind];
  return minus(formatQuantity(value, unit, limit));
}

/** `+0.004`, `−11 ms`, `+1.4 points` (of a percentage): a difference with its sign; null: a dash */
export function differenceText(difference: number | null, unit: string | null): string {
  if (difference === null) return '–';
  // A difference of percentages is not a percentage.
  return `${difference > 0 ? '+' : ''}${minus(formatQuantity(difference, unit === '%' ? 'points' : unit))}`;
}

const minus = (text: string): string => text.replace(/^-/, '−');

export interface Judged extends Measured {
  readonly status: MetricStatus;
  readonly higher_is_better: boolean | null;
  readonly critical_threshold: number | null;
  readonly warning_threshold: number | null;
}

/** The limit that a value violates; of a healthy value the one that it would violate first. */
export function decisiveLimit({ status, critical_threshold, warning_threshold }: Judged): number | null {
  if (status === 'critical') return critical_threshold;
  return warning_threshold ?? critical_threshold;
}

/** `0.059 below 0.84`, `0.012 above 0.8`, `exactly 0.8`: where a value is, seen from its limit; null without either. */
export function distanceText(judged: Judged, limit = decisiveLimit(judged)): string | null {
  const { value, unit, status } = judged;
  if (value === null || limit === null || status === 'unmonitored') return null;
  const distance = value - limit;
  if (distance === 0) return `exactly ${minus(formatWithUnit(limit, unit))}`;
  const side = distance < 0 ? 'below' : 'above';
  return `${formatQuantity(Math.abs(distance), null)} ${side} ${minus(formatWithUnit(limit, unit))}`;
}

/** Whether no run of the span of the light has a metric: then its status is an old one, and is not shown as the current. */
export const isSilent = (light_span: Readonly<Record<MetricStatus, number>>): boolean =>
  Object.values(light_span).every((count) => count === 0);

/** `for 3 h 20 min`, `for more than 14 d` @param before whether it began before the data that was read */
export const forText = (since: number, now: number, before: boolean): string =>
  `for ${before ? 'more than ' : ''}${formatDuration(Math.max(0, now - since)).replaceAll(' ', '\u00a0')}`;
