import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { createDocument, readDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

const KEY = '_state/store.json';
const schema = z.object({ version: z.literal(1), id: z.string().regex(/^[a-z0-9]{1,64}$/) });

/**
 * A random id of the store, created once. Unlike its path it stays when a folder or a bucket is moved. A copy of the store has
 * the same id.
 */
export async function ensureStoreIdentity(store: ObjectStore): Promise<string> {
  const created = { version: 1 as const, id: randomBytes(6).toString('hex') };
  if (await createDocument(store, KEY, schema, created)) return created.id;
  return (await readDocument(store, KEY, schema))?.value.id ?? created.id;
}

/** @returns `undefined` if the store has none yet, or if it is invalid */
export async function readStoreIdentity(store: {
  get(key: string): Promise<{ readonly body: Buffer } | undefined>;
}): Promise<string | undefined> {
  const stored = await store.get(KEY);
  try {
    return stored && schema.parse(JSON.parse(stored.body.toString('utf8'))).id;
  } catch {
    return undefined;
  }
}
