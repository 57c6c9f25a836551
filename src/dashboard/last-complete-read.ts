import { readFirstKept } from '../pipeline/clear-finished-runs.js';
import { type PipelineRun, readPipelineRun } from '../pipeline/pipeline-run.js';
import { readKindState } from '../state/kind-state.js';
import { ifReadable } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

/**
 * A pipeline run that ended less than this before an MLflow run was first observed may be the one that observed it: the
 * two times come from different clocks, ms.
 */
const CLOCK_SKEW_MS = 60_000;
/** Records read to find a delta that succeeded. */
const MAX_RECORDS = 20;

/**
 * When the last complete read of an experiment started, among those that ended before MLflow showed a run of it at
 * `observedAt`, ms. null if there was none, if the history was still being read for the first time, or if the records of that
 * time are deleted.
 */
export async function lastCompleteReadBefore(
  store: ObjectStore,
  observedAt: number,
  experimentId: string,
): Promise<number | null> {
  const latest = observedAt - CLOCK_SKEW_MS;
  const isComplete = (record: PipelineRun | undefined): record is PipelineRun =>
    record?.status === 'done' &&
    (record.finished_at ?? Number.POSITIVE_INFINITY) <= latest &&
    !record.refused.some(({ experiment_id }) => experiment_id === experimentId);
  const bootstrap = await ifReadable(readPipelineRun(store, 'bootstrap-1'));
  const historyReadAt = bootstrap ? (bootstrap.finished_at ?? Number.POSITIVE_INFINITY) : 0;
  // The usual case of a run that the bootstrap found; saves the search.
  if (historyReadAt > latest) return null;
  const first = (await ifReadable(readFirstKept(store, 'delta')))?.record ?? 1;
  const newest = await newestDeltaBefore(store, latest, first);
  if (newest < first && first > 1) return null;
  for (let number = newest; number >= Math.max(first, newest - MAX_RECORDS + 1); number--) {
    const record = await ifReadable(readPipelineRun(store, `delta-${number}`));
    if (record && record.created_at < historyReadAt) break;
    if (isComplete(record)) return record.created_at;
  }
  return isComplete(bootstrap) ? bootstrap.created_at : null;
}

/**
 * The number of the newest delta created before a time, ms, among those with a record; `first - 1` if there is none. Numbers
 * are in the order of creation.
 */
async function newestDeltaBefore(store: ObjectStore, time: number, first: number): Promise<number> {
  let [low, high] = [first - 1, (await ifReadable(readKindState(store, 'delta')))?.sequence ?? 0];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    const record = await ifReadable(readPipelineRun(store, `delta-${middle}`));
    if (record && record.created_at < time) low = middle;
    else high = middle - 1;
  }
  return low;
}
