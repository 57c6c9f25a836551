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

/** Slices of a bootstrap that are under way at the same time: the newest days are judged before old ones are fetched. */
const BOOTSTRAP_SLICES = 4;

/**
 * The stages of a pipeline run that can be worked on now, in the order in which to begin them.
 * @param done names of the stages that have left their marker
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
    const waits =
      stage === 'aggregate' &&
      waitsForOthers(kind, plan, from) &&
      plan.slices.some((other) => isLookedBackOn(other.from, from) && !isDone(other.id, 'enrich'));
    if (!waits) due.push({ slice: id, stage });
  }
  if (unfinished === 0 && !isDone(ALL_SLICES, 'publish')) due.push({ slice: ALL_SLICES, stage: 'publish' });
  return due;
}

/**
 * A day that waits until those on which it looks back are judged, in all chunks of experiments, is aggregated once. The
 * two newest days of a bootstrap do not: they are what somebody waits to see.
 */
const waitsForOthers = (kind: PipelineKind, plan: Plan, from: number): boolean =>
  kind === 'historical' || (kind === 'bootstrap' && from < plan.to - 2 * MS_PER_DAY);

const isLookedBackOn = (other: number, from: number): boolean =>
  other <= from && other >= from - LOOK_BACK_DAYS * MS_PER_DAY;

/** The UTC days of a plan of which every slice is finished, oldest first. */
export function finishedDays(kind: PipelineKind, plan: Plan, done: ReadonlySet<string>): string[] {
  const open = new Set<string>();
  for (const { id, from } of plan.slices) {
    if (SLICE_STAGES[kind].some((stage) => !done.has(stageName({ slice: id, stage })))) open.add(dayOf(from));
  }
  return [...new Set(plan.slices.map(({ from }) => dayOf(from)))].filter((day) => !open.has(day)).sort();
}

/** How far a run is: stages done of all that its plan holds. */
export function progressOf(
  kind: PipelineKind,
  plan: Plan | undefined,
  done: ReadonlySet<string>,
): { done: number; all: number } {
  const all = 2 + (plan?.slices.length ?? 0) * SLICE_STAGES[kind].length;
  return { done: Math.min(done.size, all), all };
}
