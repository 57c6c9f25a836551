/** With fewer bursts of runs, it is unknown how often an application runs. */
const MIN_BURSTS = 4;

/**
 * How often an application runs: the median time from the start of one burst of runs to the next, ms; null if there are too
 * few bursts. A nightly job that logs five runs within an hour runs every 24 h, not every few minutes.
 * @param times run times, ascending, ms
 */
export function usualPeriod(times: ArrayLike<number>): number | null {
  const gaps = Array.from(times).flatMap((time, i, all) => (i === 0 ? [] : [time - (all[i - 1] ?? time)]));
  const burstGap = weightedMedianGap(gaps) / 2;
  const starts = Array.from(times).filter((_, i) => i === 0 || (gaps[i - 1] ?? 0) > burstGap);
  if (starts.length < MIN_BURSTS) return null;
  return median(starts.slice(1).map((start, i) => start - (starts[i] ?? start)));
}

/** The median gap weighted by length: gaps at least this long cover half of all time, so few long gaps outweigh many short ones. */
function weightedMedianGap(gaps: readonly number[]): number {
  const total = gaps.reduce((sum, gap) => sum + gap, 0);
  let covered = 0;
  for (const gap of [...gaps].sort((a, b) => b - a)) {
    covered += gap;
    if (2 * covered >= total) return gap;
  }
  return 0;
}

/** The median; the higher of the two middle values if their number is even, 0 if there are none. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
