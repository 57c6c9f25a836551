import { randomUUID } from 'node:crypto';
import { PreconditionFailedError, StoreError } from './errors.js';
import type { ObjectStore, PutCondition } from './object-store.js';

const WRITERS = 8;
/** Statuses of stores that do not know a header. */
const UNKNOWN_HEADER = new Set<unknown>([400, 501]);

/**
 * Checks that exactly one of several concurrent writers wins, on a scratch object below `_probe/` that it deletes again.
 * @returns what is wrong with the store's conditional writes; `undefined` if they work
 * @throws {StoreError} if the store is unreachable or denies access
 */
export async function probeConditionalWrites(store: ObjectStore): Promise<string | undefined> {
  const key = `_probe/${randomUUID()}`;
  let isSilent = false;
  try {
    const created = await race(store, key, { ifNoneMatch: '*' });
    const [first] = created;
    if (created.length !== 1 || first === undefined) {
      return `${created.length} of ${WRITERS} puts with If-None-Match succeeded; expected 1`;
    }
    const replaced = await race(store, key, { ifMatch: first });
    if (replaced.length !== 1) {
      return `${replaced.length} of ${WRITERS} puts with If-Match succeeded; expected 1`;
    }
    return undefined;
  } catch (error) {
    // With an advice, the cause is another one, such as a wrong region.
    if (error instanceof StoreError && UNKNOWN_HEADER.has(error.context.status) && !error.advice)
      return error.message;
    isSilent = error instanceof StoreError && error.code === 'store_unreachable';
    throw error;
  } finally {
    // The delete would wait as long again.
    if (!isSilent) await store.delete(key).catch(() => undefined);
  }
}

/** @returns the ETags of the puts that succeeded */
async function race(store: ObjectStore, key: string, condition: PutCondition): Promise<string[]> {
  const puts = Array.from({ length: WRITERS }, () => store.put(key, Buffer.from(randomUUID()), condition));
  const results = await Promise.allSettled(puts);
  return results.flatMap((result) => {
    if (result.status === 'fulfilled') return [result.value];
    if (result.reason instanceof PreconditionFailedError) return [];
    throw result.reason;
  });
}
