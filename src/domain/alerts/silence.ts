import { ATTENTION_SPAN_MS } from '../needs-attention.js';
import { usualPeriod } from '../run-frequency.js';
import { MS_PER_HOUR } from '../time.js';

/** An application that runs more often is not silent after a few missed runs. */
export const MIN_SILENCE_MS = 2 * MS_PER_HOUR;
/** Longer pauses in the last days count as outages, and so do not make an application slow to be called silent. */
const OUTAGES = 2;

export interface Rhythm {
  /** The usual time between runs, ms. */
  readonly period: number;
  /** How long it pauses at times, such as over weekends, ms. */
  readonly pause: number;
}

/**
 * How often an application runs; null if that is unknown.
 * @param times of its runs, ms, ascending
 */
export function rhythmOf(times: readonly number[]): Rhythm | null {
  const period = usualPeriod(times);
  if (period === null) return null;
  const gaps = times.slice(1).map((time, i) => time - (times[i] ?? time));
  const pause = gaps.sort((a, b) => b - a)[OUTAGES] ?? period;
  return { period, pause: Math.max(pause, period) };
}

/**
 * Whether an application has paused for longer than it usually does; `gone` if nobody waits for it any more.
 * @param sinceLastRun ms
 * @param factor how much longer
 */
export function silenceVerdict(
  sinceLastRun: number,
  { pause }: Rhythm,
  factor: number,
): 'violated' | 'met' | 'gone' {
  const allowed = Math.max(MIN_SILENCE_MS, factor * pause);
  if (sinceLastRun <= allowed) return 'met';
  return sinceLastRun > allowed + ATTENTION_SPAN_MS ? 'gone' : 'violated';
}
