import { z } from 'zod';
import type { PipelineKind } from '../domain/model.js';
import { readDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

export const windowSchema = z.object({ from: z.int(), to: z.int() });

/** The state of one kind of pipeline run: the source of its sequence numbers, its last tick and its unfinished runs, oldest first. */
const kindStateSchema = z.object({
  version: z.literal(1),
  sequence: z.int(),
  last_nominal: z.int().nullable(),
  last_finished: z.int().nullable(),
  active: z.array(z.string()),
  /** The requested windows of unfinished runs: a run may have its number before its record. */
  windows: z.record(z.string(), windowSchema).default({}),
});
export type KindState = z.infer<typeof kindStateSchema>;

const INITIAL: KindState = {
  version: 1,
  sequence: 0,
  last_nominal: null,
  last_finished: null,
  active: [],
  windows: {},
};

const keyOf = (kind: PipelineKind): string => `_state/kinds/${kind}.json`;

export async function readKindState(store: ObjectStore, kind: PipelineKind): Promise<KindState> {
  return (await readDocument(store, keyOf(kind), kindStateSchema))?.value ?? INITIAL;
}

/** @param change may run several times; `undefined` leaves the state as it is */
export async function updateKindState(
  store: ObjectStore,
  kind: PipelineKind,
  change: (current: KindState) => KindState | undefined,
): Promise<void> {
  await updateDocument(store, keyOf(kind), kindStateSchema, (current = INITIAL) => change(current));
}

/** Clocks of several schedulers differ by less. */
const CLOCK_SKEW_MS = 3_600_000;

/**
 * Whether a tick scheduled at this time, or a later one, already created its run. A last tick far in the future comes from
 * a clock that was wrong; trusting it would stop the schedule until then.
 */
export function isServed({ last_nominal }: KindState, scheduledAt: number, now: number): boolean {
  return last_nominal !== null && scheduledAt <= last_nominal && last_nominal <= now + CLOCK_SKEW_MS;
}
