import { EventEmitter } from 'node:events';
import type { Job, Queue } from 'bullmq';
import { type Clock } from '../config/runtime.js';
import { errorMessage } from '../domain/errors.js';
import { PIPELINE_KINDS, type PipelineKind } from '../domain/model.js';
import { withLogFields } from '../observability/log-context.js';
import type { RepeatedErrors } from '../observability/repeated-errors.js';
import { reportError } from '../observability/report-error.js';
import { type QueueName } from '../queue/queue-names.js';
import { readKindState } from '../state/kind-state.js';
import { brokenKeyOf, ifReadable } from '../storage/json-document.js';
import { KeyedMutex } from '../storage/keyed-mutex.js';
import type { ObjectStore } from '../storage/object-store.js';
import { ActiveJobs } from './active-jobs.js';
import {
  completePipelineRun,
  describePipelineRun,
  readOutcomes,
  runFields,
  type StageOutcomes,
  summarizePipelineRun,
} from './complete-run.js';
import { Markers } from './markers.js';
import {
  closePipelineRun,
  createPipelineRun,
  ensurePipelineRun,
  type NewPipelineRun,
  type PipelineRun,
  type PipelineRunOutcome,
  readPipelineRun,
  unreadableError,
} from './pipeline-run.js';
import type { Stage, StageId } from './stage-contracts.js';
import { StageEnqueuer } from './stage-enqueuer.js';
import { type Handler, type StageEnd, StageExecution } from './stage-execution.js';
import { isRequestedReevaluation, StageJobs } from './stage-jobs.js';
import { type TrackedRun, TrackedRuns } from './tracked-runs.js';

/** Injection token of the `Engine`. */
export const ENGINE = Symbol('ENGINE');
/** Injection token of the delay before a stage that waits for another service runs again, ms. */
export const WAIT_MS = Symbol('WAIT_MS');
/** Period at which the scheduler and the commands call `Engine.dispatch`, ms: the longest that a job lost by the queue is missing. */
export const DISPATCH_PERIOD_MS = 60_000;

export interface EngineOptions {
  readonly store: ObjectStore;
  readonly queues: Readonly<Record<QueueName, Queue>>;
  /** The prefix of the queues' keys. */
  readonly queuePrefix: string;
  readonly clock: Clock;
  /** Attempts of one stage of a slice before its pipeline run fails. */
  readonly stageAttempts: number;
  /** Delay before a stage that waits for another service runs again, ms. */
  readonly waitMs: number;
  /** Slices of one backfill that may be in the queues at the same time. */
  readonly backfillConcurrency: number;
  readonly log: Readonly<Record<'debug' | 'log' | 'warn' | 'error', (message: string) => void>>;
  /** Logs and counts the errors of stages. */
  readonly errors: Pick<RepeatedErrors, 'report'>;
}

interface EngineEvents {
  progress: [pipelineRunId: string, done: number, all: number];
  stage: [end: StageEnd];
  /** `here`: this process closed it. */
  finished: [record: PipelineRun, here: boolean];
}

/** A pipeline run of which everything is published. */
export interface PublishedRun {
  readonly id: string;
  readonly kind: PipelineKind;
  /** The end of its window, ms. */
  readonly to: number;
  /** The days whose judged objects it may have changed. */
  readonly touched: ReadonlySet<string>;
}

/**
 * Moves pipeline runs forward. The record and the markers in the store are the source of truth; the queue holds only
 * work in flight. The next dispatch enqueues again what the queue lost.
 */
export class Engine {
  readonly events = new EventEmitter<EngineEvents>();
  readonly activeJobs = new ActiveJobs();
  /** Awaited before a published pipeline run is closed, and called again if this process dies meanwhile. It must not throw. */
  afterPublishing: (run: PublishedRun) => Promise<void> = async () => undefined;
  private readonly mutex = new KeyedMutex();
  private readonly jobs: StageJobs;
  private readonly execution: StageExecution;
  private readonly tracked: TrackedRuns;
  private readonly enqueuer: StageEnqueuer;
  /** By kind: why it cannot be dispatched, once logged. */
  private readonly blockedKinds = new Map<PipelineKind, string>();

  constructor(private readonly options: EngineOptions) {
    this.jobs = new StageJobs(options.queues, options.stageAttempts);
    this.tracked = new TrackedRuns(options.store, options.backfillConcurrency);
    this.enqueuer = new StageEnqueuer({
      store: options.store,
      jobs: this.jobs,
      queuePrefix: options.queuePrefix,
      stageAttempts: options.stageAttempts,
      fail: (record, id, code, message) => this.fail(record, id, code, message),
    });
    this.execution = new StageExecution({
      store: options.store,
      jobs: this.jobs,
      activeJobs: this.activeJobs,
      mutex: this.mutex,
      queuePrefix: options.queuePrefix,
      waitMs: options.waitMs,
      log: options.log,
      errors: options.errors,
      advance: ({ kind, id }, ended) => this.advance(kind, id, ended),
      fail: (record, id, code, message) => this.fail(record, id, code, message),
      wake: () => this.wake(),
      onEnd: (end) => this.events.emit('stage', end),
    });
  }

  /** @returns the id of the new pipeline run; `undefined` if none is due */
  async create(kind: PipelineKind, run: Omit<NewPipelineRun, 'now'>): Promise<string | undefined> {
    const id = await createPipelineRun(this.options.store, kind, { ...run, now: this.options.clock() });
    if (id) this.options.log.debug(`${id} created`);
    await this.dispatch();
    return id;
  }

  /**
   * Closes an unfinished pipeline run. Its jobs that wait in the queues do nothing when they run; a running stage completes.
   * @returns the record after the call; the outcome of a run that had finished does not change
   */
  async cancel({ kind, id }: Pick<PipelineRun, 'kind' | 'id'>): Promise<PipelineRun | undefined> {
    const outcome = { status: 'cancelled' as const, error: null, refused: [] };
    const closed = await this.mutex.run(id, () => this.close({ kind, id }, outcome));
    this.wake();
    return closed;
  }

  /** Dispatches soon, for callers that have stored the work and must not wait for a queue that may be unreachable. */
  wake(): void {
    setImmediate(() => this.dispatch().catch((error) => reportError(error, { stage: 'dispatch' })));
  }

  /**
   * Enqueues due stages without an unfinished job. Called every `DISPATCH_PERIOD_MS`, at start, and when a run may begin.
   * A kind whose state is invalid is logged and skipped.
   * @throws the first other error, after all kinds were tried
   */
  async dispatch(): Promise<void> {
    const bootstrap = await ifReadable(readKindState(this.options.store, 'bootstrap'));
    const bootstrapping = bootstrap !== undefined && bootstrap.active.length > 0;
    const errors: unknown[] = [];
    for (const kind of PIPELINE_KINDS) {
      if (bootstrapping && kind !== 'bootstrap' && kind !== 'backfill') continue;
      try {
        await this.dispatchKind(kind);
        this.blockedKinds.delete(kind);
      } catch (error) {
        if (brokenKeyOf(error) === undefined) errors.push(error);
        else this.logBlocked(kind, errorMessage(error));
      }
    }
    if (errors.length > 0) throw errors[0];
  }

  private async dispatchKind(kind: PipelineKind): Promise<void> {
    const [first, ...waiting] = (await readKindState(this.options.store, kind)).active;
    if (!first) return;
    await this.advance(kind, first);
    let canOvertake = waiting.length > 0 && !isRequestedReevaluation(await this.read(kind, first));
    for (const id of waiting) {
      // An invalid record is closed at once, so that views do not show it as waiting.
      const record = await this.read(kind, id);
      // A changed threshold does not wait for a routine pass: its jobs precede those of the pass.
      if (!canOvertake || !isRequestedReevaluation(record)) continue;
      canOvertake = false;
      await this.advance(kind, id);
    }
  }

  /** @returns `undefined` if there is no record; one that is invalid is closed */
  private async read(kind: PipelineKind, id: string): Promise<PipelineRun | undefined> {
    try {
      return await readPipelineRun(this.options.store, id);
    } catch (error) {
      await this.closeUnreadable(kind, id, error);
      return undefined;
    }
  }

  private logBlocked(kind: PipelineKind, message: string): void {
    if (this.blockedKinds.get(kind) === message) return;
    this.blockedKinds.set(kind, message);
    this.options.log.error(`No ${kind} can run: ${message}`);
  }

  private async fail(record: PipelineRun, id: StageId, code: string, message: string): Promise<void> {
    const error = { slice: id.slice, stage: id.stage, code, message };
    await this.close(record, { status: 'failed', error, refused: [] });
  }

  private async close(
    pipelineRun: Pick<PipelineRun, 'kind' | 'id'>,
    outcome: Omit<PipelineRunOutcome, 'summary'>,
    known?: StageOutcomes,
  ): Promise<PipelineRun | undefined> {
    const { store, clock, log } = this.options;
    const outcomes = known ?? (await this.readOutcomes(pipelineRun.id));
    const summary = summarizePipelineRun(outcomes);
    const now = clock();
    const closed = await closePipelineRun(store, pipelineRun, { ...outcome, summary }, now);
    if (!closed) return undefined;
    withLogFields({ pipeline_run_id: closed.id, ...runFields(closed, outcomes) }, () => {
      if (closed.status === 'failed') log.error(describePipelineRun(closed));
      else log.log(describePipelineRun(closed));
    });
    // The first outcome stays, with its time.
    this.events.emit('finished', closed, closed.finished_at === now);
    return closed;
  }

  /** An invalid marker must not keep a run from being closed: the totals are those of the others. */
  private async readOutcomes(id: string): Promise<StageOutcomes> {
    const markers = new Markers(this.options.store, id);
    return readOutcomes(markers, await markers.done(), ifReadable);
  }

  /**
   * Runs one job with the handlers of its queue.
   * @throws {UnrecoverableError} the stage failed for good, or the job is not one of these handlers
   * @throws what the handler threw, if BullMQ is to retry the job
   */
  async runStage(job: Job, handlers: Partial<{ [S in Stage]: Handler<S> }>): Promise<void> {
    await this.execution.run(job, handlers);
  }

  /** @param ended the stage that ended here; without one, jobs that the queue lost are replaced, which costs it a request each */
  private advance(kind: PipelineKind, id: string, ended?: StageId): Promise<void> {
    return this.mutex.run(id, () =>
      this.advanceLocked(kind, id, ended).catch((error) => this.closeUnreadable(kind, id, error)),
    );
  }

  /**
   * Closes a pipeline run that needs an invalid document: it could neither continue nor end.
   * @throws the error, if it has another cause
   */
  private async closeUnreadable(kind: PipelineKind, id: string, cause: unknown): Promise<void> {
    const error = unreadableError(id, cause);
    if (!error) throw cause;
    const closed = await this.close({ kind, id }, { status: 'failed', error, refused: [] });
    if (closed) this.wake();
  }

  private async advanceLocked(kind: PipelineKind, id: string, ended: StageId | undefined): Promise<void> {
    const { store, clock } = this.options;
    const record = await ensurePipelineRun(store, kind, id, null, clock());
    if (record.status !== 'active') {
      this.tracked.forget(id);
      await closePipelineRun(store, record, record, record.finished_at ?? clock());
      return;
    }
    let { run, due } = ended
      ? await this.tracked.ended(kind, id, ended)
      : await this.tracked.load(kind, id).then((run) => ({ run, due: run.progress.due() }));
    this.reportProgress(id, run);
    if (run.progress.isComplete) return this.complete(record);
    if (!ended) return this.enqueuer.all(record, run, due);
    if (await this.enqueuer.fresh(record, run, due)) return;
    run = await this.tracked.load(kind, id);
    await this.enqueuer.fresh(record, run, run.progress.due());
  }

  private reportProgress(id: string, { progress: { counts } }: TrackedRun): void {
    this.events.emit('progress', id, counts.done, counts.all);
  }

  private async complete(record: PipelineRun): Promise<void> {
    const { store } = this.options;
    const markers = new Markers(store, record.id);
    const plan = await markers.plan();
    if (!plan) return;
    // Reads every marker, so that an invalid one closes the run before anything counts as published.
    const outcomes = await readOutcomes(markers, await markers.done());
    const refused = await completePipelineRun(store, record, plan, outcomes);
    if (!summarizePipelineRun(outcomes).left_to_newer) {
      const { id, kind } = record;
      await this.afterPublishing({ id, kind, to: plan.to, touched: outcomes.touched });
    }
    await this.close(record, { status: 'done', error: null, refused }, outcomes);
    // The next run of this kind, or the kinds that a bootstrap holds back, may begin.
    this.wake();
  }
}
