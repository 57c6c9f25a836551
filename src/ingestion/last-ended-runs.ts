import type { PipelineKind } from '../domain/model.js';
import { dayOf } from '../domain/time.js';
import type { Plan } from '../pipeline/stage-contracts.js';
import { ENDED_RUNS_PERIOD_MS, readEndedRunsState } from '../state/ended-runs.js';
import { type Duck, sql } from '../storage/duck.js';
import { dayOfKey } from '../storage/keys.js';
import type { ObjectEntry, ObjectStore } from '../storage/object-store.js';
import type { MissingRun, RunSearch } from './run-search.js';

/** MLflow runs that ended and are requested again: a metric that is logged after the end changes nothing that a search finds. */
const MAX_RUNS = 2_000;
/** They are taken from so many of the newest stored days. */
const MAX_DAYS = 60;
/** Days that are read together. */
const DAYS_AT_ONCE = 8;

/** A search requests so many by id. */
const RUNS_PER_SEARCH = 100;
/** A slice requests no more of them once their responses have so many bytes: heavy runs must not cost gigabytes an hour. */
const MAX_BYTES = 64 * 2 ** 20;

export type EndedRun = NonNullable<Plan['ended']>['runs'][number];

/**
 * The MLflow runs that ended last, in the experiments of a plan, which a delta or backup requests again by id once an hour.
 * @param bases the base objects of the store
 * @returns `undefined` if it is not due
 */
export async function planLastEnded(
  store: ObjectStore,
  duck: Duck,
  kind: PipelineKind,
  { chunks, to }: Pick<Plan, 'chunks' | 'to'>,
  bases: readonly ObjectEntry[],
): Promise<Plan['ended']> {
  if (kind !== 'delta' && kind !== 'backup') return undefined;
  const last = (await readEndedRunsState(store))?.asked_at;
  // A clock that was set back must not stop it.
  if (last !== undefined && Math.abs(to - last) < ENDED_RUNS_PERIOD_MS) return undefined;
  const experiments = chunks.flatMap(({ experiment_ids }) => experiment_ids);
  const runs = await loadLastEnded(store, duck, experiments, to, bases);
  return { runs, since: runs.at(-1)?.ended ?? null };
}

/** Reads the newest days until they have `MAX_RUNS` runs that ended, and the days that are read together with the last. */
async function loadLastEnded(
  store: ObjectStore,
  duck: Duck,
  experiments: readonly string[],
  to: number,
  bases: readonly ObjectEntry[],
): Promise<EndedRun[]> {
  const byDay = new Map<string, ObjectEntry[]>();
  for (const entry of bases) {
    const day = dayOfKey(entry.key);
    if (day !== undefined && day <= dayOf(to)) byDay.set(day, [...(byDay.get(day) ?? []), entry]);
  }
  const days = [...byDay.keys()].sort().reverse().slice(0, MAX_DAYS);
  return duck.session(async (session) => {
    let newest: EndedRun[] = [];
    for (let at = 0; at < days.length && newest.length < MAX_RUNS; at += DAYS_AT_ONCE) {
      const files: string[] = [];
      for (const entry of days.slice(at, at + DAYS_AT_ONCE).flatMap((day) => byDay.get(day) ?? [])) {
        const base = await store.fetch(entry.key, entry);
        if (base) files.push(base.file);
      }
      if (files.length === 0) continue;
      const parameters = { bases: files, experiments, to: BigInt(to), limit: MAX_RUNS };
      const found = await session.rows<EndedRun>(sql(import.meta.url, './sql/last_ended.sql'), parameters);
      newest = [...newest, ...found].sort((a, b) => b.ended - a.ended).slice(0, MAX_RUNS);
    }
    return newest;
  });
}

export interface LastEndedResult {
  /** Those that MLflow does not return. */
  readonly missing: readonly MissingRun[];
  /** As in the result of the stage `fetch`. */
  readonly since?: number;
}

/** Requests by id the runs of a plan that ended last and that `search` has not returned, newest end first. */
export async function fetchLastEnded(
  search: RunSearch,
  experiments: readonly string[],
  runs: readonly EndedRun[],
): Promise<LastEndedResult> {
  const missing: MissingRun[] = [];
  const unseen = runs.filter(({ run_id }) => !search.returnedIds.has(run_id));
  const before = search.bytes;
  for (let at = 0; at < unseen.length; at += RUNS_PER_SEARCH) {
    const next = unseen[at];
    if (next && search.bytes - before >= MAX_BYTES) return { missing, since: next.ended + 1 };
    const ids = unseen.slice(at, at + RUNS_PER_SEARCH).map(({ run_id }) => run_id);
    missing.push(...(await search.findMissing(experiments, ids)));
  }
  return { missing };
}
