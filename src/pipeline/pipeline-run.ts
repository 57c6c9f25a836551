import { z } from 'zod';
import { canonicalJson } from '../domain/canonical-json.js';
import { errorMessage } from '../domain/errors.js';
import { PIPELINE_KINDS, type PipelineKind } from '../domain/model.js';
import {
  isServed,
  type KindState,
  type RequestedWindow,
  readKindState,
  updateKindState,
  windowSchema,
} from '../state/kind-state.js';
import { PreconditionFailedError } from '../storage/errors.js';
import {
  brokenKeyOf,
  createDocument,
  ifReadable,
  keepBrokenDocument,
  readDocument,
  updateDocument,
} from '../storage/json-document.js';
import { listKeys } from '../storage/list-keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import { ALL_SLICES, STAGES } from './stage-contracts.js';

/** The totals of a pipeline run. */
export const pipelineRunSummarySchema = z.object({
  runs: z.int(),
  metrics: z.int(),
  quarantined: z.int(),
  /** MLflow runs of days that are no longer kept. Absent if there are none. */
  expired: z.int().optional(),
  partitions_written: z.int(),
  partitions_unchanged: z.int(),
  /** Facts are stored, but a newer process must publish them. */
  left_to_newer: z.boolean().optional(),
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
    // Any stage: a newer version may have others.
    .object({ slice: z.string(), stage: z.string(), code: z.string(), message: z.string() })
    .nullable(),
  /** Experiments that could not be read, such as those to which the tracking server denied access. */
  refused: z.array(z.object({ experiment_id: z.string(), message: z.string() })),
  /** `null` until the run is finished. */
  summary: pipelineRunSummarySchema.nullable(),
});
export type PipelineRun = z.infer<typeof pipelineRunSchema>;

export const runPrefix = (id: string): string => `_state/runs/${id}/`;
const recordKey = (id: string): string => `${runPrefix(id)}record.json`;
export const isRecordKey = (key: string): boolean => key.endsWith('/record.json');
/** Copies of invalid documents of a pipeline run. */
export const brokenRunPrefix = (id: string): string => `_state/broken/runs/${id}/`;

/** Scheduled runs of one kind that may be unfinished: one in progress, and one waiting that will cover later windows as well. */
const MAX_ACTIVE_PIPELINE_RUNS = 2;

export async function readPipelineRun(store: ObjectStore, id: string): Promise<PipelineRun | undefined> {
  return (await readDocument(store, recordKey(id), pipelineRunSchema))?.value;
}

/**
 * The record as views show it. One that is invalid is shown with the reason as its error: as active while it is listed in
 * the state of its kind (the next dispatch closes it), as failed afterwards. Its times are unknown: `created_at` is 0.
 */
export async function viewPipelineRun(
  store: ObjectStore,
  kind: PipelineKind,
  id: string,
  { active, windows }: Pick<KindState, 'active' | 'windows'>,
): Promise<PipelineRun | undefined> {
  try {
    return await readPipelineRun(store, id);
  } catch (error) {
    if (brokenKeyOf(error) === undefined) throw error;
    const status = active.includes(id) ? 'active' : 'failed';
    return { ...newRecord(kind, id, windows[id], 0), status, error: unreadableError(id, error) ?? null };
  }
}

/**
 * The error of a pipeline run that cannot continue because a document is invalid.
 * @returns `undefined` for errors of another kind
 */
export function unreadableError(id: string, error: unknown): PipelineRun['error'] | undefined {
  const key = brokenKeyOf(error);
  if (key === undefined) return undefined;
  const name = key.startsWith(runPrefix(id)) ? /\/([^/.]+)\.([a-z-]+)\.json$/.exec(key) : null;
  const stage = STAGES.find((each) => each === name?.[2]) ?? 'plan';
  return { slice: name?.[1] ?? ALL_SLICES, stage, code: 'broken_document', message: errorMessage(error) };
}

const newRecord = (
  kind: PipelineKind,
  id: string,
  window: RequestedWindow | undefined,
  now: number,
): PipelineRun => ({
  version: 1,
  id,
  kind,
  nominal: null,
  window: window ?? null,
  status: 'active',
  created_at: now,
  finished_at: null,
  error: null,
  refused: [],
  summary: null,
});

export interface NewPipelineRun {
  /** The scheduled time, ms; no run is created if it `isServed` already. `null` for a run on request. */
  readonly scheduledAt: number | null;
  readonly window?: RequestedWindow;
  readonly now: number;
}

/**
 * Creates a pipeline run. A run on request is always created.
 * @returns its id; `undefined` if the scheduled time is served already, or `MAX_ACTIVE_PIPELINE_RUNS` are unfinished. It then
 * counts as served only if one that waits covers the window; otherwise it stays due.
 */
export async function createPipelineRun(
  store: ObjectStore,
  kind: PipelineKind,
  { scheduledAt, window, now }: NewPipelineRun,
): Promise<string | undefined> {
  let id: string | undefined;
  const isNew = (await readKindState(store, kind)).sequence === 0;
  const newest = isNew ? await newestStoredNumber(store, kind) : 0;
  await updateKindState(store, kind, (current) => {
    id = undefined;
    if (scheduledAt !== null && isServed(current, scheduledAt, now)) return undefined;
    const last_nominal = scheduledAt ?? current.last_nominal;
    if (scheduledAt !== null && current.active.length >= MAX_ACTIVE_PIPELINE_RUNS)
      return isWaitingFor(current, window) ? { ...current, last_nominal } : undefined;
    const sequence = Math.max(current.sequence, newest) + 1;
    id = `${kind}-${sequence}`;
    const windows = window ? { ...current.windows, [id]: requested(window) } : current.windows;
    return { ...current, sequence, last_nominal, active: [...current.active, id], windows };
  });
  if (id !== undefined) await ensurePipelineRun(store, kind, id, scheduledAt, now);
  return id;
}

/** Without what else the caller's object has. */
const requested = ({ from, to, datasets }: RequestedWindow): RequestedWindow => ({
  from,
  to,
  ...(datasets ? { datasets } : {}),
});

/** Whether a run that has not begun, and so will see what is there now, covers the window; no window: everything. */
function isWaitingFor(
  { active: [, ...waiting], windows }: KindState,
  window: RequestedWindow | undefined,
): boolean {
  return waiting.some((id) => {
    const covered = windows[id];
    if (covered?.datasets) return false;
    return !covered || (window && covered.from <= window.from && covered.to >= window.to);
  });
}

/** The highest number of the stored pipeline runs of a kind: the state of the kind may have been deleted. */
async function newestStoredNumber(store: ObjectStore, kind: PipelineKind): Promise<number> {
  const prefix = runPrefix(`${kind}-`).slice(0, -1);
  let newest = 0;
  for await (const key of listKeys(store, prefix)) {
    const number = Number.parseInt(key.slice(prefix.length), 10);
    if (number > newest) newest = number;
  }
  return newest;
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
  const record = { ...newRecord(kind, id, windows[id], now), nominal: scheduledAt };
  const created = await createDocument(store, recordKey(id), pipelineRunSchema, record);
  return created ? record : ((await readPipelineRun(store, id)) ?? record);
}

export type PipelineRunOutcome = Pick<PipelineRun, 'status' | 'error' | 'refused' | 'summary'>;

/**
 * Closes a pipeline run. If it is closed already, its first outcome stays. An invalid record of an unfinished run is copied
 * below `_state/broken/` and replaced by a record that says so.
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
  ).catch((error: unknown) => replaceBrokenRecord(store, { id, kind }, outcome, error, now));
  try {
    await updateKindState(store, kind, (current) => removeActive(current, id, closed, now));
  } catch (error) {
    // The run is closed. Once somebody has repaired the state of the kind, the next dispatch removes the run from it.
    if (brokenKeyOf(error) === undefined) throw error;
  }
  return closed;
}

function removeActive(
  { unreadable, ...current }: KindState,
  id: string,
  closed: PipelineRun | undefined,
  now: number,
): KindState {
  const { status, error } = closed ?? {};
  const isPublished = status === 'done' && !closed?.summary?.left_to_newer;
  const isBroken = error?.code === 'broken_document';
  const latest = isBroken ? { run: id, at: now, message: error.message } : unreadable;
  const wasActive = current.active.includes(id);
  const isFull = wasActive && status === 'done' && closed?.kind === 'reevaluation' && !closed.window;
  const next = wasActive ? (status === 'done' ? undefined : latest) : unreadable;
  return {
    ...current,
    last_finished: isPublished ? Math.max(now, current.last_finished ?? 0) : current.last_finished,
    active: current.active.filter((active) => active !== id),
    windows: Object.fromEntries(Object.entries(current.windows).filter(([runId]) => runId !== id)),
    ...(isFull ? { last_full: closed.nominal ?? closed.created_at } : {}),
    ...(next ? { unreadable: next } : {}),
  };
}

/** @throws the error, if it is not an invalid record of a run that is listed as unfinished */
async function replaceBrokenRecord(
  store: ObjectStore,
  { id, kind }: Pick<PipelineRun, 'id' | 'kind'>,
  outcome: PipelineRunOutcome,
  error: unknown,
  now: number,
): Promise<PipelineRun | undefined> {
  const key = recordKey(id);
  if (brokenKeyOf(error) !== key) throw error;
  const { active, windows } = await readKindState(store, kind);
  if (!active.includes(id)) throw error;
  const etag = await keepBrokenDocument(store, key);
  const record: PipelineRun = {
    ...newRecord(kind, id, windows[id], now),
    ...outcome,
    status: outcome.status === 'cancelled' ? 'cancelled' : 'failed',
    error: outcome.error ?? unreadableError(id, error) ?? null,
    finished_at: now,
  };
  try {
    const condition = etag === undefined ? { ifNoneMatch: '*' as const } : { ifMatch: etag };
    await store.put(key, Buffer.from(canonicalJson(record)), condition);
    return record;
  } catch (conflict) {
    if (!(conflict instanceof PreconditionFailedError)) throw conflict;
    return ifReadable(readPipelineRun(store, id));
  }
}
