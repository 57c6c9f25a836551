import { type PipelineRun, readPipelineRun } from '../pipeline/pipeline-run.js';
import { readKindState } from '../state/kind-state.js';
import type { ObjectStore } from '../storage/object-store.js';

/** A look that ended less than this before a run was seen may be the one that saw it: two clocks tell the times, ms. */
const CLOCK_SKEW_MS = 60_000;
/** Looks that are tried for one that succeeded. */
const MOST_READ = 20;

/**
 * When MLflow was last asked for all that it had, and answered, before it showed a run of the experiment at `seen`, ms;
 * null: never, or the history was still being read for the first time.
 */
export async function lastCompleteReadBefore(
  store: ObjectStore,
  seen: number,
  experimentId: string,
): Promise<number | null> {
  const latest = seen - CLOCK_SKEW_MS;
  const answered = (record: PipelineRun | undefined): record is PipelineRun =>
    record?.status === 'done' &&
    (record.finished_at ?? Number.POSITIVE_INFINITY) <= latest &&
    !record.refused.some(({ experiment_id }) => experiment_id === experimentId);
  const bootstrap = await readPipelineRun(store, 'bootstrap-1');
  const known = bootstrap ? (bootstrap.finished_at ?? Number.POSITIVE_INFINITY) : 0;
  // Spares the search for what most first readings find.
  if (known > latest) return null;
  const newest = await newestBefore(store, latest);
  for (let number = newest; number > Math.max(0, newest - MOST_READ); number--) {
    const record = await readPipelineRun(store, `delta-${number}`);
    if (record && record.created_at < known) break;
    if (answered(record)) return record.created_at;
  }
  return answered(bootstrap) ? bootstrap.created_at : null;
}

/** The number of the newest delta that was made before a time, ms; 0: none was. Their numbers are in the order of their making. */
async function newestBefore(store: ObjectStore, time: number): Promise<number> {
  let [low, high] = [0, (await readKindState(store, 'delta')).sequence];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const record = await readPipelineRun(store, `delta-${middle}`);
    if (record && record.created_at < time) low = middle;
    else high = middle - 1;
  }
  return low;
}
