import type { PipelineKind } from '../domain/model.js';
import type { ObjectStore } from '../storage/object-store.js';
import { Markers } from './markers.js';
import { RunProgress, SELECTING, type SelectedUnits } from './run-progress.js';
import { ALL_SLICES, type StageId, stageName } from './stage-contracts.js';
import type { Unit } from './units.js';

/** A pipeline run as this process knows it: other processes may be further. */
export interface TrackedRun {
  readonly progress: RunProgress;
  /** The number of the last attempt of each stage that was ever enqueued; `undefined` if it is not known. */
  readonly attempts: Map<string, number | undefined>;
  /** Stages that ended here since the markers were listed. */
  endsSinceListing: number;
  readonly listedAt: number;
}

/** The stages that end between two listings of the markers: this share of those that are left, so that a run of any size needs few. */
const LISTING_SHARE = 1 / 16;
/** Markers that were listed longer ago are listed at the next end of a stage, ms. */
const LISTING_AGE_MS = 10_000;
/** More than the pipeline runs that are unfinished at the same time. */
const MAX_TRACKED = 16;

/**
 * What this process knows about the progress of the unfinished pipeline runs. The markers are the truth; they are listed
 * seldom enough for the end of a stage to cost the same in runs of any size.
 */
export class TrackedRuns {
  private readonly runs = new Map<string, TrackedRun>();

  constructor(
    private readonly store: ObjectStore,
    private readonly backfillConcurrency: number,
    /** ms */
    private readonly monotonicNow: () => number = () => performance.now(),
  ) {}

  /** Reads the markers of a pipeline run. */
  async load(kind: PipelineKind, id: string): Promise<TrackedRun> {
    const markers = new Markers(this.store, id);
    const listedAt = this.monotonicNow();
    // The plan and the selections are read after the listing, which has no stage that follows from them alone.
    const { done, tries } = await markers.names();
    const plan = await markers.plan();
    const selected: Partial<Record<keyof SelectedUnits, readonly Unit[]>> = {};
    for (const stage of SELECTING) {
      if (done.has(stageName({ slice: ALL_SLICES, stage }))) {
        selected[stage] = (await markers.get(ALL_SLICES, stage))?.units ?? [];
      }
    }
    const slicesAtOnce = kind === 'backfill' ? this.backfillConcurrency : undefined;
    const known = this.runs.get(id)?.attempts;
    const run = {
      progress: new RunProgress({ kind, plan, done, selected, slicesAtOnce }),
      attempts: new Map([...tries].map((name) => [name, known?.get(name)])),
      endsSinceListing: 0,
      listedAt,
    };
    this.runs.delete(id);
    const [oldest] = this.runs.keys();
    if (this.runs.size >= MAX_TRACKED && oldest !== undefined) this.runs.delete(oldest);
    this.runs.set(id, run);
    return run;
  }

  /**
   * Records that a stage has ended here.
   * @returns the stages that are due since; all that are due if the markers were listed
   */
  async ended(kind: PipelineKind, id: string, stage: StageId): Promise<{ run: TrackedRun; due: StageId[] }> {
    const known = this.runs.get(id);
    if (known && !this.isOutdated(known, stage)) {
      known.endsSinceListing++;
      const due = known.progress.finish(stage);
      if (due && !known.progress.isComplete) return { run: known, due };
    }
    const run = await this.load(kind, id);
    return { run, due: run.progress.due() };
  }

  forget(id: string): void {
    this.runs.delete(id);
  }

  private isOutdated({ progress, endsSinceListing, listedAt }: TrackedRun, { slice }: StageId): boolean {
    const { done, all } = progress.counts;
    return (
      slice === ALL_SLICES ||
      endsSinceListing + 1 >= (all - done) * LISTING_SHARE ||
      this.monotonicNow() - listedAt > LISTING_AGE_MS
    );
  }
}
