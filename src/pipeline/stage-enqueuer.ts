import { concurrently } from '../config/concurrently.js';
import type { ObjectStore } from '../storage/object-store.js';
import { Markers } from './markers.js';
import type { PipelineRun } from './pipeline-run.js';
import { type StageId, stageName } from './stage-contracts.js';
import type { StageJobs } from './stage-jobs.js';
import type { TrackedRun } from './tracked-runs.js';

/** Attempts that are claimed before their jobs are added: the first jobs do not wait for all claims. */
const CLAIMS_AT_ONCE = 64;

export interface StageEnqueuerOptions {
  readonly store: ObjectStore;
  readonly jobs: StageJobs;
  /** The prefix of the queues' keys. */
  readonly queuePrefix: string;
  /** Attempts of one stage of a slice before its pipeline run fails. */
  readonly stageAttempts: number;
  /** Closes the pipeline run as failed. */
  fail(record: PipelineRun, id: StageId, code: string, message: string): Promise<void>;
}

/** Enqueues stages, each once: the number of an attempt is claimed in the store before its job is added to the queue. */
export class StageEnqueuer {
  constructor(private readonly options: StageEnqueuerOptions) {}

  /**
   * Enqueues the stages that were never enqueued.
   * @returns false if other processes are further than `run`, and the markers must be read again
   */
  async fresh(record: PipelineRun, run: TrackedRun, due: readonly StageId[]): Promise<boolean> {
    const { store, queuePrefix: queue } = this.options;
    const markers = new Markers(store, record.id);
    const fresh = due.filter((id) => !run.attempts.has(stageName(id)));
    let claimed = 0;
    await this.addJobs(record, fresh, async (id) => {
      const number = await markers.claimAttempt(id, undefined, { queue });
      run.attempts.set(stageName(id), number);
      if (number !== undefined) claimed++;
      return number;
    });
    return claimed === fresh.length && (claimed > 0 || !run.progress.isLimited);
  }

  /** Enqueues the due stages that have no unfinished job. */
  async all(record: PipelineRun, run: TrackedRun, due: readonly StageId[]): Promise<void> {
    await this.addJobs(record, due, async (id) => {
      const known = run.attempts.get(stageName(id));
      if (known !== undefined && (await this.options.jobs.stateOf(record.id, id, known)) === 'unfinished')
        return;
      return this.replaceAttempt(record, run, id);
    });
  }

  /**
   * Adds jobs in the given order.
   * @param claim claims the number of an attempt; `undefined` if the stage gets no job
   */
  private async addJobs(
    record: PipelineRun,
    stages: readonly StageId[],
    claim: (id: StageId) => Promise<number | undefined>,
  ): Promise<void> {
    for (let at = 0; at < stages.length; at += CLAIMS_AT_ONCE) {
      const batch = stages.slice(at, at + CLAIMS_AT_ONCE);
      const numbers = await concurrently(batch, claim);
      for (const [i, id] of batch.entries()) {
        const number = numbers[i];
        if (number !== undefined) await this.options.jobs.add(record, id, number, 0);
      }
    }
  }

  /** @returns the number of a new attempt, if the last one has no unfinished job and the stage may be attempted again */
  private async replaceAttempt(
    record: PipelineRun,
    { attempts }: TrackedRun,
    id: StageId,
  ): Promise<number | undefined> {
    const { store, jobs, queuePrefix, stageAttempts, fail } = this.options;
    const markers = new Markers(store, record.id);
    const last = await markers.lastAttempt(id);
    // Its job was left in the queue of an older version, or of another installation: this attempt did not fail.
    let isExcused = last !== undefined && last.queue !== queuePrefix;
    if (last && !isExcused) {
      attempts.set(stageName(id), last.number);
      const state = await jobs.stateOf(record.id, id, last.number);
      if (state === 'unfinished') return undefined;
      isExcused = state === 'refused';
      const counted = last.number - last.excused;
      if (!isExcused && counted >= stageAttempts) {
        await fail(record, id, 'too_many_tries', `${counted} attempts failed or were lost`);
        return undefined;
      }
    }
    const number = await markers.claimAttempt(id, last, { queue: queuePrefix, excused: isExcused });
    attempts.set(stageName(id), number);
    return number;
  }
}
