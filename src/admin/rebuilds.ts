import { z } from 'zod';
import { MonitorError } from '../domain/errors.js';
import { daysOf } from '../domain/time.js';
import { createPipelineRun, type PipelineRun, readPipelineRun } from '../pipeline/pipeline-run.js';
import { TrackedRuns } from '../pipeline/tracked-runs.js';
import type { RequestedWindow } from '../state/kind-state.js';
import { DERIVED_DATASETS, type DerivedDataset } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import { backfillRequestSchema, wholeDays } from './backfills.js';

/** The first and the last day, both inclusive. */
export const rebuildRequestSchema = backfillRequestSchema.extend({
  dataset: z.enum(DERIVED_DATASETS).meta({ description: 'The dataset to write again.' }),
});
export type RebuildRequest = z.infer<typeof rebuildRequestSchema>;

export const rebuildSchema = z.object({
  id: z.string(),
  dataset: z.enum(DERIVED_DATASETS),
  /** The first and the last day, both inclusive. */
  from: z.iso.date(),
  to: z.iso.date(),
  status: z.enum(['active', 'done', 'failed', 'cancelled']),
  error: z.object({ slice: z.string(), stage: z.string(), code: z.string(), message: z.string() }).nullable(),
  /** There are more steps once the days are selected. */
  progress: z.object({ steps_done: z.int(), steps_all: z.int() }),
  /** null until the rebuild is finished. */
  objects_written: z.int().nullable(),
});
export type Rebuild = z.infer<typeof rebuildSchema>;

/** @throws {MonitorError} `rebuild_window` */
export const rebuildWindow = ({ dataset, from, to }: RebuildRequest, now: number): RequestedWindow => ({
  ...wholeDays({ from, to }, now, 'rebuild_window'),
  datasets: [dataset],
});

/**
 * Stores a rebuild, which the next dispatch of the engine starts: a reevaluation that writes the objects of one dataset, also
 * those whose inputs have not changed.
 * @param window of `rebuildWindow`
 * @returns its id
 */
export async function requestRebuild(
  store: ObjectStore,
  window: RequestedWindow,
  now: number,
): Promise<string> {
  const id = await createPipelineRun(store, 'reevaluation', { scheduledAt: null, window, now });
  if (id === undefined) throw new MonitorError('no_rebuild', 'The rebuild was not created', {}, true);
  return id;
}

const REBUILD_ID = /^reevaluation-[1-9]\d{0,8}$/;

/** @throws {MonitorError} `unknown_rebuild` */
export async function readRebuild(store: ObjectStore, id: string): Promise<Rebuild> {
  const record = REBUILD_ID.test(id) ? await readPipelineRun(store, id) : undefined;
  const [dataset] = record?.window?.datasets ?? [];
  if (!record || !dataset)
    throw new MonitorError('unknown_rebuild', `There is no rebuild ${JSON.stringify(id)}.`);
  return view(store, record, dataset);
}

async function view(store: ObjectStore, record: PipelineRun, dataset: DerivedDataset): Promise<Rebuild> {
  const { id, kind, window, status, error, summary } = record;
  const days = window ? daysOf(window) : [];
  const { counts } = (await new TrackedRuns(store, 1).load(kind, id)).progress;
  return {
    id,
    dataset,
    from: days.at(0) ?? '',
    to: days.at(-1) ?? '',
    status,
    error,
    progress: { steps_done: counts.done, steps_all: counts.all },
    objects_written: summary?.partitions_written ?? null,
  };
}
