import { z } from 'zod';
import { type FirstDays, laterOf } from '../domain/retention.js';
import { readCachedDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

export const RETENTION_KEY = '_state/retention.json';
/** The first day of each dataset. It is stored before anything earlier is deleted, and nothing earlier is published again. */
export const retentionSchema = z.object({
  version: z.literal(1),
  first_days: z.record(z.string(), z.iso.date()),
});

export async function readFirstDays(store: ObjectStore): Promise<FirstDays> {
  return (await readCachedDocument(store, RETENTION_KEY, retentionSchema))?.value.first_days ?? {};
}

/** Moves first days forward; an earlier one changes nothing. @returns those that are now stored */
export async function advanceFirstDays(store: ObjectStore, wanted: FirstDays): Promise<FirstDays> {
  const stored = await updateDocument(store, RETENTION_KEY, retentionSchema, (current) => {
    const first_days = laterOf(current?.first_days ?? {}, wanted);
    return current || Object.keys(first_days).length > 0 ? { version: 1 as const, first_days } : undefined;
  });
  return stored?.first_days ?? {};
}
