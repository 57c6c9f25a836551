import { concurrently } from '../config/concurrently.js';
import { MonitorError } from '../domain/errors.js';
import { stageName } from './due-stages.js';
import type { Markers } from './markers.js';
import type { PipelineRun } from './pipeline-run.js';
import type { JobPayload, Plan, Slice, Stage, StageResults } from './stage-contracts.js';

/** The input of the handler of a stage. */
export interface StageContext {
  readonly record: PipelineRun;
  /** @throws {MonitorError} `no_plan` in the stage `plan` */
  readonly plan: Plan;
  /** @throws {MonitorError} `no_slice` in the stages `plan` and `publish` */
  readonly slice: Slice;
  /** The result of another stage. @throws {MonitorError} `no_result` if that stage is not done; retryable */
  result<S extends Stage>(slice: string, stage: S): Promise<StageResults[S]>;
  /** The results of a stage of all slices of the plan, in its order. @throws as `result` */
  results<S extends Stage>(stage: S): Promise<StageResults[S][]>;
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
  const slice = plan?.slices.find(({ id }) => id === sliceId);
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
    result,
    results: (stage) => concurrently(plan?.slices ?? [], ({ id }) => result(id, stage)),
  };
}
