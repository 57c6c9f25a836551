import { z } from 'zod';
import { PIPELINE_KINDS, type PipelineKind, type Window } from '../domain/model.js';
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

const windowSchema = z.object({ from: z.int(), to: z.int() });

/** A pipeline run: the truth about it, of which the queue is only the engine. Times in ms. */
export const pipelineRunSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  kind: z.enum(PIPELINE_KINDS),
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

/** One object per kind gives out its numbers, remembers the last tick, and knows which runs are not finished, oldest first. */
const kindSchema = z.object({
  version: z.literal(1),
  sequence: z.int(),
  last_nominal: z.int().nullable(),
  last_finished: z.int().nullable(),
  active: z.array(z.string()),
  /** The windows that were asked for, of the runs that are not finished: a run may have its number before its record. */
  windows: z.record(z.string(), windowSchema).default({}),
});
export type KindState = z.infer<typeof kindSchema>;
const NEVER: KindState = {
  version: 1,
  sequence: 0,
  last_nominal: null,
  last_finished: null,
  active: [],
  windows: {},
};

const kindKey = (kind: PipelineKind): string => `_state/kinds/${kind}.json`;
export const runPrefix = (id: string): string => `_state/runs/${id}/`;
const recordKey = (id: string): string => `${runPrefix(id)}record.json`;

/** Runs of one kind that may be unfinished at the same time: one at work, one that waits and will cover both windows. */
const MOST_ACTIVE = 2;

export async function readKindState(store: ObjectStore, kind: PipelineKind): Promise<KindState> {
  return (await readDocument(store, kindKey(kind), kindSchema))?.value ?? NEVER;
}

export async function readPipelineRun(store: ObjectStore, id: string): Promise<PipelineRun | undefined> {
  return (await readDocument(store, recordKey(id), pipelineRunSchema))?.value;
}

export interface NewPipelineRun {
  /** The time of the tick, ms; a second tick that `isServed` makes nothing. null: somebody asked. */
  readonly scheduledAt: number | null;
  readonly window?: Window;
  readonly now: number;
}

/** Clocks of several schedulers differ by less. */
const CLOCK_SKEW_MS = 3_600_000;

/**
 * Whether a tick of this time, or a later one, was served. One that lies far in the future was made by a clock that has
 * gone back since; believing it would stop the schedule until then.
 */
export function isServed({ last_nominal }: KindState, nominal: number, now: number): boolean {
  return last_nominal !== null && nominal <= last_nominal && last_nominal <= now + CLOCK_SKEW_MS;
}

/** @returns the id of the new run; undefined if this tick was served already, or one run waits anyway */
export async function createPipelineRun(
  store: ObjectStore,
  kind: PipelineKind,
  { scheduledAt: nominal, window, now }: NewPipelineRun,
): Promise<string | undefined> {
  let id: string | undefined;
  await updateDocument(store, kindKey(kind), kindSchema, (current = NEVER) => {
    id = undefined;
    if (nominal !== null && isServed(current, nominal, now)) return undefined;
    const last_nominal = nominal ?? current.last_nominal;
    if (nominal !== null && current.active.length >= MOST_ACTIVE) return { ...current, last_nominal };
    const sequence = current.sequence + 1;
    id = `${kind}-${sequence}`;
    const windows = window
      ? { ...current.windows, [id]: { from: window.from, to: window.to } }
      : current.windows;
    return { ...current, sequence, last_nominal, active: [...current.active, id], windows };
  });
  if (id !== undefined) await ensurePipelineRun(store, kind, id, nominal, now);
  return id;
}

/** The record of a run that its kind names; made now if its maker died before, or has not come to it yet. */
export async function ensurePipelineRun(
  store: ObjectStore,
  kind: PipelineKind,
  id: string,
  nominal: number | null,
  now: number,
): Promise<PipelineRun> {
  const known = await readPipelineRun(store, id);
  if (known) return known;
  const { windows } = await readKindState(store, kind);
  const record: PipelineRun = {
    version: 1,
    id,
    kind,
    nominal,
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
  await updateDocument(store, kindKey(kind), kindSchema, (current = NEVER) => ({
    ...current,
    last_finished:
      closed?.status === 'done' ? Math.max(now, current.last_finished ?? 0) : current.last_finished,
    active: current.active.filter((active) => active !== id),
    windows: Object.fromEntries(Object.entries(current.windows).filter(([run]) => run !== id)),
  }));
  return closed;
}
