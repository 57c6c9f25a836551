import { type Job, type Queue, UnrecoverableError } from 'bullmq';
import type { PipelineKind } from '../domain/model.js';
import type { QueueName } from '../queue/queue-names.js';
import type { PipelineRun } from './pipeline-run.js';
import { type JobPayload, jobSchema, QUEUE_OF_STAGE, type StageId, stageName } from './stage-contracts.js';
import { unitOf } from './units.js';

/** Lower numbers first; 0 precedes every other priority. Deltas keep the page fresh, so repairs of the past wait for them. */
const PRIORITY: Readonly<Record<PipelineKind, number>> = {
  delta: 0,
  bootstrap: 5,
  backup: 10,
  historical: 15,
  backfill: 20,
  reevaluation: 25,
};
/** A reevaluation on request follows a change of the rules: until it is done, the published statuses are wrong. */
const CHANGED_RULES_PRIORITY = 5;

export const isRequestedReevaluation = (run: PipelineRun | undefined): boolean =>
  run?.kind === 'reevaluation' && run.nominal === null;

const DAY_SECONDS = 86_400;
/**
 * Finished jobs, for Bull Board only: a stage's result is its marker in the store. Ages in seconds. The help of the metric
 * `queue_jobs` (`src/health/metrics.ts`) names the age of failed jobs.
 */
const COMPLETED_JOB_RETENTION = { age: DAY_SECONDS, count: 1_000 } as const;
const FAILED_JOB_RETENTION = { age: 14 * DAY_SECONDS } as const;
/** Between two attempts of one job; the first delay in ms. */
const BACKOFF = { type: 'exponential', delay: 1_000, jitter: 0.5 } as const;

const UNFINISHED: ReadonlySet<string> = new Set([
  'waiting',
  'active',
  'delayed',
  'prioritized',
  'waiting-children',
  'paused',
]);

/** `<pipeline run>.<slice>.<stage>.<number>`: unique, since a number is claimed once. */
export const stageJobId = (pipelineRunId: string, id: StageId, number: number): string =>
  `${pipelineRunId}.${stageName(id)}.${number}`;

/** Part of the error of `parseStageJob`, which every version writes: it stays. */
const UNKNOWN_FORMAT = 'has an unknown format';

/**
 * @throws {UnrecoverableError} another version of the service enqueued the job, for a stage or unit that this one does not
 * know. The pipeline run goes on: the version that enqueued the job does so again, and does not count this attempt
 */
export function parseStageJob(job: Job): JobPayload {
  const payload = jobSchema.safeParse(job.data);
  if (payload.success && payload.data.stage === job.name) return payload.data;
  throw new UnrecoverableError(`Job ${job.id} ${UNKNOWN_FORMAT}: another version enqueued it`);
}

/** `refused`: a process of a version that does not know the stage took it. `ended`: finished in another way, or lost. */
export type JobState = 'unfinished' | 'refused' | 'ended';

/** The number of the attempt that is running, from 1. */
export const attemptOf = (job: Job): number => job.attemptsMade + 1;

/** Whether BullMQ will not retry the job if the running attempt fails. */
export const isLastAttempt = (job: Job): boolean => attemptOf(job) >= (job.opts.attempts ?? 1);

/** The stages of pipeline runs as BullMQ jobs. */
export class StageJobs {
  /** @param attempts how often BullMQ tries one job */
  constructor(
    private readonly queues: Readonly<Record<QueueName, Queue>>,
    private readonly attempts: number,
  ) {}

  async stateOf(pipelineRunId: string, id: StageId, number: number): Promise<JobState> {
    const job = await this.queueOf(id).getJob(stageJobId(pipelineRunId, id, number));
    if (job === undefined) return 'ended';
    if (UNFINISHED.has(await job.getState())) return 'unfinished';
    return job.failedReason?.includes(UNKNOWN_FORMAT) ? 'refused' : 'ended';
  }

  /** Does nothing if the queue knows the job id. */
  async add(pipelineRun: PipelineRun, id: StageId, number: number, delayMs: number): Promise<void> {
    const { slice, stage } = id;
    const version = unitOf(slice)?.part === undefined ? 1 : 2;
    const payload: JobPayload = { version, run: pipelineRun.id, slice, stage };
    await this.queueOf(id).add(stage, payload, {
      jobId: stageJobId(pipelineRun.id, id, number),
      attempts: this.attempts,
      backoff: BACKOFF,
      delay: delayMs,
      priority: isRequestedReevaluation(pipelineRun) ? CHANGED_RULES_PRIORITY : PRIORITY[pipelineRun.kind],
      removeOnComplete: COMPLETED_JOB_RETENTION,
      removeOnFail: FAILED_JOB_RETENTION,
    });
  }

  private queueOf({ stage }: StageId): Queue {
    return this.queues[QUEUE_OF_STAGE[stage]];
  }
}
