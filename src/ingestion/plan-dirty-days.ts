import { LOOK_BACK_DAYS } from '../domain/moving-statistics.js';
import { addDays, dayOf, MS_PER_HOUR } from '../domain/time.js';
import { type PipelineRun, readPipelineRun } from '../pipeline/pipeline-run.js';
import type { Plan } from '../pipeline/stage-contracts.js';
import { type DirtyDays, listDirtyDays, mergeDirtyDays } from '../state/dirty-days.js';
import { ifReadable } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

type PlannedDirtyDays = Plan['dirty'];
export const NOTHING_DIRTY: PlannedDirtyDays = { days: [], quarantine_days: [], keys: [] };

/** A worker that stalled before its pipeline run was closed may still put a base until then. */
const STALLED_WORKER_MS = MS_PER_HOUR;

/**
 * The days that other pipeline runs have begun to change and may not have published. Those of a run that is closed for
 * `STALLED_WORKER_MS` are removed once the new run has published them.
 * @param now ms
 */
export async function loadDirtyDays(store: ObjectStore, now: number): Promise<PlannedDirtyDays> {
  const owners = new Map<string, PipelineRun | undefined>();
  let dirty = NOTHING_DIRTY;
  for (const { key, pipelineRunId, ...found } of await listDirtyDays(store)) {
    if (!owners.has(pipelineRunId)) {
      owners.set(pipelineRunId, await ifReadable(readPipelineRun(store, pipelineRunId)));
    }
    const owner = owners.get(pipelineRunId);
    if (owner?.status === 'active' && publishesManyDays(owner)) continue;
    const isRemovable = !owner || (owner.finished_at !== null && owner.finished_at < now - STALLED_WORKER_MS);
    dirty = withDays(dirty, found, isRemovable ? [key] : []);
  }
  return dirty;
}

/** An unfinished run of this kind publishes its days itself; there may be too many of them for a delta. */
const publishesManyDays = ({ kind }: PipelineRun): boolean => kind !== 'delta' && kind !== 'backup';

/** Adds the stored days that the page shows: runs of an experiment with another name or tag belong to another application. */
export function addRecentDays(
  dirty: PlannedDirtyDays,
  storedDays: readonly string[],
  now: number,
): PlannedDirtyDays {
  const first = addDays(dayOf(now), -LOOK_BACK_DAYS);
  return withDays(dirty, { days: storedDays.filter((day) => day >= first), quarantine_days: [] }, []);
}

function withDays(dirty: PlannedDirtyDays, added: DirtyDays, keys: readonly string[]): PlannedDirtyDays {
  return { ...mergeDirtyDays(dirty, added), keys: [...dirty.keys, ...keys] };
}
