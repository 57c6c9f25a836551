import { z } from 'zod';
import { MS_PER_HOUR } from '../domain/time.js';
import { readDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

/** How often the MLflow runs that ended last are requested again. docs/data.md names it. */
export const ENDED_RUNS_PERIOD_MS = MS_PER_HOUR;

const KEY = '_state/ended-runs.json';
const schema = z.object({
  version: z.literal(1),
  /** When they were last requested, ms by the tracking server's clock. */
  asked_at: z.int(),
  /** The runs that ended since then were requested, ms; null if no run had ended. */
  since: z.int().nullable(),
});
export type EndedRunsState = Omit<z.infer<typeof schema>, 'version'>;

/** When the runs that ended last were requested again; `undefined` if they never were. */
export async function readEndedRunsState(store: ObjectStore): Promise<EndedRunsState | undefined> {
  return (await readDocument(store, KEY, schema))?.value;
}

/** Records that the runs that ended last were requested. */
export async function markEndedRunsAsked(store: ObjectStore, asked: EndedRunsState): Promise<void> {
  await updateDocument(store, KEY, schema, () => ({ version: 1 as const, ...asked }));
}
