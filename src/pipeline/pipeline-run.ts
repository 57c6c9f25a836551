import { z } from 'zod';
import { PIPELINE_KINDS, type PipelineKind, type Window } from '../domain/model.js';
import { isServed, readKindState, updateKindState, windowSchema } from '../state/kind-state.js';
import { createDocument, readDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import { STAGES } from './stage-contracts.js';

/** What a run did, in numbers. */
export const pipelineRunSummarySchema = z.object({
  runs: z.int(),
  metrics: z.int(),
  quarantined: z.int(),
  partitions_written: z.int(),
  partitions_unchanged: z.int(),
});
export type PipelineRunSummary = z.infer<typeof pipelineRunSummarySchema>;

/** A pipeline run: the truth about it, of which the queue is only the engine. Times in ms. */
export const pipelineRunSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  kind: z.enum(PIPELINE_KINDS),
  /** When the schedule was due, ms; null: requested by a person or another service. */
  nominal: z.int().nullable(),
  /** Only where somebody asked for one; else the plan decides. */
  window: windowSchema.nullable(),
  status: z.enum(['active', 'done', 'failed', 'cancelled']),
  created_at: z.int(),
  finished_at: z.int().nullable(),
  error: z
    .object({ slice: z.string(), stage: z.enum(STAGES), code: z.string(), message: z.string() })
    .nullable(),
  /** Experiments that the tracking server refused. */
  refused: z.array(z.object({ experiment_id: z.string(), message: z.string() })),
  /** Only of a finished run. */
  summary: pipelineRunSummarySchema.nullable(),
});
export type PipelineRun = z.infer<typeof pipelineRunSchema>;

export const runPrefix = (id: string): string => `_state/runs/${id}/`;
const recordKey = (id: string): string => `${runPrefix(id)}record.json`;

/** Runs of one kind that may be unfinished at the same time: one at work, one that waits and will cover both windows. */
const MOST_ACTIVE = 2;

export async function readPipelineRun(store: ObjectStore, id: string): Promise<PipelineRun | undefined> {
  return (await readDocument(store, recordKey(id), pipelineRunSchema))?.value;
}

export interface NewPipelineRun {
  /** The time of the tick, ms; a second tick that `isServed` makes nothing. null: somebody asked. */
  readonly scheduledAt: number | null;
  readonly window?: Window;
  readonly now: number;
}

/** @returns the id of the new run; undefined if this tick was served already, or one run waits anyway */
export async function createPipelineRun(
  store: ObjectStore,
  kind: PipelineKind,
  { scheduledAt, window, now }: NewPipelineRun,
): Promise<string | undefined> {
  let id: string | undefined;
  await updateKindState(store, kind, (current) => {
    id = undefined;
    if (scheduledAt !== null && isServed(current, scheduledAt, now)) return undefined;
    const last_nominal = scheduledAt ?? current.last_nominal;
    if (scheduledAt !== null && current.active.length >= MOST_ACTIVE) return { ...current, last_nominal };
    const sequence = current.sequence + 1;
    id = `${kind}-${sequence}`;
    const windows = window
      ? { ...current.windows, [id]: { from: window.from, to: window.to } }
      : current.windows;
    return { ...current, sequence, last_nominal, active: [...current.active, id], windows };
  });
  if (id !== undefined) await ensurePipelineRun(store, kind, id, scheduledAt, now);
  return id;
}

/** The record of a run that its kind names; made now if its maker died before, or has not come to it yet. */
export async function ensurePipelineRun(
  store: ObjectStore,
  kind: PipelineKind,
  id: string,
  scheduledAt: number | null,
  now: number,
): Promise<PipelineRun> {
  const known = await readPipelineRun(store, id);
  if (known) return known;
  const { windows } = await readKindState(store, kind);
  const record: PipelineRun = {
    version: 1,
    id,
    kind,
    nominal: scheduledAt,
    window: windows[id] ?? null,
    status: 'active',
    created_at: now,
    finished_at: null,
    error: null,
    refused: [],
    summary: null,
  };
  const created = await createDocument(store, recordKey(id), pipelineRunSchema, record);
  return created ? record : ((await readPipelineRun(store, id)) ?? record);
}

export type PipelineRunOutcome = Pick<PipelineRun, 'status' | 'error' | 'refused' | 'summary'>;

/** Closes a run, once: the first outcome stays. */
export async function closePipelineRun(
  store: ObjectStore,
  { id, kind }: Pick<PipelineRun, 'id' | 'kind'>,
  outcome: PipelineRunOutcome,
  now: number,
): Promise<PipelineRun | undefined> {
  const closed = await updateDocument(store, recordKey(id), pipelineRunSchema, (record) =>
    record?.status === 'active' ? { ...record, ...outcome, finished_at: now } : record,
  );
  await updateKindState(store, kind, (current) => ({
    ...current,
    last_finished:
      closed?.status === 'done' ? Math.max(now, current.last_finished ?? 0) : current.last_finished,
    active: current.active.filter((active) => active !== id),
    windows: Object.fromEntries(Object.entries(current.windows).filter(([run]) => run !== id)),
  }));
  return closed;
}
