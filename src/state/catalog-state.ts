import { z } from 'zod';
import {
  brokenKeyOf,
  ifReadable,
  keepBrokenDocument,
  readDocument,
  updateDocument,
} from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

const KEY = '_state/catalog.json';
const schema = z.object({
  version: z.literal(1),
  /** The last complete response of the catalog, ms; null if there was none. */
  last_success: z.int().nullable(),
  /** The last error since then. While it is set, days are judged by the stored rulebook. */
  last_error: z
    .object({
      at: z.int(),
      code: z.string(),
      message: z.string(),
      /** The HTTP status; null without a response, or if the catalog is a file. */
      status: z.int().nullable().default(null),
    })
    .nullable(),
  /** Whether runs are not judged yet because the catalog was never queried for some of their metrics or experiments. */
  awaited: z.boolean().default(false),
  /** Rows of the last response that cannot be used. */
  refused: z.int(),
});
export type CatalogState = z.infer<typeof schema>;
const INITIAL: CatalogState = {
  version: 1,
  last_success: null,
  last_error: null,
  awaited: false,
  refused: 0,
};

/** As seen by the last process that queried the catalog. An invalid document says nothing: the next query replaces it. */
export async function readCatalogState(store: ObjectStore): Promise<CatalogState> {
  return (await ifReadable(readDocument(store, KEY, schema)))?.value ?? INITIAL;
}

export async function writeCatalogState(
  store: ObjectStore,
  change: Partial<Omit<CatalogState, 'version'>>,
): Promise<void> {
  const update = () => updateDocument(store, KEY, schema, (current = INITIAL) => ({ ...current, ...change }));
  try {
    await update();
  } catch (error) {
    if (brokenKeyOf(error) === undefined) throw error;
    await keepBrokenDocument(store, KEY);
    await store.delete(KEY);
    await update();
  }
}
