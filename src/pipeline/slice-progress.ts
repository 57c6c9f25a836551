import type { PipelineKind } from '../domain/model.js';
import { LOOK_BACK_DAYS } from '../domain/moving-statistics.js';
import { dayOf, MS_PER_DAY } from '../domain/time.js';
import { DaysInOrder } from './days-in-order.js';
import { type Plan, type Stage, type StageId, stageName } from './stage-contracts.js';

/**
 * The stages of a slice. The slices of a reevaluation have none: its days are units. The first slice of each day of a historical
 * run has the stage `forecast` besides, before `aggregate`.
 */
const SLICE_STAGES: Readonly<Record<PipelineKind, readonly Stage[]>> = {
  delta: ['fetch', 'enrich'],
  backup: ['fetch', 'enrich'],
  historical: ['fetch', 'enrich', 'aggregate'],
  backfill: ['fetch', 'enrich', 'aggregate'],
  bootstrap: ['fetch', 'enrich', 'aggregate'],
  reevaluation: [],
};

/** Slices of a bootstrap in progress at the same time: few, so that the newest days are published before old ones are fetched. */
const BOOTSTRAP_SLICES = 4;
/** Days of a bootstrap that are aggregated before the days they look back on, because people look at them first. */
const BOOTSTRAP_EARLY_DAYS = 2;

/** Whether a day of a bootstrap is aggregated early. @param from the start of the day, ms */
export const isEarlyInBootstrap = ({ to }: Pick<Plan, 'to'>, from: number): boolean =>
  from >= to - BOOTSTRAP_EARLY_DAYS * MS_PER_DAY;

const WITH_FORECAST: readonly Stage[] = ['fetch', 'enrich', 'forecast', 'aggregate'];

/** `ready`: its next stage can run. `running`: this stage is due. `held`: it waits for other days. */
type Phase = 'ready' | 'running' | 'held' | 'finished';

interface SliceState {
  readonly id: string;
  /** Index in the plan. */
  readonly index: number;
  /** Days since 1970. */
  readonly day: number;
  readonly stages: readonly Stage[];
  readonly waitsForLookBack: boolean;
  next: Stage | undefined;
  phase: Phase;
}

/**
 * How far the slices of a plan are, and which of their stages are due. The end of a stage costs a few steps for each chunk
 * of experiments, however many slices there are.
 */
export class SliceProgress {
  private readonly slices = new Map<string, SliceState>();
  /** The days that are forecast one after another; undefined: none. */
  private readonly forecasts: DaysInOrder | undefined;
  /** By day: how many slices are not enriched. */
  private readonly unenriched = new Map<number, number>();
  /** By day: the slices that wait. */
  private readonly held = new Map<number, SliceState[]>();
  /** Slices that were ready at the beginning, in the order of the plan, from `started` on; and those that are since. */
  private readonly waiting: SliceState[] = [];
  private started = 0;
  private readonly resumed = new Set<SliceState>();
  private readonly running = new Set<SliceState>();
  private unfinishedSlices = 0;
  /** The number of stages of all slices. */
  readonly count: number = 0;

  /**
   * @param done names of the finished stages; `finish` adds to it
   * @param slicesAtOnce of how many slices stages may be due at the same time
   */
  constructor(
    kind: PipelineKind,
    plan: Plan,
    private readonly done: Set<string>,
    private readonly slicesAtOnce = kind === 'bootstrap' ? BOOTSTRAP_SLICES : Number.POSITIVE_INFINITY,
  ) {
    const days = new Set<number>();
    for (const [index, { id, from }] of plan.slices.entries()) {
      const day = Math.floor(from / MS_PER_DAY);
      const waitsForLookBack = kind === 'bootstrap' && !isEarlyInBootstrap(plan, from);
      const stages = kind === 'historical' && !days.has(day) ? WITH_FORECAST : SLICE_STAGES[kind];
      days.add(day);
      this.count += stages.length;
      this.slices.set(id, { id, index, day, stages, waitsForLookBack, next: undefined, phase: 'finished' });
      if (!this.isDone(id, 'enrich')) this.unenriched.set(day, (this.unenriched.get(day) ?? 0) + 1);
    }
    if (kind === 'historical') {
      this.forecasts = new DaysInOrder(days);
      for (const day of days) if (!this.unenriched.has(day)) this.forecasts.makeReady(day);
      for (const { id, day, stages } of this.slices.values())
        if (stages.includes('forecast') && this.isDone(id, 'forecast')) this.forecasts.finish(day);
    }
    for (const slice of this.slices.values()) {
      slice.next = this.nextStage(slice);
      if (slice.next === undefined) continue;
      this.unfinishedSlices++;
      if (this.isHeld(slice)) this.hold(slice);
      else {
        slice.phase = 'ready';
        this.waiting.push(slice);
      }
    }
    this.admit();
  }

  /** Whether all stages of all slices are finished. */
  get isFinished(): boolean {
    return this.unfinishedSlices === 0;
  }

  /** Whether ready slices may wait for others to finish. */
  get isLimited(): boolean {
    return Number.isFinite(this.slicesAtOnce);
  }

  /** The due stages, in the order in which to start them. */
  due(): StageId[] {
    return inOrder(this.running).map(idOf);
  }

  /** Whether the stage is one of a slice. */
  has({ slice, stage }: StageId): boolean {
    return this.slices.get(slice)?.stages.includes(stage) ?? false;
  }

  /**
   * Records that a stage of a slice is done, and so are the stages of the slice before it.
   * @returns the stages that are due since; `undefined` if the slice was not in progress here: other processes are further
   */
  finish({ slice: id, stage }: StageId): StageId[] | undefined {
    const slice = this.slices.get(id);
    if (!slice) return undefined;
    for (const each of slice.stages.slice(0, slice.stages.indexOf(stage) + 1)) {
      if (this.isDone(id, each)) continue;
      this.done.add(stageName({ slice: id, stage: each }));
      if (each === 'enrich') this.countEnriched(slice.day);
      if (each === 'forecast') for (const day of this.forecasts?.finish(slice.day) ?? []) this.release(day);
    }
    const next = this.nextStage(slice);
    if (next === slice.next) return [];
    const wasRunning = slice.phase === 'running';
    this.running.delete(slice);
    this.resumed.delete(slice);
    slice.next = next;
    if (next === undefined) {
      slice.phase = 'finished';
      this.unfinishedSlices--;
    } else if (this.isHeld(slice)) this.hold(slice);
    else this.resume(slice);
    const due = this.admit();
    return wasRunning ? due : undefined;
  }

  private isDone(slice: string, stage: Stage): boolean {
    return this.done.has(stageName({ slice, stage }));
  }

  private nextStage({ id, stages }: SliceState): Stage | undefined {
    return stages.find((stage) => !this.isDone(id, stage));
  }

  /**
   * Whether the slice waits. A day is forecast after it and the days before it are enriched in all chunks of experiments and
   * the day before is forecast, and is aggregated after that. In a bootstrap, it is aggregated when the days it looks back on
   * are enriched. Otherwise it would be forecast and aggregated again after each of them.
   */
  private isHeld({ day, next, waitsForLookBack }: SliceState): boolean {
    if (next === 'forecast') return this.forecasts?.next !== day;
    if (next !== 'aggregate') return false;
    if (this.forecasts) return !this.forecasts.isFinished(day);
    if (!waitsForLookBack) return false;
    for (let back = 0; back <= LOOK_BACK_DAYS; back++) {
      if (this.unenriched.has(day - back)) return true;
    }
    return false;
  }

  private hold(slice: SliceState): void {
    slice.phase = 'held';
    const others = this.held.get(slice.day);
    if (others) others.push(slice);
    else this.held.set(slice.day, [slice]);
  }

  private resume(slice: SliceState): void {
    slice.phase = 'ready';
    this.resumed.add(slice);
  }

  /** Counts a slice of the day as enriched. After the last one, the slices that wait for this day alone are ready. */
  private countEnriched(day: number): void {
    const left = (this.unenriched.get(day) ?? 0) - 1;
    if (left > 0) {
      this.unenriched.set(day, left);
      return;
    }
    this.unenriched.delete(day);
    for (const ready of this.forecasts?.makeReady(day) ?? []) this.release(ready);
    if (this.forecasts) return;
    for (let later = day; later <= day + LOOK_BACK_DAYS; later++) this.release(later);
  }

  /** Makes the slices of a day ready that wait no longer. */
  private release(day: number): void {
    const waiting = (this.held.get(day) ?? []).filter(({ phase }) => phase === 'held');
    const held = waiting.filter((slice) => this.isHeld(slice));
    for (const slice of waiting) if (!held.includes(slice)) this.resume(slice);
    if (held.length > 0) this.held.set(day, held);
    else this.held.delete(day);
  }

  /** Makes the next stages of ready slices due, as far as `slicesAtOnce` allows. */
  private admit(): StageId[] {
    const admitted: SliceState[] = [];
    const resumed = inOrder(this.resumed);
    while (this.running.size < this.slicesAtOnce) {
      const slice = this.takeFirst(resumed);
      if (!slice) break;
      slice.phase = 'running';
      this.running.add(slice);
      admitted.push(slice);
    }
    return admitted.map(idOf);
  }

  /** The first ready slice in the order of the plan. */
  private takeFirst(resumed: SliceState[]): SliceState | undefined {
    while (this.waiting[this.started] && this.waiting[this.started]?.phase !== 'ready') this.started++;
    const [started, first] = [resumed[0], this.waiting[this.started]];
    if (started && (!first || started.index <= first.index)) {
      resumed.shift();
      this.resumed.delete(started);
      return started;
    }
    if (first) this.started++;
    return first;
  }
}

const inOrder = (slices: Iterable<SliceState>): SliceState[] => [...slices].sort((a, b) => a.index - b.index);

const idOf = ({ id, next }: SliceState): StageId => ({ slice: id, stage: next ?? 'fetch' });

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
