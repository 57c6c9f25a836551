import type { Series } from '../../../src/dashboard/contract/series.js';

const DAY = 24 * 3_600_000;

/**
 * How many values the moving average of the last point is the mean of, if it is that of 24 hours.
 * @returns null if it is not, because another window is configured or points are left out
 */
export function averageCount({
  columns,
  thinned,
  from,
}: Pick<Series, 'columns' | 'thinned' | 'from'>): number | null {
  const last = columns.time.at(-1);
  const average = columns.moving_avg.at(-1) ?? null;
  if (last === undefined || average === null || thinned !== null || last - DAY < Date.parse(from))
    return null;
  const values = columns.value.filter(
    (value, i) => value !== null && (columns.time[i] ?? 0) > last - DAY,
  ) as number[];
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.abs(mean - average) <= 1e-9 * Math.max(Math.abs(mean), Math.abs(average))
    ? values.length
    : null;
}
