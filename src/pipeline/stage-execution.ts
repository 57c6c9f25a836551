import { type Job, UnrecoverableError } from 'bullmq';
import { errorMessage, MonitorError } from '../domain/errors.js';
import { type LogFields, withLogContext, withLogFields } from '../observability/log-context.js';
import type { RepeatedErrors } from '../observability/repeated-errors.js';
import { describeError } from '../observability/report-error.js';
import type { QueueName } from '../queue/queue-names.js';
import { brokenKeyOf } from '../storage/json-document.js';
import type { KeyedMutex } from '../storage/keyed-mutex.js';
import { latestOf } from '../storage/latest-objects.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { ActiveJobs } from './active-jobs.js';
import { Markers } from './markers.js';
import { type PipelineRun, readPipelineRun } from './pipeline-run.js';
import { createStageContext, type StageContext } from './stage-context.js';
import {
  type JobPayload,
  type QUEUE_OF_STAGE,
  type Stage,
  type StageId,
  type StageResults,
  stageName,
} from './stage-contracts.js';
import { attemptOf, isLastAttempt, parseStageJob, type StageJobs, stageJobId } from './stage-jobs.js';

export type Handler<S extends Stage> = (context: StageContext) => Promise<StageResults[S]>;
/** A handler for every stage of a queue; a missing one does not compile. */
export type HandlersOf<Q extends QueueName> = {
  readonly [S in Stage as (typeof QUEUE_OF_STAGE)[S] extends Q ? S : never]: Handler<S>;
};

/** How an execution of a stage ended. */
export interface StageEnd {
  readonly stage: Stage;
  /** `retried`: it runs again; `waiting`: it runs again after `waitMs`; `failed`: its pipeline run failed with it. */
  readonly outcome: 'done' | 'retried' | 'waiting' | 'failed';
  readonly seconds: number;
  /** `null` unless `done`. */
  readonly result: StageResults[Stage] | null;
}

/** Codes of errors of a stage that waits for another service or process. It may wait for any time: these attempts are not counted. */
const WAITING_CODES: ReadonlySet<string> = new Set(['catalog_awaited', 'newer_process']);

export interface StageExecutionOptions {
  readonly store: ObjectStore;
  readonly jobs: StageJobs;
  readonly activeJobs: ActiveJobs;
  /** One operation at a time on each pipeline run, by its id. */
  readonly mutex: KeyedMutex;
  /** The prefix of the queues' keys. */
  readonly queuePrefix: string;
  /** Delay before a stage that waits for another service runs again, ms. */
  readonly waitMs: number;
  readonly log: Readonly<Record<'debug' | 'warn', (message: string) => void>>;
  readonly errors: Pick<RepeatedErrors, 'report'>;
  /** Enqueues the stages that are due: since the end of a stage, or all of them and also in place of lost jobs. */
  advance(record: PipelineRun, ended?: StageId): Promise<void>;
  /** Closes the pipeline run as failed. */
  fail(record: PipelineRun, id: StageId, code: string, message: string): Promise<void>;
  /** Dispatches soon. */
  wake(): void;
  onEnd(end: StageEnd): void;
}

/** Executes stages: one job of a queue at a time each, with what happens when its handler fails. */
export class StageExecution {
  constructor(private readonly options: StageExecutionOptions) {}

  /**
   * Runs one job with the handlers of its queue.
   * @throws {UnrecoverableError} the stage failed for good, or the job is not one of these handlers
   * @throws what the handler threw, if BullMQ is to retry the job
   */
  async run(job: Job, handlers: Partial<{ [S in Stage]: Handler<S> }>): Promise<void> {
    const payload = parseStageJob(job);
    const handler = handlers[payload.stage];
    if (!handler) throw new UnrecoverableError(`No handler for the stage ${payload.stage}`);
    const job_id = `${job.id}`;
    await withLogContext({ pipeline_run_id: payload.run, job_id }, () =>
      this.options.activeJobs.track(job_id, (heartbeat) =>
        this.executeStage(job, payload, handler, heartbeat),
      ),
    );
  }

  private async executeStage(
    job: Job,
    payload: JobPayload,
    handler: Handler<Stage>,
    heartbeat: () => void,
  ): Promise<void> {
    const { store, log, advance, onEnd } = this.options;
    const { stage } = payload;
    const record = await this.recordOf(payload);
    if (record?.status !== 'active') return;
    const markers = new Markers(store, record.id);
    if (!(await markers.has(payload))) {
      const startedAt = performance.now();
      const reportEnd = (outcome: StageEnd['outcome'], result: StageResults[Stage] | null = null) => {
        const seconds = secondsSince(startedAt);
        onEnd({ stage, outcome, seconds, result });
        return seconds;
      };
      let result: StageResults[Stage];
      try {
        result = await handler(await createStageContext(record, markers, payload, heartbeat));
        // A pipeline run is complete when all its markers are there: readers must then find what it published.
        await latestOf(store).save();
        await markers.put(payload.slice, stage, result, secondsSince(startedAt));
      } catch (error) {
        await this.handleError(job, payload, record, error, reportEnd);
        return;
      }
      const seconds = reportEnd('done', result);
      const fields = { stage, slice: payload.slice, attempt: attemptOf(job), seconds, ...sizesOf(result) };
      withLogFields(fields, () =>
        log.debug(`${stageName(payload)} of ${record.id} finished in ${seconds.toFixed(1)} s`),
      );
      this.reportRefused(stage, result);
    }
    await advance(record, payload);
  }

  /** @throws {UnrecoverableError} the record is invalid: the next dispatch closes the pipeline run */
  private async recordOf(payload: JobPayload): Promise<PipelineRun | undefined> {
    try {
      return await readPipelineRun(this.options.store, payload.run);
    } catch (error) {
      if (brokenKeyOf(error) === undefined) throw error;
      this.options.wake();
      throw new UnrecoverableError(errorMessage(error));
    }
  }

  private async handleError(
    job: Job,
    payload: JobPayload,
    record: PipelineRun,
    error: unknown,
    reportEnd: (outcome: StageEnd['outcome']) => void,
  ): Promise<void> {
    const { store, log, advance, fail, mutex } = this.options;
    const code = error instanceof MonitorError ? error.code : 'unexpected';
    const message = errorMessage(error);
    if (code === 'raw_page_gone') {
      reportEnd('retried');
      log.warn(`${message}; fetching ${payload.slice} again`);
      await new Markers(store, record.id).remove({ slice: payload.slice, stage: 'fetch' });
      await advance(record);
      return;
    }
    if (WAITING_CODES.has(code)) {
      reportEnd('waiting');
      await mutex.run(record.id, () => this.postpone(job, payload, record, message));
      return;
    }
    const { stage } = payload;
    const attempt = attemptOf(job);
    this.options.errors.report({ ...describeError(error), experiment_id: null, stage, attempt });
    const isPermanent = error instanceof MonitorError && !error.retryable;
    const fails = isPermanent || isLastAttempt(job);
    reportEnd(fails ? 'failed' : 'retried');
    if (!fails) throw error;
    await fail(record, payload, code, message);
    throw new UnrecoverableError(message);
  }

  /** The experiments that could not be read: their slices go on without them. */
  private reportRefused(stage: Stage, result: StageResults[Stage]): void {
    if (!('refused' in result)) return;
    for (const { experiment_id, message } of result.refused) {
      const error = { code: 'experiment_refused', upstream: 'mlflow', experiment_id, stage, attempt: null };
      this.options.errors.report({ ...error, message, advice: null });
    }
  }

  /** Replaces the attempt, which does not count, by a delayed one. */
  private async postpone(job: Job, payload: JobPayload, record: PipelineRun, message: string): Promise<void> {
    const { store, jobs, queuePrefix, waitMs, log } = this.options;
    const markers = new Markers(store, record.id);
    const last = await markers.lastAttempt(payload);
    // Another execution of this job has postponed it already.
    if (!last || job.id !== stageJobId(record.id, payload, last.number)) return;
    if (last.excused === 0) log.warn(`${stageName(payload)} of ${record.id} waits: ${message}`);
    const number = await markers.claimAttempt(payload, last, {
      queue: queuePrefix,
      excused: true,
    });
    if (number !== undefined) await jobs.add(record, payload, number, waitMs);
  }
}

/** To the millisecond. @param start by `performance.now()` */
const secondsSince = (start: number): number => Math.round(performance.now() - start) / 1000;

/** The numbers of a result, and how many entries its lists have, for the log. */
export function sizesOf(result: object): LogFields {
  const sizes: Record<string, number> = {};
  for (const [name, value] of Object.entries(result)) {
    if (typeof value === 'number') sizes[name] = value;
    else if (Array.isArray(value)) sizes[name] = value.length;
  }
  return sizes;
}
