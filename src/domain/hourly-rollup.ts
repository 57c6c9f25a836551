import { type ChildCounts, light, NO_RUNS, rates } from './light.js';
import type { DomainSettings, Light, RunCounts } from './model.js';
import { MS_PER_HOUR } from './time.js';

/** Run counts, and those of the child runs that do not count. */
export type CountedRuns = RunCounts & ChildCounts;
const NOTHING: CountedRuns = { ...NO_RUNS, children: 0, critical_children: 0 };

type Sum = { -readonly [K in keyof CountedRuns]: CountedRuns[K] };

/** Adds to a sum in place: a day has thousands of spans of up to 48 hours each. */
function add(sum: Sum, counts: CountedRuns): void {
  sum.total += counts.total;
  sum.critical += counts.critical;
  sum.invalid += counts.invalid;
  sum.warning += counts.warning;
  sum.healthy += counts.healthy;
  sum.unmonitored += counts.unmonitored;
  sum.running += counts.running;
  sum.failed += counts.failed;
  sum.children += counts.children;
  sum.critical_children += counts.critical_children;
}

/** The run counts of one application in one hour (`hour`: its start, ms). */
export interface HourCounts extends CountedRuns {
  readonly application: string;
  readonly hour: number;
}

/** An hour with the light over the span that ends with it; `pass_rate_trend` in percentage points. */
export interface JudgedHour {
  readonly hour: number;
  readonly counts: RunCounts;
  readonly light: Light;
  readonly light_reason: string;
  readonly pass_rate_trend: number | null;
}

/** Sums the counts of several applications per hour. */
export function sumByHour(rows: readonly HourCounts[]): Map<number, CountedRuns> {
  const hours = new Map<number, Sum>();
  for (const row of rows) {
    const sum = hours.get(row.hour) ?? { ...NOTHING };
    add(sum, row);
    hours.set(row.hour, sum);
  }
  return hours;
}

/**
 * Computes the light of each hour at or after `from` (ms) with runs other than children that do not count, oldest first, for one application or the platform.
 * @param hours counts by the start of the hour, ms; hours before `from` fill the spans
 */
export function judgeHours(
  hours: ReadonlyMap<number, CountedRuns>,
  from: number,
  settings: DomainSettings,
): JudgedHour[] {
  const spanMs = settings.light_span_hours * MS_PER_HOUR;
  // Rules before version 3 do not name the runs that do not count.
  const namesUncounted = settings.count_nested_of !== null;
  const countsUntil = (end: number): CountedRuns => {
    const sum = { ...NOTHING };
    for (let hour = end - spanMs; hour < end; hour += MS_PER_HOUR) {
      const counts = hours.get(hour);
      if (counts) add(sum, counts);
    }
    return sum;
  };
  return [...hours]
    .filter(([hour, { total, running }]) => hour >= from && total + running > 0)
    .sort(([a], [b]) => a - b)
    .map(([hour, counts]) => {
      const end = hour + MS_PER_HOUR;
      const current = countsUntil(end);
      const passRate = rates(current).pass_rate;
      const previousPassRate = rates(countsUntil(end - spanMs)).pass_rate;
      const verdict = light(current, settings, namesUncounted ? current : undefined);
      return {
        hour,
        counts,
        light: verdict.light,
        light_reason: verdict.reason,
        pass_rate_trend: passRate === null || previousPassRate === null ? null : passRate - previousPassRate,
      };
    });
}
