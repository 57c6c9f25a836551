import { type DuckSession, sql } from '../storage/duck.js';
import { readFooter } from '../storage/footer.js';
import type { DayPairs } from '../storage/index-document.js';
import { type IndexedObject, indexOf } from '../storage/object-index.js';
import type { ObjectStore } from '../storage/object-store.js';

/** What must be known of a base object to decide whether its day is judged by the current rules. */
export interface BaseFacts {
  /** Digest of the facts; `undefined` if the object names none. */
  readonly content: string | undefined;
  /** The experiments of its active runs and their metrics. */
  readonly pairs: DayPairs;
}

/**
 * From the index, or else from the object.
 * @param fetch returns a local file with exactly this version of the object
 */
export async function readBaseFacts(
  store: ObjectStore,
  session: DuckSession,
  base: IndexedObject,
  fetch: () => Promise<string>,
): Promise<BaseFacts> {
  const index = indexOf(store);
  const known = index.find(base)?.base;
  if (known) return known;
  const file = await fetch();
  const content = await readFooter(session, file, 'content');
  const pairs = groupPairs(
    await session.columns(sql(import.meta.url, './sql/day_pairs.sql'), { base: file }),
  );
  if (content !== undefined) index.learn(base, { base: { content, pairs } });
  return { content, pairs };
}

/** @param columns result of day_pairs.sql: of each experiment its metrics and then a null, each text with a prefix */
function groupPairs({
  experiment_id: ids = [],
  metric_name: names = [],
}: Readonly<Record<string, readonly unknown[]>>): DayPairs {
  const pairs: [string, string[]][] = [];
  let metrics: string[] = [];
  for (const [i, id] of ids.entries()) {
    const name = names[i];
    if (typeof name === 'string') {
      metrics.push(name.slice(1));
    } else {
      pairs.push([String(id).slice(1), metrics]);
      metrics = [];
    }
  }
  return pairs;
}
