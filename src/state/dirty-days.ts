import { z } from 'zod';
import { ifReadable, readDocument, updateDocument } from '../storage/json-document.js';
import { listKeys } from '../storage/list-keys.js';
import type { ObjectStore } from '../storage/object-store.js';

const PREFIX = '_state/dirty/';

const schema = z.object({
  version: z.literal(1),
  days: z.array(z.iso.date()),
  quarantine_days: z.array(z.iso.date()),
});

export interface DirtyDays {
  /** Days whose base facts change. */
  readonly days: readonly string[];
  /** Days whose quarantine changes. */
  readonly quarantine_days: readonly string[];
}
export const NO_DIRTY_DAYS: DirtyDays = { days: [], quarantine_days: [] };

/** The slice of a pipeline run that changes the days. */
export interface SliceOwner {
  readonly pipelineRunId: string;
  readonly sliceId: string;
}

const keyOf = ({ pipelineRunId, sliceId }: SliceOwner): string => `${PREFIX}${pipelineRunId}/${sliceId}.json`;

const union = (...lists: readonly (readonly string[])[]): string[] => [...new Set(lists.flat())].sort();

export const mergeDirtyDays = (
  ...all: readonly DirtyDays[]
): { days: string[]; quarantine_days: string[] } => ({
  days: union(...all.map(({ days }) => days)),
  quarantine_days: union(...all.map(({ quarantine_days }) => quarantine_days)),
});

/** The days that a slice has begun to change. An earlier attempt may have died before it published them. */
export async function readDirtyDays(store: ObjectStore, owner: SliceOwner): Promise<DirtyDays> {
  return (await readDocument(store, keyOf(owner), schema))?.value ?? NO_DIRTY_DAYS;
}

/** Records days before the first put that changes them, so that they are published even if the process dies after it. */
export async function addDirtyDays(
  store: ObjectStore,
  owner: SliceOwner,
  added: Partial<DirtyDays>,
): Promise<void> {
  await updateDocument(store, keyOf(owner), schema, (current) => {
    const merged = mergeDirtyDays(current ?? NO_DIRTY_DAYS, { ...NO_DIRTY_DAYS, ...added });
    return { version: 1 as const, ...merged };
  });
}

export interface StoredDirtyDays extends DirtyDays {
  readonly key: string;
  readonly pipelineRunId: string;
}

/** The days of all pipeline runs. Invalid documents are left out: the next reevaluation of all days publishes their days. */
export async function listDirtyDays(store: ObjectStore): Promise<StoredDirtyDays[]> {
  const found: StoredDirtyDays[] = [];
  for await (const key of listKeys(store, PREFIX)) {
    const stored = await ifReadable(readDocument(store, key, schema));
    const [pipelineRunId = ''] = key.slice(PREFIX.length).split('/');
    if (stored) found.push({ key, pipelineRunId, ...stored.value });
  }
  return found;
}

/** Removes the days of a pipeline run after they were published. */
export async function removeDirtyDaysOf(store: ObjectStore, pipelineRunId: string): Promise<void> {
  const keys: string[] = [];
  for await (const key of listKeys(store, `${PREFIX}${pipelineRunId}/`)) keys.push(key);
  await removeDirtyDays(store, keys);
}

export async function removeDirtyDays(store: ObjectStore, keys: readonly string[]): Promise<void> {
  for (const key of keys) await store.delete(key);
}
