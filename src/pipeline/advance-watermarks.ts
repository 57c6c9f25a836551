import type { PipelineKind } from '../domain/model.js';
import { updateWatermarks, type Watermarks } from '../state/watermarks.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { FetchResult, Plan } from './stage-contracts.js';

/**
 * Advances the watermarks to the end of a published plan, for the experiments that were fetched completely and whose
 * window leaves no gap after the old watermark. A backfill never sets the first watermark of an experiment.
 * @param fetched the results of `fetch` by slice
 */
export function advancedWatermarks(
  current: Watermarks,
  kind: PipelineKind,
  plan: Plan,
  fetched: ReadonlyMap<string, FetchResult>,
): Record<string, number> {
  const advanced: Record<string, number> = { ...current };
  for (const id of completelyFetched(plan, fetched)) {
    const old = current[id];
    const from = plan.chunks.find(({ experiment_ids }) => experiment_ids.includes(id))?.from ?? plan.from;
    const withoutGap = old === undefined ? kind !== 'backfill' : old >= from;
    if (withoutGap) advanced[id] = Math.max(old ?? plan.to, plan.to);
  }
  return advanced;
}

/** The experiments that MLflow returned in every slice of their chunk. */
export function completelyFetched(plan: Plan, fetched: ReadonlyMap<string, FetchResult>): string[] {
  return plan.chunks.flatMap(({ experiment_ids }, chunk) => {
    const answered = plan.slices
      .filter((slice) => slice.chunk === chunk)
      .map(({ id }) => new Set(fetched.get(id)?.answered ?? []));
    return experiment_ids.filter((id) => answered.length > 0 && answered.every((ids) => ids.has(id)));
  });
}

export async function advanceWatermarks(
  store: ObjectStore,
  kind: PipelineKind,
  plan: Plan,
  fetched: ReadonlyMap<string, FetchResult>,
): Promise<void> {
  await updateWatermarks(store, (current) => advancedWatermarks(current, kind, plan, fetched));
}
