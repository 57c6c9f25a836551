import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { readDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

/** An MLflow run that may still change. `token` distinguishes this entry from a later one of the same run. */
export const openMlflowRunSchema = z.object({
  run_id: z.string(),
  experiment_id: z.string(),
  /** `YYYY-MM-DD`, UTC; null if the run has no time yet. */
  day: z.iso.date().nullable(),
  token: z.string(),
  /** Whether a later response must decide what is stored: it is fetched by every pipeline run, whatever its age. */
  undecided: z.boolean().optional(),
  /** It is in quarantine and fetched once more on request: it leaves the list also if it still cannot be read. */
  replayed: z.boolean().optional(),
});
export type OpenMlflowRun = z.infer<typeof openMlflowRunSchema>;

const KEY = '_state/open-runs.json';
const schema = z.object({
  version: z.literal(1),
  runs: z.record(z.string(), openMlflowRunSchema.omit({ run_id: true })),
});

/** The MLflow runs that pipeline runs fetch by id until they have ended: all that may change outside their windows. */
export async function readOpenMlflowRuns(store: ObjectStore): Promise<OpenMlflowRun[]> {
  const runs = (await readDocument(store, KEY, schema))?.value.runs ?? {};
  return Object.entries(runs).map(([run_id, entry]) => ({ run_id, ...entry }));
}

/** Adds MLflow runs, or renews their entries: a pipeline run that fetched an older entry can no longer remove it. */
export async function addOpenMlflowRuns(
  store: ObjectStore,
  added: readonly Omit<OpenMlflowRun, 'token'>[],
): Promise<void> {
  await updateDocument(store, KEY, schema, (current) => {
    const runs = { ...(current?.runs ?? {}) };
    for (const { run_id, ...entry } of added) runs[run_id] = { ...entry, token: randomUUID() };
    return { version: 1 as const, runs };
  });
}

/**
 * Removes MLflow runs that have ended, if their entries were not renewed since.
 * @param fetched the entries that the pipeline run fetched
 * @param closed the ids of those that have ended
 */
export async function removeOpenMlflowRuns(
  store: ObjectStore,
  fetched: readonly OpenMlflowRun[],
  closed: ReadonlySet<string>,
): Promise<void> {
  const ended = fetched.filter(({ run_id }) => closed.has(run_id));
  if (ended.length === 0) return;
  await updateDocument(store, KEY, schema, (current) => {
    const runs = { ...(current?.runs ?? {}) };
    for (const { run_id, token } of ended) if (runs[run_id]?.token === token) delete runs[run_id];
    return { version: 1 as const, runs };
  });
}
