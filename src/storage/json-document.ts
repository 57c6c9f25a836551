import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { inSlices } from '../config/event-loop.js';
import { errorMessage } from '../domain/errors.js';
import { canonicalJsonSteps, parseJsonSteps } from '../domain/json-steps.js';
import { publish } from '../observability/diagnostics.js';
import { PreconditionFailedError, StoreError } from './errors.js';
import type { ObjectStore } from './object-store.js';
import { validateSteps } from './validate-steps.js';

export interface Document<T> {
  readonly value: T;
  readonly etag: string;
}

/**
 * Reads a JSON object and validates it against its schema.
 * @throws {StoreError} `broken_document`, not retryable, if it is invalid
 */
export async function readDocument<T>(
  store: ObjectStore,
  key: string,
  schema: z.ZodType<T>,
): Promise<Document<T> | undefined> {
  const stored = await store.get(key);
  if (!stored) return undefined;
  return { value: await parse(key, stored.body, schema), etag: stored.etag };
}

/** A store of which only documents are read, also while another process owns it. */
export interface DocumentReader {
  get(key: string): Promise<{ readonly body: Buffer } | undefined>;
}

/** As `readDocument`, from any store and without the ETag. */
export async function readValue<T>(
  store: DocumentReader,
  key: string,
  schema: z.ZodType<T>,
): Promise<T | undefined> {
  const stored = await store.get(key);
  return stored && parse(key, stored.body, schema);
}

interface CachedDocument {
  readonly etag: string;
  readonly document: Document<unknown>;
}
const caches = new WeakMap<ObjectStore, Map<string, CachedDocument>>();

/**
 * As `readDocument`, but an unchanged document is parsed once: all callers share its value, so they must not modify it. For
 * documents that are large and read often.
 */
export async function readCachedDocument<T>(
  store: ObjectStore,
  key: string,
  schema: z.ZodType<T>,
): Promise<Document<T> | undefined> {
  let cache = caches.get(store);
  if (!cache) {
    cache = new Map();
    caches.set(store, cache);
  }
  const cached = cache.get(key);
  if (cached && (await store.head(key))?.etag === cached.etag) return cached.document as Document<T>;
  const document = await readDocument(store, key, schema);
  if (document) cache.set(key, { etag: document.etag, document });
  else cache.delete(key);
  return document;
}

/**
 * @returns false if the document exists; it is not changed
 * @throws {StoreError} `broken_document` if the value does not match the schema
 */
export async function createDocument<T>(
  store: ObjectStore,
  key: string,
  schema: z.ZodType<T>,
  value: T,
): Promise<boolean> {
  const body = await inSlices(canonicalJsonSteps(value));
  await parse(key, body, schema);
  try {
    await store.put(key, body, { ifNoneMatch: '*' });
    return true;
  } catch (error) {
    if (error instanceof PreconditionFailedError) return false;
    throw error;
  }
}

export interface UpdateOptions<T> {
  readonly rounds?: number;
  /** Waits before the next round; `round` counts from 0. */
  readonly pause?: (round: number) => Promise<void>;
  /**
   * The documents as this caller stored them last, by key: saves the read of the first round. If another writer has changed one
   * since, the put fails and the document is read. `change` must not modify its argument, and must expect an older value.
   */
  readonly known?: Map<string, Document<T>>;
}

const FIRST_PAUSE_MS = 5;
const MAX_PAUSE_MS = 1_000;

/** Jitter keeps writers that lost the same race from colliding again. */
const jitteredPause = (round: number): Promise<void> =>
  sleep(Math.random() * Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** round));

/**
 * Changes a document by compare-and-swap: `change` gets the stored value and may run several times. If it returns an
 * equal value or `undefined`, nothing is written.
 * @returns the value that is now stored
 * @throws {StoreError} `document_contended`, retryable, if every round was lost. Other errors of the put are passed on; the
 * change may have been written then, so `change` must tolerate its own result on the next call.
 */
export async function updateDocument<T>(
  store: ObjectStore,
  key: string,
  schema: z.ZodType<T>,
  change: (current: T | undefined) => T | undefined | Promise<T | undefined>,
  { rounds = 20, pause = jitteredPause, known }: UpdateOptions<T> = {},
): Promise<T | undefined> {
  for (let round = 0; round < rounds; round++) {
    if (round > 0) await pause(round - 1);
    const stored = known?.get(key) ?? (await readDocument(store, key, schema));
    // Serialized first, because `change` may modify the value in place.
    const before = stored && (await inSlices(canonicalJsonSteps(stored.value)));
    const next = await change(stored?.value);
    if (next === undefined) return stored?.value;
    const body = await inSlices(canonicalJsonSteps(next));
    if (before?.equals(body)) return next;
    await parse(key, body, schema);
    try {
      const etag = await store.put(key, body, stored ? { ifMatch: stored.etag } : { ifNoneMatch: '*' });
      known?.set(key, { value: next, etag });
      return next;
    } catch (error) {
      known?.delete(key);
      if (!(error instanceof PreconditionFailedError)) throw error;
      publish({ type: 'store_conflict', object: 'state' });
    }
  }
  throw new StoreError(
    'document_contended',
    `Other writers changed ${key} in each of ${rounds} attempts`,
    { key, rounds },
    true,
  );
}

/** The key of the invalid document that caused an error; `undefined` for any other error. */
export function brokenKeyOf(error: unknown): string | undefined {
  if (!(error instanceof StoreError) || error.code !== 'broken_document') return undefined;
  return String(error.context.key);
}

/** `undefined` also for an invalid document, for readers that can do without it. */
export function ifReadable<T>(read: Promise<T | undefined>): Promise<T | undefined> {
  return read.catch((error: unknown) => {
    if (brokenKeyOf(error) === undefined) throw error;
    return undefined;
  });
}

/**
 * Copies a document below `_state/broken/`, where a person can look at it, before it is replaced.
 * @returns the ETag of the document that was copied; `undefined` if there is none
 */
export async function keepBrokenDocument(store: ObjectStore, key: string): Promise<string | undefined> {
  const stored = await store.get(key);
  if (!stored) return undefined;
  const digest = createHash('sha256').update(stored.body).digest('hex').slice(0, 8);
  const copy = key.replace(/^_state\//, '_state/broken/').replace(/(\.json)?$/, `-${digest}.json`);
  try {
    await store.put(copy, stored.body, { ifNoneMatch: '*' });
  } catch (error) {
    // The name contains the digest of the content: another process made the same copy.
    if (!(error instanceof PreconditionFailedError)) throw error;
  }
  return stored.etag;
}

/** Documents of a pipeline run: a run with an invalid one is closed. */
const RUN_DOCUMENT = /^_state\/runs\//;
const REMEDY =
  '. Restore it from a backup, or delete it: docs/storage.md#documents-that-cannot-be-read says what that costs';

/** Also called before a write, so that no invalid document is stored. */
async function parse<T>(key: string, body: Buffer, schema: z.ZodType<T>): Promise<T> {
  let reason: string;
  try {
    const value = await inSlices(parseJsonSteps(body));
    const result = await inSlices(validateSteps(schema, value));
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    reason = issue ? `${issue.path.join('.') || 'the document'}: ${issue.message}` : 'wrong shape';
  } catch (error) {
    reason = errorMessage(error);
  }
  const remedy = RUN_DOCUMENT.test(key) ? '' : REMEDY;
  throw new StoreError('broken_document', `The document ${key} is invalid: ${reason}${remedy}`, { key });
}
