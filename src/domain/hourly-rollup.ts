import { addCounts, light, NO_RUNS, rates } from './light.js';
import type { DomainSettings, Light, RunCounts } from './model.js';
import { MS_PER_HOUR } from './time.js';

/** The run counts of one application in one hour (`hour`: its start, ms). */
export interface HourCounts extends RunCounts {
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
export function sumByHour(rows: readonly HourCounts[]): Map<number, RunCounts> {
  const hours = new Map<number, RunCounts>();
  for (const row of rows) hours.set(row.hour, addCounts(hours.get(row.hour) ?? NO_RUNS, row));
  return hours;
}

/**
 * Computes the light of each hour at or after `from` (ms) that has runs, oldest first, for one application or the platform.
 * @param hours counts by the start of the hour, ms; hours before `from` fill the spans
 */
export function judgeHours(
  hours: ReadonlyMap<number, RunCounts>,
  from: number,
  settings: DomainSettings,
): JudgedHour[] {
  const spanMs = settings.light_span_hours * MS_PER_HOUR;
  const countsUntil = (end: number): RunCounts => {
    let sum = NO_RUNS;
    for (let hour = end - spanMs; hour < end; hour += MS_PER_HOUR) {
      const counts = hours.get(hour);
      if (counts) sum = addCounts(sum, counts);
    }
    return sum;
  };
  return [...hours]
    .filter(([hour]) => hour >= from)
    .sort(([a], [b]) => a - b)
    .map(([hour, counts]) => {
      const end = hour + MS_PER_HOUR;
      const current = countsUntil(end);
      const passRate = rates(current).pass_rate;
      const previousPassRate = rates(countsUntil(end - spanMs)).pass_rate;
      const verdict = light(current, settings);
      return {
        hour,
        counts,
        light: verdict.light,
        light_reason: verdict.reason,
        pass_rate_trend: passRate === null || previousPassRate === null ? null : passRate - previousPassRate,
      };
    });
}
