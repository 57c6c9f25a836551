import type { PlatformCurrent } from '../../src/dashboard/contract.js';
import type { Light } from '../../src/domain/model.js';
import type { Cause } from '../../src/domain/status-cause.js';

export const LIGHT_LABELS: Readonly<Record<Light, string>> = {
  critical: 'Critical',
  warning: 'Warning',
  healthy: 'Healthy',
  no_data: 'No recent runs',
  unmonitored: 'No thresholds',
};

export const CAUSE_LABELS: Readonly<Record<Cause, string>> = {
  new_value: 'New value',
  new_threshold: 'New threshold',
  late_data: 'Late data',
};

/** The summary of the page in one sentence: whether anything needs attention. */
export function headline({ applications, needs_attention, all_unmonitored }: PlatformCurrent): string {
  const [count, total] = [needs_attention.length, applications.length];
  const share = `${count} of ${total === 1 ? '1 application' : `${total} applications`}`;
  if (count > 0) return `${share} ${count === 1 ? 'needs' : 'need'} attention`;
  if (all_unmonitored)
    return total === 1 ? 'The application has no thresholds' : 'No application has thresholds';
  if (applications.every(({ light }) => light === 'no_data')) return 'No application has run recently';
  return 'No application needs attention';
}

const plural = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

export const runsText = (count: number): string => plural(count, 'run', 'runs');
export const daysText = (count: number): string => plural(count, 'day', 'days');

/** `91.7 %`; null: a dash. */
export const percent = (value: number | null): string => (value === null ? '–' : `${value.toFixed(1)} %`);

const DAY = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  timeZone: 'UTC',
});
const SHORT_DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
const EXACT = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZone: 'UTC',
});
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });

/** `Tue 24 Nov` */
export const dayText = (day: string): string => DAY.format(new Date(day)).replace(',', '');
/** `24 Nov` */
export const shortDay = (day: string): string => SHORT_DAY.format(new Date(day));
/** `Tue 24 Nov 2026, 21:51:41 UTC` */
export const exactTime = (instant: string): string =>
  `${EXACT.format(new Date(instant)).replace(',', '')} UTC`;
/** `23:00` */
export const clockTime = (instant: string): string => CLOCK.format(new Date(instant));

/** Puts a no-break space between a number and its unit. */
export const keepUnits = (text: string): string =>
  text.replaceAll(/(\d) (?=(?:%|ms|s|min|h|d)(?![a-z]))/g, '$1\u00a0');
