import { z } from 'zod';
import { type DocumentReader, readValue, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

const KEY = '_state/run-times.json';
const schema = z.object({ version: z.literal(1), times: z.record(z.string(), z.int()) });

/** The chosen time (ms) of each MLflow run without a start time, by run id. */
export type RunTimes = Readonly<Record<string, number>>;

/**
 * Adds the times of MLflow runs that have none yet. A stored time never changes: an updated run must not move to another
 * day.
 * @returns all stored times
 */
export async function addRunTimes(store: ObjectStore, candidates: RunTimes): Promise<RunTimes> {
  const document = await updateDocument(store, KEY, schema, (current) => {
    const times = current?.times ?? {};
    const added = Object.entries(candidates).filter(([runId]) => times[runId] === undefined);
    if (added.length === 0) return current;
    return { version: 1 as const, times: { ...times, ...Object.fromEntries(added) } };
  });
  return document?.times ?? {};
}

/** The stored times. */
export const readRunTimes = async (store: DocumentReader): Promise<RunTimes> =>
  (await readValue(store, KEY, schema))?.times ?? {};
