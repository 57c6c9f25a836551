import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { readDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

/** An MLflow run that may still change; `token` tells this entry from a later one of the same run. */
export const openMlflowRunSchema = z.object({
  run_id: z.string(),
  experiment_id: z.string(),
  /** `YYYY-MM-DD`, UTC; null: the run has no time yet. */
  day: z.iso.date().nullable(),
  token: z.string(),
});
export type OpenMlflowRun = z.infer<typeof openMlflowRunSchema>;

const KEY = '_state/open-runs.json';
const schema = z.object({
  version: z.literal(1),
  runs: z.record(
    z.string(),
    z.object({ experiment_id: z.string(), day: z.iso.date().nullable(), token: z.string() }),
  ),
});

/** The runs that every pipeline run asks for by name until they have ended: all that may still change outside the windows. */
export async function readOpenMlflowRuns(store: ObjectStore): Promise<OpenMlflowRun[]> {
  const runs = (await readDocument(store, KEY, schema))?.value.runs ?? {};
  return Object.entries(runs).map(([run_id, entry]) => ({ run_id, ...entry }));
}

/** Enters runs, or renews their entries: who asked for an older entry can no longer take it out. */
export async function addOpenMlflowRuns(
  store: ObjectStore,
  entered: readonly { run_id: string; experiment_id: string; day: string | null }[],
): Promise<void> {
  await updateDocument(store, KEY, schema, (current) => {
    const runs = { ...(current?.runs ?? {}) };
    for (const { run_id, experiment_id, day } of entered) {
      runs[run_id] = { experiment_id, day, token: randomUUID() };
    }
    return { version: 1 as const, runs };
  });
}

/** Takes out the runs that were read as ended, where the entry is still the one that was asked. */
export async function removeOpenMlflowRuns(
  store: ObjectStore,
  asked: readonly OpenMlflowRun[],
  closed: ReadonlySet<string>,
): Promise<void> {
  const leaving = asked.filter(({ run_id }) => closed.has(run_id));
  if (leaving.length === 0) return;
  await updateDocument(store, KEY, schema, (current) => {
    const runs = { ...(current?.runs ?? {}) };
    for (const { run_id, token } of leaving) if (runs[run_id]?.token === token) delete runs[run_id];
    return { version: 1 as const, runs };
  });
}
