import { z } from 'zod';
import { inSlices } from '../config/event-loop.js';
import type { Steps } from '../domain/steps.js';
import { readCachedDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

/** Every experiment that was ever listed, merged by the time of observation. Entries are never removed. */
const KEY = '_state/experiments.json';

const storedExperimentSchema = z.object({
  name: z.string(),
  lifecycle_stage: z.enum(['active', 'deleted']),
  tags: z.record(z.string(), z.string()),
  /** Whether the newest listing contains it. */
  listed: z.boolean(),
  /** When the current facts above were first observed, ms, by the tracking server's clock. */
  observed_at: z.int(),
  /** false from a change of its lifecycle until its stored days are swept. */
  swept: z.boolean(),
});
export type StoredExperiment = z.infer<typeof storedExperimentSchema>;

const schema = z.object({
  version: z.literal(1),
  experiments: z.record(z.string(), storedExperimentSchema),
});

/** An experiment in a listing of the tracking server. */
export interface ListedExperiment {
  readonly experiment_id: string;
  readonly name: string;
  readonly lifecycle_stage: 'active' | 'deleted';
  readonly tags: Readonly<Record<string, string>>;
}

/** The stored experiments, which callers share and do not modify. */
export async function readExperiments(
  store: ObjectStore,
): Promise<Readonly<Record<string, StoredExperiment>>> {
  return (await readCachedDocument(store, KEY, schema))?.value.experiments ?? {};
}

/**
 * Merges a complete listing into the stored experiments. A later observation takes precedence.
 * @param date when the listing was made, ms, by the tracking server's clock
 * @returns the experiments that are now stored
 */
export async function mergeExperiments(
  store: ObjectStore,
  listing: readonly ListedExperiment[],
  date: number,
): Promise<Readonly<Record<string, StoredExperiment>>> {
  const merged = await updateDocument(store, KEY, schema, async (current) => ({
    version: 1 as const,
    experiments: await inSlices(mergeListing(current?.experiments ?? {}, listing, date)),
  }));
  return merged?.experiments ?? {};
}

export function* mergeListing(
  known: Readonly<Record<string, StoredExperiment>>,
  listing: readonly ListedExperiment[],
  date: number,
): Steps<Record<string, StoredExperiment>> {
  const merged: Record<string, StoredExperiment> = { ...known };
  const listed = new Set(listing.map(({ experiment_id }) => experiment_id));
  for (const [id, stored] of Object.entries(known)) {
    yield;
    if (!listed.has(id) && stored.listed && stored.observed_at <= date) {
      merged[id] = { ...stored, listed: false, observed_at: date };
    }
  }
  for (const { experiment_id, name, lifecycle_stage, tags } of listing) {
    yield;
    const stored = known[experiment_id];
    if (stored && stored.observed_at > date) continue;
    const changed = stored === undefined || stored.lifecycle_stage !== lifecycle_stage;
    const facts = { name, lifecycle_stage, tags: { ...tags }, listed: true };
    const same = stored && sameFacts(stored, facts);
    merged[experiment_id] = same
      ? stored
      : { ...facts, observed_at: date, swept: stored === undefined || (stored.swept && !changed) };
  }
  return merged;
}

/** Whether an experiment that was known before has another name, lifecycle or other tags, or is not listed any more. */
export function* haveFactsChanged(
  before: Readonly<Record<string, StoredExperiment>>,
  after: Readonly<Record<string, StoredExperiment>>,
): Steps<boolean> {
  for (const [id, stored] of Object.entries(before)) {
    yield;
    const current = after[id];
    if (current !== undefined && current !== stored && !sameFacts(stored, current)) return true;
  }
  return false;
}

type Facts = Pick<StoredExperiment, 'name' | 'lifecycle_stage' | 'tags' | 'listed'>;
function sameFacts(a: Facts, b: Facts): boolean {
  const names = Object.keys(a.tags);
  return (
    a.name === b.name &&
    a.lifecycle_stage === b.lifecycle_stage &&
    a.listed === b.listed &&
    names.length === Object.keys(b.tags).length &&
    names.every((name) => a.tags[name] === b.tags[name])
  );
}

/**
 * Marks the stored days of these experiments as swept after a change of lifecycle.
 * @param observedAt ms; experiments observed later are not marked, as the sweep did not cover that observation
 */
export async function markSwept(
  store: ObjectStore,
  ids: readonly string[],
  observedAt: number,
): Promise<void> {
  if (ids.length === 0) return;
  await updateDocument(store, KEY, schema, (current) => {
    if (!current) return undefined;
    const experiments = { ...current.experiments };
    for (const id of ids) {
      const stored = experiments[id];
      if (stored && stored.observed_at <= observedAt) experiments[id] = { ...stored, swept: true };
    }
    return { version: 1 as const, experiments };
  });
}
