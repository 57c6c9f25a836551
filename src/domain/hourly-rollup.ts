import { addCounts, light, NO_RUNS, rates } from './light.js';
import type { DomainSettings, Light, RunCounts } from './model.js';
import { MS_PER_HOUR } from './time.js';

/** The counts of one application in one hour (`hour`: its start, ms). */
export interface HourCounts extends RunCounts {
  readonly application: string;
  readonly hour: number;
}

/** An hour with its light over the span that ends with it; `pass_rate_trend` in points. */
export interface JudgedHour {
  readonly hour: number;
  readonly counts: RunCounts;
  readonly light: Light;
  readonly light_reason: string;
  readonly pass_rate_trend: number | null;
}

/** Adds up the counts of several applications hour by hour. */
export function sumByHour(rows: readonly HourCounts[]): Map<number, RunCounts> {
  const hours = new Map<number, RunCounts>();
  for (const row of rows) hours.set(row.hour, addCounts(hours.get(row.hour) ?? NO_RUNS, row));
  return hours;
}

/** Judges the hours at or after `from` (ms) of one application, or of the platform, by the hours before them. */
export function judgeHours(
  hours: ReadonlyMap<number, RunCounts>,
  from: number,
  settings: DomainSettings,
): JudgedHour[] {
  const span = (end: number): RunCounts => {
    let sum = NO_RUNS;
    for (let hour = end - settings.light_span_hours * MS_PER_HOUR; hour < end; hour += MS_PER_HOUR) {
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
      const current = span(end);
      const before = rates(span(end - settings.light_span_hours * MS_PER_HOUR)).pass_rate;
      const now = rates(current).pass_rate;
      const verdict = light(current, settings);
      return {
        hour,
        counts,
        light: verdict.light,
        light_reason: verdict.reason,
        pass_rate_trend: now === null || before === null ? null : now - before,
      };
    });
}
