import type { PipelineKind } from '../domain/model.js';
import { LOOK_BACK_DAYS } from '../domain/moving-statistics.js';
import { dayOf, MS_PER_DAY } from '../domain/time.js';
import { ALL_SLICES, type Plan, type Stage } from './stage-contracts.js';

export interface StageId {
  readonly slice: string;
  readonly stage: Stage;
}

export const stageName = ({ slice, stage }: StageId): string => `${slice}.${stage}`;

const SLICE_STAGES: Readonly<Record<PipelineKind, readonly Stage[]>> = {
  delta: ['fetch', 'enrich'],
  backup: ['fetch', 'enrich'],
  historical: ['fetch', 'enrich', 'aggregate'],
  backfill: ['fetch', 'enrich', 'aggregate'],
  bootstrap: ['fetch', 'enrich', 'aggregate'],
  reevaluation: ['enrich'],
};

/** The stages on the slice `all`. */
const WHOLE_RUN_STAGES = ['plan', 'publish'] as const satisfies readonly Stage[];

/** Slices of a bootstrap in progress at the same time: few, so that the newest days are published before old ones are fetched. */
const BOOTSTRAP_SLICES = 4;
/** Days of a bootstrap that are aggregated before the days they look back on, because people look at them first. */
const BOOTSTRAP_EARLY_DAYS = 2;

/**
 * The stages of a pipeline run that can run now, in the order in which to start them.
 * @param done names of the stages with a marker
 * @param slicesAtOnce of how many slices stages may be due at the same time
 */
export function dueStages(
  kind: PipelineKind,
  plan: Plan | undefined,
  done: ReadonlySet<string>,
  slicesAtOnce = kind === 'bootstrap' ? BOOTSTRAP_SLICES : Number.POSITIVE_INFINITY,
): StageId[] {
  if (!plan) return [{ slice: ALL_SLICES, stage: 'plan' }];
  const isDone = (slice: string, stage: Stage) => done.has(stageName({ slice, stage }));
  const due: StageId[] = [];
  let unfinished = 0;
  for (const { id, from } of plan.slices) {
    if (due.length >= slicesAtOnce) break;
    const stage = SLICE_STAGES[kind].find((each) => !isDone(id, each));
    if (!stage) continue;
    unfinished++;
    const isBlocked =
      stage === 'aggregate' &&
      waitsForLookBack(kind, plan, from) &&
      plan.slices.some((other) => isLookedBackOn(other.from, from) && !isDone(other.id, 'enrich'));
    if (!isBlocked) due.push({ slice: id, stage });
  }
  if (unfinished === 0 && !isDone(ALL_SLICES, 'publish')) due.push({ slice: ALL_SLICES, stage: 'publish' });
  return due;
}

/**
 * Whether a day is aggregated only when the days it looks back on are enriched in all chunks of experiments. Otherwise it
 * would be aggregated again after each of them.
 */
const waitsForLookBack = (kind: PipelineKind, plan: Plan, from: number): boolean =>
  kind === 'historical' || (kind === 'bootstrap' && from < plan.to - BOOTSTRAP_EARLY_DAYS * MS_PER_DAY);

const isLookedBackOn = (other: number, from: number): boolean =>
  other <= from && other >= from - LOOK_BACK_DAYS * MS_PER_DAY;

/** The UTC days of a plan whose slices are all finished, oldest first. */
export function finishedDays(kind: PipelineKind, plan: Plan, done: ReadonlySet<string>): string[] {
  const unfinished = new Set<string>();
  for (const { id, from } of plan.slices) {
    const isUnfinished = SLICE_STAGES[kind].some((stage) => !done.has(stageName({ slice: id, stage })));
    if (isUnfinished) unfinished.add(dayOf(from));
  }
  return [...new Set(plan.slices.map(({ from }) => dayOf(from)))]
    .filter((day) => !unfinished.has(day))
    .sort();
}

/** The number of finished stages and of all stages. Before there is a plan, only `plan` and `publish` count. */
export function progressOf(
  kind: PipelineKind,
  plan: Plan | undefined,
  done: ReadonlySet<string>,
): { done: number; all: number } {
  const all = WHOLE_RUN_STAGES.length + (plan?.slices.length ?? 0) * SLICE_STAGES[kind].length;
  return { done: Math.min(done.size, all), all };
}
