import { MonitorError } from '../domain/errors.js';
import { stageName } from './due-stages.js';
import type { Markers } from './markers.js';
import type { PipelineRun } from './pipeline-run.js';
import type { JobPayload, Plan, Slice, Stage, StageResults } from './stage-contracts.js';

/** What a handler of a stage works with. */
export interface StageContext {
  readonly record: PipelineRun;
  /** @throws {MonitorError} `no_plan` in the stage that makes it */
  readonly plan: Plan;
  /** @throws {MonitorError} `no_slice` for the stages of the whole run */
  readonly slice: Slice;
  result<S extends Stage>(slice: string, stage: S): Promise<StageResults[S]>;
  /** Says that the work moves on: a job that does not for long is stuck, and its process is begun anew. */
  readonly heartbeat: () => void;
}

/** What the markers hold for a job of a run. */
export async function createStageContext(
  record: PipelineRun,
  markers: Markers,
  { slice: sliceId }: JobPayload,
  heartbeat: () => void,
): Promise<StageContext> {
  const plan = await markers.plan();
  const slice = plan?.slices.find(({ id }) => id === sliceId);
  const missing = (code: string, what: string) =>
    new MonitorError(code, `${record.id} has no ${what} yet`, { run: record.id, slice: sliceId }, true);
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
    async result(id, stage) {
      const result = await markers.get(id, stage);
      if (!result) throw missing('no_result', `${stageName({ slice: id, stage })}`);
      return result;
    },
  };
}
