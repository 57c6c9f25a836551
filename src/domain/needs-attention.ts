import type { Light, MetricStatus } from './model.js';
import { compareText } from './text.js';
import { hourOf, MS_PER_DAY, MS_PER_HOUR } from './time.js';

/** How far back an application's last run and the start of an unhealthy sequence are searched for, ms. */
export const ATTENTION_SPAN_MS = 7 * MS_PER_DAY;

/**
 * Whether an application needs attention: its light is critical or warning, or it has no data but ran in the last 7 days.
 * @param lastRun time of the newest eligible run, ms; null if there is none
 * @param to the end of the current hour, ms
 */
export function needsAttention(light: Light, lastRun: number | null, to: number): boolean {
  if (light === 'no_data') return lastRun !== null && lastRun >= to - ATTENTION_SPAN_MS;
  return light === 'critical' || light === 'warning';
}

/** Run counts of one metric in a span, by status. */
interface MetricStatusCounts {
  readonly metric_name: string;
  readonly critical: number;
  readonly invalid: number;
  readonly warning: number;
}

/** The metric with the most critical, then invalid, then warning runs; ties go to the first name. null if none has any. */
export function worstMetric<M extends MetricStatusCounts>(metrics: readonly M[]): M | null {
  const [worst] = metrics
    .filter(({ critical, invalid, warning }) => critical + invalid + warning > 0)
    .sort(
      (a, b) =>
        b.critical - a.critical ||
        b.invalid - a.invalid ||
        b.warning - a.warning ||
        compareText(a.metric_name, b.metric_name),
    );
  return worst ?? null;
}

const UNHEALTHY: readonly MetricStatus[] = ['critical', 'invalid', 'warning'];

/** A sequence of unhealthy runs without a healthy one in between, as indices into the series. */
interface UnhealthySequence {
  /** The first unhealthy run at or after the start of the span. */
  readonly first: number;
  readonly last: number;
  /** Whether the sequence began before the span. */
  readonly began_before: boolean;
}

/**
 * The last unhealthy sequence that reaches into a span; null if there is none. Unmonitored runs neither break a sequence
 * nor start one.
 * @param points a series, oldest run first
 * @param from start of the span, ms
 */
export function lastUnhealthySequence(
  points: readonly { readonly time: number; readonly status: MetricStatus }[],
  from: number,
): UnhealthySequence | null {
  const last = points.findLastIndex(({ time, status }) => time >= from && UNHEALTHY.includes(status));
  if (last < 0) return null;
  const unhealthy: number[] = [];
  for (let i = last; i >= 0; i--) {
    const status = points[i]?.status;
    if (status === 'healthy') break;
    if (status !== 'unmonitored') unhealthy.unshift(i);
  }
  const first = unhealthy.find((i) => (points[i]?.time ?? 0) >= from) ?? last;
  return { first, last, began_before: unhealthy[0] !== first };
}

/** The start of the hour, ms, in which the light becomes `no_data` if no run follows `lastRun` (ms). */
export function noDataSince(lastRun: number, lightSpanHours: number): number {
  return hourOf(lastRun) + lightSpanHours * MS_PER_HOUR;
}
