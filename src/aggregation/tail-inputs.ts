import { createHash } from 'node:crypto';
import { namedInputs, type Versions } from '../state/versions.js';
import type { DuckSession } from '../storage/duck.js';
import { readFooter } from '../storage/footer.js';
import { dayOfKey } from '../storage/keys.js';
import { indexOf } from '../storage/object-index.js';
import type { ObjectEntry, ObjectStore } from '../storage/object-store.js';
import { fetchExactly, type Look, lookAt } from '../storage/publish.js';

/** Raised when the content of `_tails` changes for the same inputs: objects of another layout are written again. */
const LAYOUT = 1;

/**
 * What `_tails` and `metric_forecast` of a part of a day name as their inputs.
 * @param before digests of the tails that they continue
 * @param enriched the inputs that the `enriched_metrics` of the part names
 */
export function namedTails(versions: Versions, before: readonly string[], enriched: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify({ layout: LAYOUT, before }))
    .digest('hex');
  return namedInputs(versions, `${digest} ${enriched}`);
}

/** Whether tails were made from the `enriched_metrics` that names these inputs. */
export const areOf = (tails: string, enriched: string): boolean => tails.endsWith(` ${enriched}`);

/**
 * The digest of what a following day goes on from, from the index or else from the object.
 * @param fetch a local file with exactly this version
 * @throws {PreconditionFailedError} the object was replaced meanwhile
 */
export async function tailDigest(
  store: ObjectStore,
  session: DuckSession,
  entry: ObjectEntry,
  fetch: (entry: ObjectEntry) => Promise<string> = (each) => fetchExactly(store, each),
): Promise<string> {
  const index = indexOf(store);
  const known = index.find(entry)?.tail;
  if (known !== undefined) return known;
  const file = await fetch(entry);
  const tail = (await readFooter(session, file, 'tail')) ?? '';
  index.learn(entry, { inputs: (await readFooter(session, file, 'inputs')) ?? '', tail });
  return tail;
}

/**
 * Looks at `_tails` of other days than these, which are listed a month at a time and only as far back as somebody asks. They
 * are inputs only: an entry may be older than what is read later, never newer.
 * @param look how to look at everything else
 */
export function lookFurther(store: ObjectStore, days: readonly string[], look: Look = lookAt(store)): Look {
  const own = new Set(days);
  const months = new Map<string, Promise<ReadonlyMap<string, ObjectEntry>>>();
  const list = async (prefix: string): Promise<ReadonlyMap<string, ObjectEntry>> => {
    const entries = new Map<string, ObjectEntry>();
    for await (const entry of store.list(prefix)) entries.set(entry.key, entry);
    await indexOf(store).load([...entries.values()]);
    return entries;
  };
  return async (key) => {
    if (!key.startsWith(TAILS) || own.has(dayOfKey(key) ?? '')) return look(key);
    const month = key.slice(0, MONTH_LENGTH);
    const listed = months.get(month) ?? list(month);
    months.set(month, listed);
    return (await listed).get(key);
  };
}

const TAILS = '_tails/';
const MONTH_LENGTH = `${TAILS}YYYY/MM/`.length;
