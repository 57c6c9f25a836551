import type { ChildCounts } from '../domain/light.js';
import type { Window } from '../domain/model.js';
import { dayOf, MS_PER_DAY } from '../domain/time.js';
import { partitionFilesOf } from '../state/partition-files.js';
import { type DuckSession, sql } from '../storage/duck.js';
import { baseKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import { dayParts } from '../storage/parts.js';
import type { LastRun, Spans } from './load-rollups.js';

/** The child runs of an application in a span that are stored and do not count. */
export interface UncountedOf extends ChildCounts, Window {
  readonly application: string;
}

/** A run that has not ended, and neither started nor logged a metric for `SILENT_AFTER_MS`. */
export interface SilentRun extends LastRun {
  /** When its last metric was logged, ms; null without one. */
  readonly logged: number | null;
}

/** A run without an end whose start and last metric are older has probably died. docs/api.md names it. */
export const SILENT_AFTER_MS = MS_PER_DAY;
const MAX_UNENDED = 1_000;

/** The child runs that do not count, in each of the spans that the page shows. Reads `shown_runs`. */
export function loadUncounted(session: DuckSession, { days }: Spans): Promise<UncountedOf[]> {
  return session.rows(sql(import.meta.url, './sql/uncounted.sql'), {
    froms: days.map(({ span }) => String(span.from)),
    tos: days.map(({ span }) => String(span.to)),
  });
}

/** The number of runs after the current span, in `shown_runs`. */
export async function countLaterRuns(session: DuckSession, { current }: Spans): Promise<number> {
  const [row] = await session.rows<{ runs: number }>(sql(import.meta.url, './sql/later_runs.sql'), {
    to: BigInt(current.to),
  });
  return row?.runs ?? 0;
}

/** The silent runs, oldest first. Reads `shown_runs`, and facts only of days with runs that have not ended. */
export async function loadSilentRuns(
  store: ObjectStore,
  session: DuckSession,
  { current }: Spans,
): Promise<SilentRun[]> {
  const before = current.to - SILENT_AFTER_MS;
  const unended = await session.rows<LastRun>(sql(import.meta.url, './sql/unended_runs.sql'), {
    before: BigInt(before),
    limit: MAX_UNENDED,
  });
  const bases: string[] = [];
  for (const day of new Set(unended.map(({ time }) => dayOf(time)))) {
    for (const { part } of dayParts(day, await partitionFilesOf(store).on(day))) {
      const base = await store.fetch(baseKey(day, part));
      if (base) bases.push(base.file);
    }
  }
  if (bases.length === 0) return [];
  const rows = await session.rows<{ run_id: string; logged: number | null }>(
    sql(import.meta.url, './sql/last_logged.sql'),
    { bases, run_ids: unended.map(({ run_id }) => run_id) },
  );
  const logged = new Map(rows.map((row) => [row.run_id, row.logged]));
  return unended
    .map((run) => ({ ...run, logged: logged.get(run.run_id) ?? null }))
    .filter((run) => run.logged === null || run.logged < before);
}
