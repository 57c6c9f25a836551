import { createHash } from 'node:crypto';
import type { StoredExperiment } from '../state/experiments.js';
import { type DuckSession, sql } from '../storage/duck.js';
import { readFooter } from '../storage/footer.js';
import type { DayPairs, RunGroup } from '../storage/index-document.js';
import { baseKey } from '../storage/keys.js';
import { type IndexedObject, indexOf } from '../storage/object-index.js';
import type { ObjectEntry, ObjectStore } from '../storage/object-store.js';
import { type DayPart, partOf } from '../storage/parts.js';
import type { Look } from '../storage/publish.js';
import { applicationOf } from './application-of.js';

/** What must be known of the facts of a part to decide whether it is judged by the current rules. */
export interface PartFacts<Base> {
  /** Digest of the facts; `undefined` if a base object names none. */
  readonly content: string | undefined;
  /** The experiments of its active runs and their metrics. */
  readonly pairs: DayPairs;
  /** The base objects with its runs. */
  readonly bases: readonly Base[];
}

/** The base objects of a day, in the order of their parts. */
export async function lookAtBases(look: Look, day: string, files: number): Promise<ObjectEntry[]> {
  const bases: ObjectEntry[] = [];
  for (let part = 0; part < files; part++) {
    const base = await look(baseKey(day, part));
    if (base) bases.push(base);
  }
  return bases;
}

/** Returns a local file with exactly this version of an object. */
type Fetch<Base> = (base: Base) => Promise<string>;

/**
 * The facts of a part, from the index, or else from the base objects. If the day has several parts, a part depends on the
 * runs of its applications only: others may change without it.
 * @param bases of the day, at least one
 * @param applicationTag the tag that names the application
 */
export async function readPartFacts<Base extends IndexedObject>(
  store: ObjectStore,
  session: DuckSession,
  bases: readonly Base[],
  fetch: Fetch<Base>,
  { part, files }: DayPart,
  applicationTag: string,
  experiments: Readonly<Record<string, StoredExperiment>>,
): Promise<PartFacts<Base>> {
  const [only] = bases;
  if (files === 1 && only) return { ...(await readBaseFacts(store, session, only, fetch)), bases };
  const own: (readonly [base: Base, group: RunGroup])[] = [];
  for (const base of bases) {
    for (const group of await readGroups(store, session, base, fetch, applicationTag)) {
      const application =
        group.value ?? applicationOf(group.experiment_id, experiments[group.experiment_id], applicationTag);
      if (partOf(application, files) === part) own.push([base, group]);
    }
  }
  const content = own.map(([{ key }, group]) => [key, group.experiment_id, group.value, group.content]);
  return {
    content: createHash('sha256').update(JSON.stringify(content)).digest('hex'),
    pairs: mergePairs(own.map(([, { experiment_id, names }]) => [experiment_id, names])),
    bases: bases.filter((base) => own.some(([each]) => each === base)),
  };
}

/** The experiments and metrics of all active runs of a day. */
export async function readDayPairs<Base extends IndexedObject>(
  store: ObjectStore,
  session: DuckSession,
  bases: readonly Base[],
  fetch: Fetch<Base>,
  files: number,
  applicationTag: string,
): Promise<DayPairs> {
  const [only] = bases;
  if (files === 1 && only) return (await readBaseFacts(store, session, only, fetch)).pairs;
  const pairs: [string, readonly string[]][] = [];
  for (const base of bases) {
    const groups = await readGroups(store, session, base, fetch, applicationTag);
    for (const { experiment_id, names } of groups) pairs.push([experiment_id, names]);
  }
  return mergePairs(pairs);
}

/** One row per experiment, both sorted. */
function mergePairs(pairs: readonly (readonly [string, readonly string[]])[]): DayPairs {
  const merged = new Map<string, Set<string>>();
  for (const [id, names] of pairs) {
    const known = merged.get(id) ?? new Set();
    for (const name of names) known.add(name);
    merged.set(id, known);
  }
  const compare = (a: string, b: string) => (a < b ? -1 : 1);
  return [...merged]
    .sort(([a], [b]) => compare(a, b))
    .map(([id, names]) => [id, [...names].sort(compare)] as const);
}

async function readBaseFacts<Base extends IndexedObject>(
  store: ObjectStore,
  session: DuckSession,
  base: Base,
  fetch: Fetch<Base>,
): Promise<Omit<PartFacts<Base>, 'bases'>> {
  const index = indexOf(store);
  const known = index.find(base)?.base;
  if (known) return known;
  const file = await fetch(base);
  const content = await readFooter(session, file, 'content');
  const pairs = await readPairs(session, file);
  if (content !== undefined) index.learn(base, { base: { content, pairs } });
  return { content, pairs };
}

/** The experiments of the active runs in a local base object, and their metrics. */
export const readPairs = async (session: DuckSession, file: string): Promise<DayPairs> =>
  groupPairs(await session.columns(sql(import.meta.url, './sql/day_pairs.sql'), { base: file }));

/** The active runs of a base object by experiment and by the value of a tag. */
async function readGroups<Base extends IndexedObject>(
  store: ObjectStore,
  session: DuckSession,
  base: Base,
  fetch: Fetch<Base>,
  tag: string,
): Promise<readonly RunGroup[]> {
  const index = indexOf(store);
  const known = index.find(base)?.grouped;
  if (known?.tag === tag) return known.groups;
  const rows = await session.rows<Omit<RunGroup, 'names'> & { names: string }>(
    sql(import.meta.url, './sql/run_groups.sql'),
    { base: await fetch(base), tag },
  );
  const groups = rows.map(({ experiment_id, value, content, names }) => ({
    experiment_id: experiment_id.slice(1),
    value: value === null ? null : value.slice(1),
    content,
    names: (JSON.parse(names) as string[]).map((name) => name.slice(1)),
  }));
  index.learn(base, { grouped: { tag, groups } });
  return groups;
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
