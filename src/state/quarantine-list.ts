import { z } from 'zod';
import { readDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

const KEY = '_state/quarantine.json';
const recordSchema = z.object({
  run_id: z.string().nullable(),
  reason: z.string(),
  pipeline_run_id: z.string(),
  /** ms of the first observation. */
  observed: z.int(),
  record: z.string(),
});
const schema = z.object({ version: z.literal(1), records: z.record(z.string(), recordSchema) });

export type QuarantinedRecord = z.infer<typeof recordSchema>;
/** The records in quarantine, by the SHA-256 of their content. */
export type QuarantineList = Readonly<Record<string, QuarantinedRecord>>;

export async function readQuarantineList(store: ObjectStore): Promise<QuarantineList> {
  return (await readDocument(store, KEY, schema))?.value.records ?? {};
}

/**
 * @param change may run several times
 * @returns the list that is now stored
 */
export async function updateQuarantineList(
  store: ObjectStore,
  change: (current: QuarantineList) => Promise<Record<string, QuarantinedRecord>>,
): Promise<QuarantineList> {
  const document = await updateDocument(store, KEY, schema, async (current) => ({
    version: 1 as const,
    records: await change(current?.records ?? {}),
  }));
  return document?.records ?? {};
}
