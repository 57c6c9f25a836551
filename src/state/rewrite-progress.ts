import { isRewritable } from '../domain/retention.js';
import { DERIVED_DATASETS, dayOfKey } from '../storage/keys.js';
import { indexOf } from '../storage/object-index.js';
import type { ObjectEntry, ObjectStore } from '../storage/object-store.js';
import { readFirstDays } from './retention.js';
import { supports, type Versions, versionsOfInputs } from './versions.js';

/** Stored days and their derived objects whose inputs are kept, and how many of them are of lower versions than those in force. */
export interface RewriteProgress {
  readonly days: number;
  /** Days with an outdated object: aggregates are rewritten after the datasets that they are computed from. */
  readonly outdatedDays: number;
  readonly objects: number;
  readonly outdatedObjects: number;
}

/**
 * How far the stored days are rewritten, from a listing of the derived datasets and the index of objects: nothing is
 * downloaded. An object that the index does not know counts as outdated.
 */
export async function rewriteProgress(store: ObjectStore, inForce: Versions): Promise<RewriteProgress> {
  const entries: ObjectEntry[] = [];
  for (const dataset of DERIVED_DATASETS) {
    for await (const entry of store.list(`${dataset}/`)) entries.push(entry);
  }
  const index = indexOf(store);
  await index.load(entries);
  const days = new Set<string>();
  const outdated: string[] = [];
  const first = await readFirstDays(store);
  let objects = 0;
  for (const entry of entries) {
    const day = dayOfKey(entry.key);
    const [dataset = ''] = entry.key.split('/');
    if (day === undefined || !isRewritable(first, dataset, day)) continue;
    objects++;
    days.add(day);
    const inputs = index.find(entry)?.inputs;
    if (inputs === undefined || !supports(versionsOfInputs(inputs), inForce)) outdated.push(day);
  }
  return {
    days: days.size,
    outdatedDays: new Set(outdated).size,
    objects,
    outdatedObjects: outdated.length,
  };
}
