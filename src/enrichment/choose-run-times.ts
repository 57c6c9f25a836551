import type { RunTimes } from '../state/run-times.js';
import { type DuckSession, sql } from '../storage/duck.js';

/**
 * Chooses the time (ms) of each run in `parsed` that has no start time: the first end time that was observed. It never
 * changes afterwards, so that an updated run does not move to another day.
 * @param addTimes adds times of runs that have none yet, and returns all
 */
export async function chooseRunTimes(
  session: DuckSession,
  addTimes: (ended: RunTimes) => Promise<RunTimes>,
): Promise<{ run_id: string; ms: number }[]> {
  const undated = await session.rows<{ run_id: string; ms: number | null }>(
    sql(import.meta.url, './sql/undated_runs.sql'),
  );
  if (undated.length === 0) return [];
  const ended = undated.flatMap(({ run_id, ms }) => (ms === null ? [] : [[run_id, ms] as const]));
  const times = await addTimes(Object.fromEntries(ended));
  return undated.flatMap(({ run_id }) => {
    const ms = times[run_id];
    return ms === undefined ? [] : [{ run_id, ms }];
  });
}
