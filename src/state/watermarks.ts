import { z } from 'zod';
import { readDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

export const WATERMARKS_KEY = '_state/watermark.json';
export const watermarksSchema = z.object({
  version: z.literal(1),
  experiments: z.record(z.string(), z.int()),
});

/** By experiment id: everything that MLflow stored of it before this time (ms) is published. */
export type Watermarks = Readonly<Record<string, number>>;

export async function readWatermarks(store: ObjectStore): Promise<Watermarks> {
  return (await readDocument(store, WATERMARKS_KEY, watermarksSchema))?.value.experiments ?? {};
}

/** Sets back watermarks that are later than these limits, ms by experiment id. @returns the watermarks that are now stored */
export async function limitWatermarks(
  store: ObjectStore,
  limits: Readonly<Record<string, number>>,
): Promise<Watermarks> {
  let limited: Record<string, number> = {};
  await updateWatermarks(store, (current) => {
    limited = { ...current };
    for (const [id, limit] of Object.entries(limits)) {
      const old = current[id];
      if (old !== undefined) limited[id] = Math.min(old, limit);
    }
    return limited;
  });
  return limited;
}

/** @param change may run several times. @returns the watermarks that are now stored */
export async function updateWatermarks(
  store: ObjectStore,
  change: (current: Watermarks) => Record<string, number>,
): Promise<Watermarks> {
  const stored = await updateDocument(store, WATERMARKS_KEY, watermarksSchema, (current) => ({
    version: 1 as const,
    experiments: change(current?.experiments ?? {}),
  }));
  return stored?.experiments ?? {};
}
