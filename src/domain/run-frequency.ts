/** From so many runs, or bursts of runs, on an application is said to have a rhythm. */
const FEWEST_BURSTS = 4;

/**
 * How often an application runs: the time from the start of one burst of runs to that of the next, ms; null: no rhythm
 * is known. A nightly job that logs five runs in an hour comes every 24 h, not every few minutes.
 * @param times of its runs, ascending, ms
 */
export function usualPeriod(times: ArrayLike<number>): number | null {
  const gaps = Array.from(times).flatMap((time, i, all) => (i === 0 ? [] : [time - (all[i - 1] ?? time)]));
  const half = pauseOfHalfTheTime(gaps) / 2;
  const starts = Array.from(times).filter((_, i) => i === 0 || (gaps[i - 1] ?? 0) > half);
  if (starts.length < FEWEST_BURSTS) return null;
  return median(starts.slice(1).map((start, i) => start - (starts[i] ?? start)));
}

/** The pause such that half of all time lies in pauses at least as long: a few long ones outweigh many short ones. */
function pauseOfHalfTheTime(gaps: readonly number[]): number {
  const total = gaps.reduce((sum, gap) => sum + gap, 0);
  let passed = 0;
  for (const gap of [...gaps].sort((a, b) => b - a)) {
    passed += gap;
    if (2 * passed >= total) return gap;
  }
  return 0;
}

/** The middle one of the values; of an even number the higher of the two. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
