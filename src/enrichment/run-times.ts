import { z } from 'zod';
import type { DuckSession } from '../storage/duck.js';
import { updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

const KEY = '_state/run-times.json';
const schema = z.object({ version: z.literal(1), times: z.record(z.string(), z.int()) });

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
  const document = await updateDocument(store, KEY, schema, (current) => {
    const times = current?.times ?? {};
    const added = undated.filter(({ run_id, ms }) => ms !== null && times[run_id] === undefined);
    if (added.length === 0) return current;
    return {
      version: 1 as const,
      times: { ...times, ...Object.fromEntries(added.map(({ run_id, ms }) => [run_id, ms ?? 0])) },
    };
  });
  return undated.flatMap(({ run_id }) => {
    const ms = document?.times[run_id];
    return ms === undefined ? [] : [{ run_id, ms }];
  });
}
