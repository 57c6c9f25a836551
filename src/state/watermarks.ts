import { z } from 'zod';
import type { PipelineKind } from '../domain/model.js';
import type { FetchResult, Plan } from '../pipeline/stage-contracts.js';
import { readDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

const KEY = '_state/watermark.json';
const schema = z.object({ version: z.literal(1), experiments: z.record(z.string(), z.int()) });

/** Per experiment: all that MLflow knew of it before this time (ms) has been published. */
export type Watermarks = Readonly<Record<string, number>>;

export async function readWatermarks(store: ObjectStore): Promise<Watermarks> {
  return (await readDocument(store, KEY, schema))?.value.experiments ?? {};
}

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
  await updateDocument(store, KEY, schema, (current) => ({
    version: 1 as const,
    experiments: movedWatermarks(current?.experiments ?? {}, kind, plan, fetched),
  }));
}
