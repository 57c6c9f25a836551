import type { PipelineKind } from '../domain/model.js';
import { readExperiments } from '../state/experiments.js';
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
  isListed: (id: string) => boolean = () => true,
): Record<string, number> {
  const advanced: Record<string, number> = { ...current };
  const starts = new Map(
    plan.chunks.flatMap(({ experiment_ids, from }) => experiment_ids.map((id) => [id, from])),
  );
  for (const id of completelyFetched(plan, fetched)) {
    if (!isListed(id)) continue;
    const old = current[id];
    const from = starts.get(id) ?? plan.from;
    const withoutGap = old === undefined ? kind !== 'backfill' : old >= from;
    if (withoutGap) advanced[id] = Math.max(old ?? plan.to, plan.to);
  }
  return advanced;
}

/** The experiments that MLflow returned in every slice of their chunk. */
export function completelyFetched(plan: Plan, fetched: ReadonlyMap<string, FetchResult>): string[] {
  const answered = plan.chunks.map((): Set<string>[] => []);
  for (const { id, chunk } of plan.slices) answered[chunk]?.push(new Set(fetched.get(id)?.answered ?? []));
  return plan.chunks.flatMap(({ experiment_ids }, chunk) => {
    const slices = answered[chunk] ?? [];
    return experiment_ids.filter((id) => slices.length > 0 && slices.every((ids) => ids.has(id)));
  });
}

/**
 * An experiment that is not listed any more keeps its watermark: its searches may have returned nothing.
 * @returns the oldest watermark of the listed experiments, ms; `undefined` if there is none
 */
export async function advanceWatermarks(
  store: ObjectStore,
  kind: PipelineKind,
  plan: Plan,
  fetched: ReadonlyMap<string, FetchResult>,
): Promise<number | undefined> {
  const experiments = await readExperiments(store);
  const isListed = (id: string) => experiments[id]?.listed !== false;
  const advanced = await updateWatermarks(store, (current) =>
    advancedWatermarks(current, kind, plan, fetched, isListed),
  );
  const times = Object.keys(advanced).flatMap((id) => (isListed(id) ? (advanced[id] ?? []) : []));
  return times.length > 0 ? times.reduce((oldest, each) => Math.min(oldest, each)) : undefined;
}
