import type { Light, MetricStatus } from '../../../src/domain/model.js';
import type { Cause } from '../../../src/domain/status-cause.js';

export const LIGHT_LABELS: Readonly<Record<Light, string>> = {
  critical: 'Critical',
  warning: 'Warning',
  healthy: 'Healthy',
  no_data: 'No recent runs',
  unmonitored: 'No thresholds',
};

export const STATUS_LABELS: Readonly<Record<Light | MetricStatus, string>> = {
  ...LIGHT_LABELS,
  invalid: 'Not a number',
};

export const CAUSE_LABELS: Readonly<Record<Cause, string>> = {
  new_value: 'New value',
  new_threshold: 'New threshold',
  late_data: 'Late data',
};

/** The worst first. */
export const LIGHT_ORDER: readonly Light[] = ['critical', 'warning', 'no_data', 'healthy', 'unmonitored'];

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`;

export const runsText = (count: number): string => plural(count, 'run');
export const daysText = (count: number): string => plural(count, 'day');
export const applicationsText = (count: number): string => plural(count, 'application');

/** `91.7 %`; null: a dash. */
export const percent = (value: number | null): string => (value === null ? '–' : `${value.toFixed(1)} %`);

/** Puts a no-break space between a number and its unit. */
export const keepUnits = (text: string): string =>
  text.replaceAll(/(\d) (?=(?:%|ms|s|min|h|d)(?![a-z]))/g, '$1\u00a0');

/** `a, b and c` */
export function listOf(parts: readonly string[]): string {
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}
