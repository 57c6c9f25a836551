import type { Light, MetricStatus } from './model.js';
import { compareText } from './text.js';
import { hourOf, MS_PER_DAY, MS_PER_HOUR } from './time.js';

/** How far back an application's runs and a metric's sequence are looked at, ms. */
export const ATTENTION_SPAN_MS = 7 * MS_PER_DAY;

/**
 * Whether an application needs attention: a light that is warning or critical, or no data after runs in the last 7 days.
 * @param lastRun time of the newest eligible run, ms; null: none is known
 * @param to the end of the current hour, ms
 */
export function needsAttention(light: Light, lastRun: number | null, to: number): boolean {
  if (light === 'no_data') return lastRun !== null && lastRun >= to - ATTENTION_SPAN_MS;
  return light === 'critical' || light === 'warning';
}

/** Runs of one metric in a span, by status. */
export interface MetricStatusCounts {
  readonly metric_name: string;
  readonly critical: number;
  readonly invalid: number;
  readonly warning: number;
}

/** The metric with the most critical, then invalid, then warning runs, then by name; null: none has such a run. */
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

const BAD: readonly MetricStatus[] = ['critical', 'invalid', 'warning'];

/** The last unbroken sequence of runs that are not healthy, as places in the series. */
export interface UnhealthySequence {
  /** The first run of it that lies in the span. */
  readonly first: number;
  readonly last: number;
  /** Whether it began before the span. */
  readonly began_before: boolean;
}

/**
 * Finds it in a series, oldest run first; null: there is none. A run without a threshold was not judged: it neither
 * breaks the sequence nor begins it.
 * @param from the start of the span, ms
 */
export function lastUnhealthySequence(
  points: readonly { readonly time: number; readonly status: MetricStatus }[],
  from: number,
): UnhealthySequence | null {
  const last = points.findLastIndex(({ time, status }) => time >= from && BAD.includes(status));
  if (last < 0) return null;
  const bad: number[] = [];
  for (let i = last; i >= 0; i--) {
    const status = points[i]?.status;
    if (status === 'healthy') break;
    if (status !== 'unmonitored') bad.unshift(i);
  }
  const first = bad.find((i) => (points[i]?.time ?? 0) >= from) ?? last;
  return { first, last, began_before: bad[0] !== first };
}

/** The hour from which on the light of an application without newer runs is `no_data`, ms. */
export function noDataSince(lastRun: number, lightSpanHours: number): number {
  return hourOf(lastRun) + lightSpanHours * MS_PER_HOUR;
}
