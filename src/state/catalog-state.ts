import { z } from 'zod';
import { readDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

const KEY = '_state/catalog.json';
const schema = z.object({
  version: z.literal(1),
  /** When the catalog last answered all that was asked, ms; null: never. */
  last_success: z.int().nullable(),
  /** What went wrong since then. While it is there, days are judged by the stored rulebook. */
  last_error: z
    .object({
      at: z.int(),
      code: z.string(),
      message: z.string(),
      /** What the catalog answered over HTTP; null: nothing, or it is a file. */
      status: z.int().nullable().default(null),
    })
    .nullable(),
  /** Whether runs wait to be judged, as the catalog was never asked for some of their metrics or experiments. */
  awaited: z.boolean().default(false),
  /** Items of the last answer that cannot be used. */
  refused: z.int(),
});
export type CatalogState = z.infer<typeof schema>;
const NEVER: CatalogState = { version: 1, last_success: null, last_error: null, awaited: false, refused: 0 };

/** How it stands with the catalog, as the process that asked last saw it. */
export async function readCatalogState(store: ObjectStore): Promise<CatalogState> {
  return (await readDocument(store, KEY, schema))?.value ?? NEVER;
}

export async function writeCatalogState(
  store: ObjectStore,
  change: Partial<Omit<CatalogState, 'version'>>,
): Promise<void> {
  await updateDocument(store, KEY, schema, (current = NEVER) => ({ ...current, ...change }));
}
