import { z } from 'zod';
import { dayOf, dayStart, MS_PER_DAY, MS_PER_HOUR } from '../domain/time.js';
import { readDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { OpenMlflowRun } from './open-mlflow-runs.js';

/** MLflow runs that started longer ago and have not ended have probably died: they are fetched less often. */
export const NEVER_ENDED_AFTER_MS = 3 * MS_PER_DAY;
/** How often a delta fetches them. */
export const NEVER_ENDED_PERIOD_MS = MS_PER_HOUR;

const KEY = '_state/never-ended-runs.json';
const schema = z.object({ version: z.literal(1), asked_at: z.record(z.string(), z.int()) });

/** By experiment id: when its never-ended runs were last fetched, ms by the tracking server's clock. */
export type NeverEndedTimes = Readonly<Record<string, number>>;

export async function readNeverEndedTimes(store: ObjectStore): Promise<NeverEndedTimes> {
  return (await readDocument(store, KEY, schema))?.value.asked_at ?? {};
}

/** Records that MLflow has returned the never-ended runs of these experiments. */
export async function markNeverEndedFetched(
  store: ObjectStore,
  experimentIds: readonly string[],
  at: number,
): Promise<void> {
  if (experimentIds.length === 0) return;
  await updateDocument(store, KEY, schema, (current) => {
    const asked_at = { ...(current?.asked_at ?? {}) };
    for (const id of experimentIds) asked_at[id] = Math.max(asked_at[id] ?? at, at);
    return { version: 1 as const, asked_at };
  });
}

/** @param at the end of a plan, ms @returns whether the run counts as never ended then */
export function isNeverEnded(
  { day, undecided }: Pick<OpenMlflowRun, 'day' | 'undecided'>,
  at: number,
): boolean {
  return !undecided && day !== null && day < dayOf(at - NEVER_ENDED_AFTER_MS);
}

export interface NeverEndedRun {
  readonly run_id: string;
  readonly experiment_id: string;
  readonly day: string;
  /** Whole days since the day of its start. */
  readonly age_days: number;
}

/** The open runs that have not ended for longer than `NEVER_ENDED_AFTER_MS`, oldest first. */
export function neverEndedRuns(open: readonly OpenMlflowRun[], now: number): NeverEndedRun[] {
  return open
    .flatMap((run) => {
      const { run_id, experiment_id, day } = run;
      if (day === null || !isNeverEnded(run, now)) return [];
      return [{ run_id, experiment_id, day, age_days: Math.floor((now - dayStart(day)) / MS_PER_DAY) }];
    })
    .sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : a.run_id < b.run_id ? -1 : 1));
}
