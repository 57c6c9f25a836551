import { addRunTimes } from '../state/run-times.js';
import type { DuckSession } from '../storage/duck.js';
import type { ObjectStore } from '../storage/object-store.js';

/**
 * The time of each parsed run that has no start time: the end time that was seen first, ms. Once chosen it stays, so
 * that an updated run never moves to another day.
 */
export async function chooseRunTimes(
  session: DuckSession,
  store: ObjectStore,
): Promise<{ run_id: string; ms: number }[]> {
  const undated = await session.rows<{ run_id: string; ms: number | null }>(
    `SELECT run_id, min(end_ms)::DOUBLE AS ms FROM parsed WHERE reason IS NULL AND start_ms IS NULL
     GROUP BY run_id ORDER BY run_id`,
  );
  if (undated.length === 0) return [];
  const ended = undated.flatMap(({ run_id, ms }) => (ms === null ? [] : [[run_id, ms] as const]));
  const times = await addRunTimes(store, Object.fromEntries(ended));
  return undated.flatMap(({ run_id }) => {
    const ms = times[run_id];
    return ms === undefined ? [] : [{ run_id, ms }];
  });
}
