import { z } from 'zod';
import type { PipelineKind } from '../domain/model.js';
import { dayOf } from '../domain/time.js';
import { readDocument, updateDocument } from '../storage/json-document.js';
import { DERIVED_DATASETS } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';

export const windowSchema = z.object({
  from: z.int(),
  to: z.int(),
  /** Of a rebuild, which is a reevaluation on request: only these datasets are written, also where nothing has changed. */
  datasets: z.array(z.enum(DERIVED_DATASETS)).optional(),
});
export type RequestedWindow = Readonly<z.infer<typeof windowSchema>>;

/** The state of one kind of pipeline run. */
const kindStateSchema = z.object({
  version: z.literal(1),
  /** The number of the newest pipeline run. */
  sequence: z.int(),
  /** When the last tick was scheduled, ms. */
  last_nominal: z.int().nullable(),
  /** The end of the last successful pipeline run, ms. */
  last_finished: z.int().nullable(),
  /** The ids of the unfinished pipeline runs, oldest first. */
  active: z.array(z.string()),
  /** The requested windows of unfinished pipeline runs: an id is stored here before its record exists. */
  windows: z.record(z.string(), windowSchema).default({}),
  /** The scheduled time of the last successful reevaluation of all days, ms. */
  last_full: z.int().optional(),
  /** The last pipeline run that failed because of an invalid document, until one succeeds. `at`: ms. */
  unreadable: z.object({ run: z.string(), at: z.int(), message: z.string() }).optional(),
});
export type KindState = z.infer<typeof kindStateSchema>;

export const INITIAL_KIND_STATE: KindState = {
  version: 1,
  sequence: 0,
  last_nominal: null,
  last_finished: null,
  active: [],
  windows: {},
};

const keyOf = (kind: PipelineKind): string => `_state/kinds/${kind}.json`;

export async function readKindState(store: ObjectStore, kind: PipelineKind): Promise<KindState> {
  return (await readDocument(store, keyOf(kind), kindStateSchema))?.value ?? INITIAL_KIND_STATE;
}

/** @param change may run several times; returning `undefined` writes nothing */
export async function updateKindState(
  store: ObjectStore,
  kind: PipelineKind,
  change: (current: KindState) => KindState | undefined,
): Promise<void> {
  await updateDocument(store, keyOf(kind), kindStateSchema, (current = INITIAL_KIND_STATE) =>
    change(current),
  );
}

/**
 * Whether a reevaluation of all days is due: none of this UTC day has succeeded, and none is unfinished. One that failed,
 * was cancelled or never created stays due. A time far in the future was stored by a wrong clock.
 * @param isRewritten whether all stored days have the versions in force; until then one is always due
 */
export function isFullPassDue(
  { active, windows, last_full }: KindState,
  now: number,
  isRewritten = true,
): boolean {
  if (active.some((id) => windows[id] === undefined)) return false;
  if (!isRewritten) return true;
  return last_full === undefined || last_full > now + CLOCK_SKEW_MS || dayOf(last_full) < dayOf(now);
}

/** More than the clocks of several schedulers differ, ms. */
const CLOCK_SKEW_MS = 3_600_000;

/**
 * Whether the tick scheduled at `scheduledAt` (ms), or a later one, has already created its pipeline run. A last tick far in
 * the future was written by a wrong clock; trusting it would stop the schedule until then.
 */
export function isServed({ last_nominal }: KindState, scheduledAt: number, now: number): boolean {
  return last_nominal !== null && scheduledAt <= last_nominal && last_nominal <= now + CLOCK_SKEW_MS;
}
