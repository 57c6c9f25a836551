import { concurrently } from '../config/concurrently.js';
import { MonitorError } from '../domain/errors.js';
import type { Markers } from './markers.js';
import type { PipelineRun } from './pipeline-run.js';
import {
  type JobPayload,
  type Plan,
  type Slice,
  type Stage,
  type StageResults,
  stageName,
} from './stage-contracts.js';
import { type Unit, unitOf } from './units.js';

/** The input of the handler of a stage. */
export interface StageContext {
  readonly record: PipelineRun;
  /** @throws {MonitorError} `no_plan` in the stage `plan` */
  readonly plan: Plan;
  /** @throws {MonitorError} `no_slice` in stages that do not run for a slice */
  readonly slice: Slice;
  /** Whether the stage runs for a unit: `forecast` runs for slices of historical runs as well. */
  readonly isUnit: boolean;
  /** @throws {MonitorError} `no_unit` in stages that do not run for a unit */
  readonly unit: Unit;
  /** The result of another stage. @throws {MonitorError} `no_result` if that stage is not done; retryable */
  result<S extends Stage>(slice: string, stage: S): Promise<StageResults[S]>;
  /** The results of a stage of all slices of the plan, in its order. @throws as `result` */
  results<S extends Stage>(stage: S): Promise<StageResults[S][]>;
  /** The results of a stage that are stored by now, by slice or unit. */
  stored<S extends Stage>(stage: S): Promise<Map<string, StageResults[S]>>;
  /** To be called on progress: without it for the stall timeout, `/health/live` returns 503 and the process is restarted. */
  readonly heartbeat: () => void;
}

/** Reads the context of a job from the markers of its pipeline run. */
export async function createStageContext(
  record: PipelineRun,
  markers: Markers,
  { slice: sliceId }: JobPayload,
  heartbeat: () => void,
): Promise<StageContext> {
  const plan = await markers.plan();
  const slice = plan && slicesOf(plan).get(sliceId);
  const unit = unitOf(sliceId);
  let done: Promise<Set<string>> | undefined;
  const missing = (code: string, name: string) =>
    new MonitorError(code, `${record.id} has no ${name} yet`, { run: record.id, slice: sliceId }, true);
  const result = async <S extends Stage>(id: string, stage: S): Promise<StageResults[S]> => {
    const found = await markers.get(id, stage);
    if (!found) throw missing('no_result', stageName({ slice: id, stage }));
    return found;
  };
  return {
    record,
    heartbeat,
    get plan() {
      if (!plan) throw missing('no_plan', 'plan');
      return plan;
    },
    get slice() {
      if (!slice) throw missing('no_slice', `slice ${sliceId}`);
      return slice;
    },
    isUnit: unit !== undefined,
    get unit() {
      if (!unit) throw missing('no_unit', `unit ${sliceId}`);
      return unit;
    },
    result,
    async stored(stage) {
      done ??= markers.done();
      return markers.results(stage, await done);
    },
    results: (stage) => concurrently(plan?.slices ?? [], ({ id }) => result(id, stage)),
  };
}

const slicesByPlan = new WeakMap<Plan, ReadonlyMap<string, Slice>>();

/** The slices of a plan by id. */
function slicesOf(plan: Plan): ReadonlyMap<string, Slice> {
  const known = slicesByPlan.get(plan) ?? new Map(plan.slices.map((slice) => [slice.id, slice]));
  slicesByPlan.set(plan, known);
  return known;
}
