import { filesOf, type Published } from '../dashboard/published-objects.js';
import { MIN_SILENCE_MS, type RunHistory } from '../domain/alerts/silence.js';
import { type DuckSession, sql } from '../storage/duck.js';
import type { ObjectStore } from '../storage/object-store.js';

/** Shorter pauses between the runs of all applications make nobody silent, ms. */
const MIN_PAUSE_MS = MIN_SILENCE_MS / 2;

/** When any application ran, on these UTC days before `to` (ms); null if none has. */
export async function loadAllRuns(
  store: ObjectStore,
  session: DuckSession,
  published: Published,
  { to, days }: { readonly to: number; readonly days: readonly string[] },
): Promise<RunHistory | null> {
  const runs = await filesOf(store, published, 'runs', days);
  if (runs.length === 0) return null;
  const rows = await session.rows<{ from: number | null; to: number; last: number }>(
    sql(import.meta.url, './sql/run_pauses.sql'),
    { runs, to: BigInt(to), min: BigInt(MIN_PAUSE_MS) },
  );
  const [begin] = rows;
  if (!begin) return null;
  const pauses = rows.flatMap(({ from, to }) => (from === null ? [] : [{ from, to }]));
  return { first: begin.to, last: begin.last, pauses };
}
