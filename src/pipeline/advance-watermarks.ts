import type { PipelineKind } from '../domain/model.js';
import { updateWatermarks, type Watermarks } from '../state/watermarks.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { FetchResult, Plan } from './stage-contracts.js';

/**
 * Moves the watermarks to the end of a published plan: of the experiments that answered in all slices of their chunk and
 * were asked without a gap. A backfill never makes the first one.
 */
export function movedWatermarks(
  current: Watermarks,
  kind: PipelineKind,
  plan: Plan,
  fetched: ReadonlyMap<string, FetchResult>,
): Record<string, number> {
  const moved: Record<string, number> = { ...current };
  for (const id of answeredEverywhere(plan, fetched)) {
    const known = current[id];
    const from = plan.chunks.find(({ experiment_ids }) => experiment_ids.includes(id))?.from ?? plan.from;
    const withoutGap = known === undefined ? kind !== 'backfill' : known >= from;
    if (withoutGap) moved[id] = Math.max(known ?? plan.to, plan.to);
  }
  return moved;
}

export function answeredEverywhere(plan: Plan, fetched: ReadonlyMap<string, FetchResult>): string[] {
  return plan.chunks.flatMap(({ experiment_ids }, chunk) => {
    const answers = plan.slices
      .filter((slice) => slice.chunk === chunk)
      .map(({ id }) => new Set(fetched.get(id)?.answered ?? []));
    return experiment_ids.filter((id) => answers.length > 0 && answers.every((answer) => answer.has(id)));
  });
}

export async function moveWatermarks(
  store: ObjectStore,
  kind: PipelineKind,
  plan: Plan,
  fetched: ReadonlyMap<string, FetchResult>,
): Promise<void> {
  await updateWatermarks(store, (current) => movedWatermarks(current, kind, plan, fetched));
}
