import { z } from 'zod';
import { concurrently } from '../config/concurrently.js';
import { PIPELINE_KINDS, type PipelineKind } from '../domain/model.js';
import { MS_PER_DAY } from '../domain/time.js';
import { type KindState, readKindState } from '../state/kind-state.js';
import { ifReadable, readDocument, updateDocument } from '../storage/json-document.js';
import { listKeys } from '../storage/list-keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import { brokenRunPrefix, isRecordKey, readPipelineRun, runPrefix } from './pipeline-run.js';

/** How long the plan, results and attempts of a finished pipeline run are kept. docs/storage.md names both times. */
export const STAGE_RETENTION_DAYS = 7;
/** How long its record is kept. Together, deltas every 5 minutes leave fewer objects than a folder remembers ETags of. */
export const RECORD_RETENTION_DAYS = 90;
/** Pipeline runs of one kind that one call looks at. */
const MAX_RUNS_PER_CALL = 100;

const KEY = '_state/cleared-runs.json';
const firstKeptSchema = z.object({ stages: z.int(), record: z.int() });
type FirstKept = z.infer<typeof firstKeptSchema>;
const schema = z.object({
  version: z.literal(1),
  /** By kind: the numbers of the first pipeline runs whose stages, and whose records, may still be stored. */
  kinds: z.record(z.string(), firstKeptSchema),
});

/** The numbers of the first pipeline runs of a kind that were not cleared. */
export async function readFirstKept(store: ObjectStore, kind: PipelineKind): Promise<FirstKept> {
  return (await readDocument(store, KEY, schema))?.value.kinds[kind] ?? { stages: 1, record: 1 };
}

/**
 * Deletes what finished pipeline runs leave behind: their stages after `STAGE_RETENTION_DAYS`, their records after
 * `RECORD_RETENTION_DAYS`. The newest run of each kind stays, because its number must not be used again, and so do
 * bootstraps, which date the first read of the history. Any number of processes may call it; one that dies costs a repetition.
 * @param now ms
 * @returns whether nothing is left to delete; one call looks at a limited number of runs
 */
export async function clearFinishedRuns(store: ObjectStore, now: number): Promise<boolean> {
  let isDone = true;
  for (const kind of PIPELINE_KINDS) {
    // Without its state, nobody knows which runs of the kind are unfinished.
    const state = await ifReadable(readKindState(store, kind));
    if (!state) continue;
    const before = await readFirstKept(store, kind);
    const keep = { store, kind, state, now };
    const stages = await clear(keep, before.stages, state.sequence, STAGE_RETENTION_DAYS, deleteStages);
    const record =
      kind === 'bootstrap'
        ? { next: before.record, isDone: true }
        : await clear(keep, before.record, stages.next, RECORD_RETENTION_DAYS, deleteAll);
    await updateDocument(store, KEY, schema, (current) => {
      const known = current?.kinds[kind];
      const next = {
        stages: Math.max(stages.next, known?.stages ?? 1),
        record: Math.max(record.next, known?.record ?? 1),
      };
      if (next.stages === 1 && next.record === 1) return current;
      return { version: 1 as const, kinds: { ...current?.kinds, [kind]: next } };
    });
    isDone &&= stages.isDone && record.isDone;
  }
  return isDone;
}

interface KindRuns {
  readonly store: ObjectStore;
  readonly kind: PipelineKind;
  readonly state: KindState;
  readonly now: number;
}

/**
 * Calls `remove` for the pipeline runs from a number on that finished longer ago than `days`.
 * @param end the number of a run that stays
 * @returns `next`: the first run that stays, or that this call did not look at
 */
async function clear(
  { store, kind, state, now }: KindRuns,
  first: number,
  end: number,
  days: number,
  remove: (store: ObjectStore, id: string) => Promise<void>,
): Promise<{ next: number; isDone: boolean }> {
  let number = first;
  for (; number < end; number++) {
    if (number - first >= MAX_RUNS_PER_CALL) return { next: number, isDone: false };
    const id = `${kind}-${number}`;
    if (state.active.includes(id)) break;
    // Without a record, or with an invalid one, nobody knows when the run finished: a person may look at it.
    const record = await ifReadable(readPipelineRun(store, id));
    if (!record) continue;
    if (record.finished_at === null || record.finished_at >= now - days * MS_PER_DAY) break;
    await remove(store, id);
  }
  return { next: number, isDone: true };
}

async function deleteStages(store: ObjectStore, id: string): Promise<void> {
  const keys = await keysBelow(store, runPrefix(id));
  await concurrently(
    keys.filter((key) => !isRecordKey(key)),
    (key) => store.delete(key),
  );
}

/** The record goes last: without it, a repetition would not look for the rest. */
async function deleteAll(store: ObjectStore, id: string): Promise<void> {
  await deleteStages(store, id);
  await concurrently(await keysBelow(store, brokenRunPrefix(id)), (key) => store.delete(key));
  await concurrently(await keysBelow(store, runPrefix(id)), (key) => store.delete(key));
}

async function keysBelow(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of listKeys(store, prefix)) keys.push(key);
  return keys;
}
