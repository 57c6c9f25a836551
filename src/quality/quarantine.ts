import { z } from 'zod';
import { describeQuarantineReason } from '../domain/quarantine-reason.js';
import { addOpenMlflowRuns, readOpenMlflowRuns } from '../state/open-mlflow-runs.js';
import { readQuarantineList, readQuarantineOf } from '../state/quarantine-list.js';
import type { ObjectStore } from '../storage/object-store.js';

const entrySchema = z.object({
  record_digest: z.string(),
  run_id: z.string().nullable(),
  experiment_id: z.string().nullable(),
  /** The first observation. */
  first_observed: z.iso.datetime(),
  pipeline_run_id: z.string(),
  /** As in the dataset `quarantine`. */
  reason: z.string(),
  /** What the reason means, and what to do. */
  explanation: z.string(),
  /** The record as MLflow sent it, or its beginning. */
  record: z.string(),
});

export const quarantineSchema = z.object({
  records: z.array(entrySchema),
  /** How many records are in quarantine on the requested day, or on all days. */
  total: z.int(),
  /** The cursor of the next page; null on the last one. */
  next: z.string().nullable(),
});
export type QuarantinePage = z.infer<typeof quarantineSchema>;

/**
 * A page of the records in quarantine, of the newest days first.
 * @param after the digest of the last record of the page before
 */
export async function listQuarantine(
  store: ObjectStore,
  { day, limit, after }: { day?: string | undefined; limit: number; after?: string | undefined },
): Promise<QuarantinePage> {
  const list = Object.entries(await readQuarantineList(store))
    .filter(([, entry]) => day === undefined || entry.day === day)
    .sort(([a, x], [b, y]) => (x.day === y.day ? (a < b ? -1 : 1) : x.day < y.day ? 1 : -1));
  const start = after === undefined ? 0 : list.findIndex(([digest]) => digest === after) + 1;
  const page = list.slice(start, start + limit);
  const days = new Map<string, Awaited<ReturnType<typeof readQuarantineOf>>>();
  for (const [, entry] of page) {
    if (!days.has(entry.day)) days.set(entry.day, await readQuarantineOf(store, entry.day));
  }
  const records = page.flatMap(([record_digest, entry]) => {
    const found = days.get(entry.day)?.records[record_digest];
    if (!found) return [];
    const { run_id, observed, pipeline_run_id, reason, record } = found;
    return {
      record_digest,
      run_id,
      experiment_id: experimentOf(record),
      first_observed: new Date(observed).toISOString(),
      pipeline_run_id,
      reason,
      explanation: describeQuarantineReason(reason),
      record,
    };
  });
  const last = page.at(-1)?.[0];
  const isLast = start + limit >= list.length;
  return { records, total: list.length, next: isLast || last === undefined ? null : last };
}

/** The record may be cut, and then is no JSON. */
const experimentOf = (record: string): string | null =>
  /"experiment_id"\s*:\s*"([^"\\]{1,64})"/.exec(record)?.[1] ?? null;

export const replaySchema = z.strictObject({
  run_ids: z.array(z.string().min(1)).min(1).max(1_000).optional().meta({
    description: 'Only the records of these runs. Without it: all that are in quarantine.',
  }),
});

export interface Replay {
  /** MLflow runs that the next delta requests by their id. */
  readonly runs: number;
  /** Records that name no run or no experiment, so that they cannot be requested. */
  readonly skipped: number;
}

/**
 * Lets the next delta request the runs of records in quarantine from MLflow by id, once. Those that can be read then leave the
 * quarantine; the others stay.
 */
export async function replayQuarantine(
  store: ObjectStore,
  { run_ids }: z.infer<typeof replaySchema>,
): Promise<Replay> {
  const wanted = run_ids && new Set(run_ids);
  const list = await readQuarantineList(store);
  const days = new Set(Object.values(list).map(({ day }) => day));
  const runs = new Map<string, string>();
  let skipped = 0;
  for (const day of days) {
    const records = (await readQuarantineOf(store, day))?.records ?? {};
    for (const { run_id, record } of Object.values(records)) {
      if (wanted && !(run_id !== null && wanted.has(run_id))) continue;
      const experiment = experimentOf(record);
      if (run_id !== null && experiment !== null) runs.set(run_id, experiment);
      else skipped++;
    }
  }
  // Pipeline runs request these anyway.
  for (const { run_id } of await readOpenMlflowRuns(store)) runs.delete(run_id);
  const added = [...runs].map(([run_id, experiment_id]) => ({
    run_id,
    experiment_id,
    day: null,
    replayed: true,
  }));
  if (added.length > 0) await addOpenMlflowRuns(store, added);
  return { runs: added.length, skipped };
}
