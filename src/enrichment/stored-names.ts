import { inSlices } from '../config/event-loop.js';
import type { Steps } from '../domain/steps.js';
import type { CatalogQuery } from '../state/rulebook.js';
import type { ObjectFacts } from '../storage/index-document.js';
import { dayOfKey } from '../storage/keys.js';
import { indexOf } from '../storage/object-index.js';
import type { ObjectEntry, ObjectStore } from '../storage/object-store.js';

/**
 * The metrics and experiments of all stored facts. Downloads none of them.
 * @returns `undefined` if the index does not know all
 */
export async function readStoredNames(store: ObjectStore): Promise<CatalogQuery | undefined> {
  const bases: ObjectEntry[] = [];
  for await (const entry of store.list('_base/')) if (dayOfKey(entry.key) !== undefined) bases.push(entry);
  const index = indexOf(store);
  await index.load(bases);
  const known: ObjectFacts[] = [];
  for (const base of bases) {
    const facts = index.find(base);
    if (!facts?.base && !facts?.grouped) return undefined;
    known.push(facts);
  }
  return inSlices(namesIn(known));
}

function* namesIn(bases: readonly ObjectFacts[]): Steps<CatalogQuery> {
  const metrics = new Set<string>();
  const experiments = new Set<string>();
  for (const { base, grouped } of bases) {
    const pairs =
      base?.pairs ?? grouped?.groups.map(({ experiment_id, names }) => [experiment_id, names] as const);
    for (const [experiment, names] of pairs ?? []) {
      yield;
      experiments.add(experiment);
      for (const name of names) metrics.add(name);
    }
  }
  return { metrics: [...metrics], experiments: [...experiments] };
}
