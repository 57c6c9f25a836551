import { ATTENTION_SPAN_MS } from '../needs-attention.js';
import { MS_PER_DAY, MS_PER_HOUR } from '../time.js';

/** Whoever runs more often is not silent after a few missed runs. */
export const MIN_SILENCE_MS = 2 * MS_PER_HOUR;
/** Two weeks of runs, so that nights and weekends are known; before that nobody is called silent. */
const LEARNING_MS = 14 * MS_PER_DAY;
const WEEK_MS = 7 * MS_PER_DAY;
/** Earlier weeks that the present one is compared with. */
const WEEKS = 4;
/** A pause is compared with those of earlier weeks until a day before and a day after the same time of the week. */
const AROUND_MS = MS_PER_DAY;
/** With so many earlier weeks, the one with the longest pause does not count: it may have had an outage. */
const WEEKS_WITH_OUTAGE = 3;

/** The time between a run and the next one, ms. */
export interface Pause {
  readonly from: number;
  readonly to: number;
}

/** When somebody ran: an application, or any of them. Times in ms. */
export interface RunHistory {
  readonly first: number;
  readonly last: number;
  /** Between the first and the last run, oldest first; short ones may be missing. */
  readonly pauses: readonly Pause[];
}

/** @param times of runs, ms, ascending */
export function runHistoryOf(times: readonly number[]): RunHistory | null {
  const [first] = times;
  const last = times.at(-1);
  if (first === undefined || last === undefined) return null;
  return { first, last, pauses: times.slice(1).map((to, i) => ({ from: times[i] ?? to, to })) };
}

/**
 * How long somebody pauses at this time of the week, ms: the longest time without a run around the same time of earlier
 * weeks, so that a weekend is compared with weekends, and a Tuesday is not; null if that is not known.
 * @param now ms
 */
export function usualPause({ first, last, pauses }: RunHistory, now: number): number | null {
  const longest = Array.from({ length: WEEKS }, (_, i) => now - (i + 1) * WEEK_MS).flatMap((time) => {
    const [begin, end] = [time - AROUND_MS, time + AROUND_MS];
    if (end <= first || begin >= last) return [];
    const lengths = pauses
      .filter(({ from, to }) => from < end && to > begin)
      .map(({ from, to }) => Math.min(to, end) - from);
    return lengths.reduce((a, b) => Math.max(a, b), 0);
  });
  const sorted = longest.sort((a, b) => b - a);
  return sorted[sorted.length >= WEEKS_WITH_OUTAGE ? 1 : 0] ?? null;
}

/** Who has been silent for longer when it is first seen was not watched, or its runs came late. */
const PAST_MS = MS_PER_DAY;

/** `past`: violated for more than a day. `unknown`: too little history. `gone`: nobody waits any more. */
export type Silence = 'violated' | 'past' | 'met' | 'unknown' | 'gone';

/**
 * Whether somebody has paused for longer than usual.
 * @param now ms
 * @param factor how much longer
 * @param excused ms since the last run that do not count
 */
export function silenceVerdict(history: RunHistory, now: number, factor: number, excused = 0): Silence {
  const verdict = verdictAt(history, now, factor, excused);
  const isPast = verdict === 'violated' && verdictAt(history, now - PAST_MS, factor, excused) === 'violated';
  return isPast ? 'past' : verdict;
}

function verdictAt(
  history: RunHistory,
  now: number,
  factor: number,
  excused: number,
): Exclude<Silence, 'past'> {
  const { first, last } = history;
  const pause = now - last - excused;
  if (pause <= MIN_SILENCE_MS) return 'met';
  const usual = last - first < LEARNING_MS ? null : usualPause(history, now);
  if (usual === null) return 'unknown';
  const allowed = Math.max(MIN_SILENCE_MS, factor * usual);
  if (pause <= allowed) return 'met';
  return pause > allowed + ATTENTION_SPAN_MS ? 'gone' : 'violated';
}

/** The pauses that were longer than usual when they ended, oldest first. */
export function outagesOf({ first, pauses }: RunHistory, factor: number): Pause[] {
  return pauses.filter(({ from, to }, i) => {
    if (to - from <= MIN_SILENCE_MS) return false;
    const verdict = silenceVerdict({ first, last: from, pauses: pauses.slice(0, i) }, to, factor);
    return verdict !== 'met' && verdict !== 'unknown';
  });
}

/** How much of a pause was part of these, ms. */
export const overlap = (pause: Pause, others: readonly Pause[]): number =>
  others.reduce(
    (sum, { from, to }) => sum + Math.max(0, Math.min(to, pause.to) - Math.max(from, pause.from)),
    0,
  );
