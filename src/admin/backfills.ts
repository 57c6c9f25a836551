import { z } from 'zod';
import { MonitorError } from '../domain/errors.js';
import type { Window } from '../domain/model.js';
import { dayOf, dayStart, daysOf, MS_PER_DAY } from '../domain/time.js';
import { readFirstKept } from '../pipeline/clear-finished-runs.js';
import type { Engine } from '../pipeline/engine.js';
import { Markers } from '../pipeline/markers.js';
import { createPipelineRun, type PipelineRun, viewPipelineRun } from '../pipeline/pipeline-run.js';
import { finishedDays } from '../pipeline/slice-progress.js';
import type { Plan } from '../pipeline/stage-contracts.js';
import { readKindState } from '../state/kind-state.js';
import { ifReadable } from '../storage/json-document.js';
import { KeyedMutex } from '../storage/keyed-mutex.js';
import type { ObjectStore } from '../storage/object-store.js';

/** The longest window of one backfill. */
export const MAX_BACKFILL_DAYS = 3_650;

const day = z.iso.date('a day such as 2026-03-31').meta({ description: 'A UTC day.', example: '2026-03-31' });
/** The first and the last day, both inclusive. */
export const backfillRequestSchema = z.strictObject({ from: day, to: day });
export type BackfillRequest = z.infer<typeof backfillRequestSchema>;

export const backfillSchema = z.object({
  id: z.string(),
  /** The first and the last day, both inclusive. */
  from: z.iso.date(),
  to: z.iso.date(),
  status: z.enum(['active', 'done', 'failed', 'cancelled']),
  /** The backfill that runs now, if it is another one. */
  waits_for: z.string().nullable(),
  created_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
  error: z.object({ slice: z.string(), stage: z.string(), code: z.string(), message: z.string() }).nullable(),
  /** Experiments that could not be read, such as those to which the tracking server denied access. */
  refused: z.array(z.object({ experiment_id: z.string(), message: z.string() })),
  progress: z.object({ days_done: z.int(), days_all: z.int() }),
});
export type Backfill = z.infer<typeof backfillSchema>;

export const backfillDetailSchema = backfillSchema.extend({
  days: z.array(z.object({ day: z.iso.date(), done: z.boolean() })),
});
export type BackfillDetail = z.infer<typeof backfillDetailSchema>;

/** @throws {MonitorError} `backfill_window` */
export const backfillWindow = (days: BackfillRequest, now: number): Window =>
  wholeDays(days, now, 'backfill_window');

/**
 * The window of a request: whole UTC days.
 * @throws {MonitorError} with this code
 */
export function wholeDays({ from, to }: BackfillRequest, now: number, code: string): Window {
  const invalid = (message: string) => new MonitorError(code, message, { from, to });
  const window = { from: dayStart(from), to: dayStart(to) + MS_PER_DAY };
  if (from > to) throw invalid(`The first day ${from} is after the last day ${to}.`);
  if (to > dayOf(now)) throw invalid(`${to} is in the future: today is ${dayOf(now)} (UTC).`);
  const days = (window.to - window.from) / MS_PER_DAY;
  if (days > MAX_BACKFILL_DAYS)
    throw invalid(`${days} days are more than the maximum of ${MAX_BACKFILL_DAYS} days.`);
  return window;
}

const mutex = new KeyedMutex();

/**
 * Stores a backfill, which the next dispatch of the engine starts. If an unfinished backfill covers the same days, nothing
 * is stored, so that a client can repeat a request whose response was lost.
 * @returns the id of the new or the existing backfill
 */
export function requestBackfill(store: ObjectStore, window: Window, now: number): Promise<string> {
  return mutex.run('request', async () => {
    const { active, windows } = await readKindState(store, 'backfill');
    const same = active.find((id) => windows[id]?.from === window.from && windows[id]?.to === window.to);
    const id = same ?? (await createPipelineRun(store, 'backfill', { scheduledAt: null, window, now }));
    if (id === undefined) throw new MonitorError('no_backfill', 'The backfill was not created', {}, true);
    return id;
  });
}

/**
 * A backfill as the REST API shows it.
 * @param plan `undefined` until the stage `plan` is done
 * @param done names of the finished stages
 * @param current id of the backfill at the head of the queue
 */
export function backfillDetail(
  record: PipelineRun,
  plan: Plan | undefined,
  done: ReadonlySet<string>,
  current: string | undefined,
): BackfillDetail {
  const all = record.window ? daysOf(record.window) : [];
  const finished = new Set(
    record.status === 'done' ? all : plan ? finishedDays(record.kind, plan, done) : [],
  );
  const days = all.map((each) => ({ day: each, done: finished.has(each) }));
  const iso = (ms: number) => new Date(ms).toISOString();
  return {
    id: record.id,
    from: all.at(0) ?? '',
    to: all.at(-1) ?? '',
    status: record.status,
    waits_for: record.status === 'active' && current !== record.id ? (current ?? null) : null,
    created_at: iso(record.created_at),
    finished_at: record.finished_at === null ? null : iso(record.finished_at),
    error: record.error,
    refused: record.refused,
    progress: { days_done: days.filter(({ done }) => done).length, days_all: days.length },
    days,
  };
}

const BACKFILL_ID = /^backfill-[1-9]\d{0,8}$/;

/** @throws {MonitorError} `unknown_backfill` */
export async function readBackfill(store: ObjectStore, id: string): Promise<BackfillDetail> {
  const state = await readKindState(store, 'backfill');
  const record = BACKFILL_ID.test(id) ? await viewPipelineRun(store, 'backfill', id, state) : undefined;
  if (!record) throw new MonitorError('unknown_backfill', `There is no backfill ${JSON.stringify(id)}.`);
  return withProgress(store, record, state.active[0]);
}

async function withProgress(
  store: ObjectStore,
  record: PipelineRun,
  current: string | undefined,
): Promise<BackfillDetail> {
  const markers = new Markers(store, record.id);
  // With an invalid plan the progress is unknown; the next dispatch closes the backfill.
  const plan = await ifReadable(markers.plan());
  return backfillDetail(record, plan, await markers.done(), current);
}

/** The newest backfills, newest first. */
export async function listBackfills(store: ObjectStore, limit: number): Promise<Backfill[]> {
  const state = await readKindState(store, 'backfill');
  const first = (await ifReadable(readFirstKept(store, 'backfill')))?.record ?? 1;
  const backfills: Backfill[] = [];
  for (let number = state.sequence; number >= first && backfills.length < limit; number--) {
    // The kind's state is written before the record, so the newest one may have no record yet.
    const record = await viewPipelineRun(store, 'backfill', `backfill-${number}`, state);
    if (!record) continue;
    const { days: _, ...backfill } = await withProgress(store, record, state.active[0]);
    backfills.push(backfill);
  }
  return backfills;
}

/**
 * Cancels a backfill. Finished days stay as they are. Idempotent.
 * @throws {MonitorError} `unknown_backfill`, `backfill_finished`
 */
export async function cancelBackfill(
  engine: Engine,
  store: ObjectStore,
  id: string,
): Promise<BackfillDetail> {
  const { status } = await readBackfill(store, id);
  const record = status === 'active' ? await engine.cancel({ kind: 'backfill', id }) : undefined;
  if ((record?.status ?? status) === 'cancelled') return readBackfill(store, id);
  throw new MonitorError('backfill_finished', `${id} is already ${record?.status ?? status}.`);
}
