import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { canonicalJson } from '../domain/canonical-json.js';
import { errorMessage } from '../domain/errors.js';
import { publish } from '../observability/diagnostics.js';
import { PreconditionFailedError, StoreError } from './errors.js';
import type { ObjectStore } from './object-store.js';

export interface Document<T> {
  readonly value: T;
  readonly etag: string;
}

/**
 * A JSON object of the store, read through its schema.
 * @throws {StoreError} `broken_document`, not retryable, when it is no JSON or not of this shape
 */
export async function readDocument<T>(
  store: ObjectStore,
  key: string,
  schema: z.ZodType<T>,
): Promise<Document<T> | undefined> {
  const stored = await store.get(key);
  if (!stored) return undefined;
  return { value: parse(key, stored.body, schema), etag: stored.etag };
}

/**
 * @returns false when there is one already; it is left as it is
 * @throws {StoreError} `broken_document` when the value would not be read back
 */
export async function createDocument<T>(
  store: ObjectStore,
  key: string,
  schema: z.ZodType<T>,
  value: T,
): Promise<boolean> {
  const body = Buffer.from(canonicalJson(value));
  parse(key, body, schema);
  try {
    await store.put(key, body, { ifNoneMatch: '*' });
    return true;
  } catch (error) {
    if (error instanceof PreconditionFailedError) return false;
    throw error;
  }
}

export interface UpdateOptions {
  readonly rounds?: number;
  /** Waits before the next try; `round` counts from 0. */
  readonly pause?: (round: number) => Promise<void>;
}

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 1_000;

/** Writers that lost the same race must not meet again at once. */
const jitteredPause = (round: number): Promise<void> =>
  sleep(Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** round));

/**
 * Changes a document by compare-and-swap: `change` gets the stored value and may run several times. A change to an
 * equal value, or to undefined, writes nothing.
 * @returns the value that is now stored
 * @throws {StoreError} `document_contended`, retryable, when every round was lost. Any other error of the put is thrown
 * as it is; the change may then have been written, so a caller that tries again must be able to meet its own change.
 */
export async function updateDocument<T>(
  store: ObjectStore,
  key: string,
  schema: z.ZodType<T>,
  change: (current: T | undefined) => T | undefined | Promise<T | undefined>,
  { rounds = 20, pause = jitteredPause }: UpdateOptions = {},
): Promise<T | undefined> {
  for (let round = 0; round < rounds; round++) {
    if (round > 0) await pause(round - 1);
    const stored = await readDocument(store, key, schema);
    // Taken before the change, which may work on the value in place.
    const before = stored && canonicalJson(stored.value);
    const next = await change(stored?.value);
    if (next === undefined) return stored?.value;
    const after = canonicalJson(next);
    if (after === before) return next;
    const body = Buffer.from(after);
    parse(key, body, schema);
    try {
      await store.put(key, body, stored ? { ifMatch: stored.etag } : { ifNoneMatch: '*' });
      return next;
    } catch (error) {
      if (!(error instanceof PreconditionFailedError)) throw error;
      publish({ type: 'store_conflict', object: 'state' });
    }
  }
  throw new StoreError(
    'document_contended',
    `${key} was changed by others in each of ${rounds} attempts`,
    { key, rounds },
    true,
  );
}

/** Also asked before a write, so that no document is stored that the next reader must refuse. */
function parse<T>(key: string, body: Buffer, schema: z.ZodType<T>): T {
  let reason: string;
  try {
    const result = schema.safeParse(JSON.parse(body.toString('utf8')));
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    reason = issue ? `${issue.path.join('.') || 'the document'}: ${issue.message}` : 'wrong shape';
  } catch (error) {
    reason = errorMessage(error);
  }
  throw new StoreError('broken_document', `The document ${key} cannot be read: ${reason}`, { key });
}
