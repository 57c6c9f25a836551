import { z } from 'zod';
import { PIPELINE_KINDS, type PipelineKind, type Window } from '../domain/model.js';
import { isServed, readKindState, updateKindState, windowSchema } from '../state/kind-state.js';
import { createDocument, readDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import { STAGES } from './stage-contracts.js';

/** The totals of a pipeline run. */
export const pipelineRunSummarySchema = z.object({
  runs: z.int(),
  metrics: z.int(),
  quarantined: z.int(),
  partitions_written: z.int(),
  partitions_unchanged: z.int(),
});
export type PipelineRunSummary = z.infer<typeof pipelineRunSummarySchema>;

/** The record of a pipeline run: the source of truth, whatever the queue holds. Times in ms. */
export const pipelineRunSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  kind: z.enum(PIPELINE_KINDS),
  /** The scheduled time; `null` if a person or another service requested the run. */
  nominal: z.int().nullable(),
  /** The requested window; `null` if the plan chooses it. */
  window: windowSchema.nullable(),
  status: z.enum(['active', 'done', 'failed', 'cancelled']),
  created_at: z.int(),
  finished_at: z.int().nullable(),
  error: z
    .object({ slice: z.string(), stage: z.enum(STAGES), code: z.string(), message: z.string() })
    .nullable(),
  /** Experiments that could not be read, such as those to which the tracking server denied access. */
  refused: z.array(z.object({ experiment_id: z.string(), message: z.string() })),
  /** `null` until the run is finished. */
  summary: pipelineRunSummarySchema.nullable(),
});
export type PipelineRun = z.infer<typeof pipelineRunSchema>;

export const runPrefix = (id: string): string => `_state/runs/${id}/`;
const recordKey = (id: string): string => `${runPrefix(id)}record.json`;

/** Scheduled runs of one kind that may be unfinished: one in progress, and one waiting that will cover later windows as well. */
const MAX_ACTIVE_PIPELINE_RUNS = 2;

export async function readPipelineRun(store: ObjectStore, id: string): Promise<PipelineRun | undefined> {
  return (await readDocument(store, recordKey(id), pipelineRunSchema))?.value;
}

export interface NewPipelineRun {
  /** The scheduled time, ms; no run is created if it `isServed` already. `null` for a run on request. */
  readonly scheduledAt: number | null;
  readonly window?: Window;
  readonly now: number;
}

/**
 * Creates a pipeline run. A run on request is always created.
 * @returns its id; `undefined` if the scheduled time is served already, or `MAX_ACTIVE_PIPELINE_RUNS` are unfinished
 */
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
    if (scheduledAt !== null && current.active.length >= MAX_ACTIVE_PIPELINE_RUNS)
      return { ...current, last_nominal };
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

/**
 * The record of a pipeline run that is listed in the state of its kind. Creates it if the process that listed the run was
 * killed before it wrote the record, or has not written it yet.
 */
export async function ensurePipelineRun(
  store: ObjectStore,
  kind: PipelineKind,
  id: string,
  scheduledAt: number | null,
  now: number,
): Promise<PipelineRun> {
  const existing = await readPipelineRun(store, id);
  if (existing) return existing;
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

/**
 * Closes a pipeline run. If it is closed already, its first outcome stays.
 * @returns the record after the call; `undefined` if there is none
 */
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
    windows: Object.fromEntries(Object.entries(current.windows).filter(([runId]) => runId !== id)),
  }));
  return closed;
}
