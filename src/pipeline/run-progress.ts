import type { PipelineKind } from '../domain/model.js';
import { SliceProgress } from './slice-progress.js';
import { ALL_SLICES, type Plan, type Stage, type StageId, stageName } from './stage-contracts.js';
import { type Unit, unitId } from './units.js';

/** The stages that select units, in their order. */
export const SELECTING = [
  'select-judge',
  'select-forecast',
  'select-rebuild',
] as const satisfies readonly Stage[];
type Selecting = (typeof SELECTING)[number];
/** The stage that runs for each unit. */
const STAGE_OF_UNITS = {
  'select-judge': 'judge',
  'select-forecast': 'forecast',
  'select-rebuild': 'rebuild',
} as const satisfies Record<Selecting, Stage>;
/** The forecasts of a day continue those of the day before: its units run one after another. */
const isSequential = (selecting: Selecting): boolean => selecting === 'select-forecast';

/** The slices of the other kinds are judged when they are enriched. */
const selectionsOf = (kind: PipelineKind): readonly Selecting[] =>
  kind === 'reevaluation' ? SELECTING : ['select-forecast', 'select-rebuild'];

/** The units that a pipeline run has selected. Absent until that stage is done. */
export type SelectedUnits = Readonly<Partial<Record<Selecting, readonly Unit[]>>>;

export interface ProgressInputs {
  readonly kind: PipelineKind;
  /** `undefined` until the stage `plan` is done. */
  readonly plan: Plan | undefined;
  /** Names of the finished stages. */
  readonly done: Iterable<string>;
  readonly selected?: SelectedUnits;
  /** Of how many slices stages may be due at the same time. */
  readonly slicesAtOnce?: number | undefined;
}

/**
 * How far a pipeline run is, and which of its stages are due, from its plan and the names of its finished stages: `plan`,
 * the slices, the selections with their units one after another, and `publish`.
 */
export class RunProgress {
  private readonly done: Set<string>;
  private readonly slices: SliceProgress | undefined;
  /** The stages of units that are not done, by the stage that selected them. */
  private readonly units = new Map<Selecting, Units>();

  constructor(private readonly run: ProgressInputs) {
    const { kind, plan, selected = {}, slicesAtOnce } = run;
    this.done = new Set(run.done);
    this.slices = plan && new SliceProgress(kind, plan, this.done, slicesAtOnce);
    for (const selecting of selectionsOf(kind)) {
      const ids = (selected[selecting] ?? []).map((unit) => ({
        slice: unitId(unit),
        stage: STAGE_OF_UNITS[selecting],
      }));
      const left = ids.filter((id) => !this.done.has(stageName(id)));
      this.units.set(selecting, new Units(left, isSequential(selecting)));
    }
  }

  /** The number of finished stages, and of all that are known: units count once they are selected. */
  get counts(): { readonly done: number; readonly all: number } {
    const { kind, plan, selected = {} } = this.run;
    let all = 1 + (this.slices?.count ?? 0);
    for (const selecting of selectionsOf(kind)) all += 1 + (selected[selecting]?.length ?? 0);
    if (plan?.changes) all++;
    return { done: this.isComplete ? all : Math.min(this.done.size, all - 1), all };
  }

  /** Whether everything is published. */
  get isComplete(): boolean {
    return this.position() === undefined;
  }

  /**
   * Whether slices wait for others to finish. Which of them comes next then depends on what other processes have finished:
   * if nothing new is due here, they are further.
   */
  get isLimited(): boolean {
    const position = this.position();
    return position instanceof SliceProgress && position.isLimited;
  }

  /** The due stages, in the order in which to start them. */
  due(): StageId[] {
    const position = this.position();
    if (position === undefined) return [];
    if (position instanceof SliceProgress) return position.due();
    if (position instanceof Units) return position.due();
    return [{ slice: ALL_SLICES, stage: position }];
  }

  /** What is to be done now: a stage of the whole run, stages of slices, or those of units. */
  private position(): Stage | SliceProgress | Units | undefined {
    // Older versions publish everything in this stage.
    if (this.isDone('publish')) return undefined;
    if (!this.slices) return 'plan';
    if (!this.slices.isFinished) return this.slices;
    for (const [selecting, left] of this.units) {
      if (!this.isDone(selecting)) return selecting;
      if (left.isUnfinished) return left;
    }
    return this.run.plan?.changes ? 'publish' : undefined;
  }

  /**
   * Records that a stage of a slice or unit is done.
   * @returns the stages that are due since; `undefined` if this cannot be known without the store: after a stage of the
   * whole run, or if other processes are further
   */
  finish(id: StageId): StageId[] | undefined {
    if (this.slices?.has(id)) {
      const due = this.slices.finish(id);
      return due && this.slices.isFinished ? this.due() : due;
    }
    for (const [, left] of this.units) {
      const due = left.finish(id);
      if (!due) continue;
      this.done.add(stageName(id));
      return left.isUnfinished ? due : this.due();
    }
    return this.done.has(stageName(id)) && id.slice !== ALL_SLICES ? [] : undefined;
  }

  private isDone(stage: Stage): boolean {
    return this.done.has(stageName({ slice: ALL_SLICES, stage }));
  }
}

/** The stages of selected units that are not done. */
class Units {
  private readonly left: Map<string, StageId>;

  /** @param isSequential one is due at a time, in the order of the selection; otherwise all of them */
  constructor(
    left: readonly StageId[],
    private readonly isSequential: boolean,
  ) {
    this.left = new Map(left.map((id) => [stageName(id), id]));
  }

  get isUnfinished(): boolean {
    return this.left.size > 0;
  }

  due(): StageId[] {
    const left = [...this.left.values()];
    return this.isSequential ? left.slice(0, 1) : left;
  }

  /** @returns the stages that are due since; undefined if it is none of these stages */
  finish(id: StageId): StageId[] | undefined {
    const name = stageName(id);
    if (!this.left.has(name)) return undefined;
    // Those before it have run, too: in another process, if they are not known to be done here.
    for (const each of this.isSequential ? [...this.left.keys()] : []) {
      if (each === name) break;
      this.left.delete(each);
    }
    this.left.delete(name);
    return this.isSequential ? this.due() : [];
  }
}
