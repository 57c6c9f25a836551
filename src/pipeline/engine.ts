import { EventEmitter } from 'node:events';
import type { Job, Queue } from 'bullmq';
import { UnrecoverableError } from 'bullmq';
import { type Clock } from '../config/runtime.js';
import { MonitorError } from '../domain/errors.js';
import { PIPELINE_KINDS, type PipelineKind } from '../domain/model.js';
import { withLogContext } from '../observability/log-context.js';
import { type QueueName } from '../queue/queue-names.js';
import { readKindState } from '../state/kind-state.js';
import { KeyedMutex } from '../storage/keyed-mutex.js';
import type { ObjectStore } from '../storage/object-store.js';
import { ActiveJobs } from './active-jobs.js';
import { completePipelineRun, describePipelineRun, summarizePipelineRun } from './complete-run.js';
import { dueStages, progressOf, type StageId, stageName } from './due-stages.js';
import { Markers } from './markers.js';
import {
  closePipelineRun,
  createPipelineRun,
  ensurePipelineRun,
  type NewPipelineRun,
  type PipelineRun,
  type PipelineRunOutcome,
  readPipelineRun,
} from './pipeline-run.js';
import { createStageContext, type StageContext } from './stage-context.js';
import {
  type JobPayload,
  jobSchema,
  QUEUE_OF_STAGE,
  type Stage,
  type StageResults,
} from './stage-contracts.js';

/** Injection token of the `Engine`. */
export const ENGINE = Symbol('ENGINE');
/** Injection token of the delay before a stage that waits for another service runs again, ms. */
export const WAIT_MS = Symbol('WAIT_MS');

export type Handler<S extends Stage> = (context: StageContext) => Promise<StageResults[S]>;
/** A handler for every stage of a queue: the compiler shows the one that is missing. */
export type HandlersOf<Q extends QueueName> = {
  readonly [S in Stage as (typeof QUEUE_OF_STAGE)[S] extends Q ? S : never]: Handler<S>;
};

export interface EngineOptions {
  readonly store: ObjectStore;
  readonly queues: Readonly<Record<QueueName, Queue>>;
  readonly clock: Clock;
  readonly stageTries: number;
  /** How long a stage stays away that found it must wait for another service, ms. */
  readonly waitMs: number;
  /** Slices of one backfill that may be in the queues at the same time. */
  readonly backfillConcurrency: number;
  readonly log: Readonly<Record<'debug' | 'log' | 'warn' | 'error', (message: string) => void>>;
}

/** Deltas keep the page fresh, so they go before everything that mends the past. */
const PRIORITY: Readonly<Record<PipelineKind, number>> = {
  delta: 0,
  bootstrap: 5,
  backup: 10,
  historical: 15,
  backfill: 20,
  reevaluation: 25,
};
/** Only an asked-for reevaluation is one for changed rules: what it judges is wrong until then. */
const CHANGED_RULES_PRIORITY = 5;
/** Errors of stages that wait for another service, however long it takes: no try is counted. */
const WAITS: ReadonlySet<string> = new Set(['catalog_awaited']);
const LIVE = new Set(['waiting', 'active', 'delayed', 'prioritized', 'waiting-children', 'paused']);
const DAY_SECONDS = 86_400;

/** How an execution of a stage ended. `result`: what it left behind; null: it is not done. */
export interface StageEnd {
  readonly stage: Stage;
  /** `retried`: it will be tried again; `waiting`: it stays away until another service answers; `failed`: so did its run. */
  readonly outcome: 'done' | 'retried' | 'waiting' | 'failed';
  readonly seconds: number;
  readonly result: StageResults[Stage] | null;
}

interface EngineEvents {
  progress: [runId: string, done: number, all: number];
  stage: [end: StageEnd];
  /** `here`: it was this process that closed it. */
  finished: [record: PipelineRun, here: boolean];
}

/**
 * Moves pipeline runs forward. The record and the markers in the store are the truth; the queue holds only work in
 * flight, and whatever it loses is found missing and enqueued again.
 */
export class Engine {
  readonly events = new EventEmitter<EngineEvents>();
  private readonly mutex = new KeyedMutex();
  readonly activeJobs = new ActiveJobs();

  constructor(private readonly options: EngineOptions) {}

  /** @returns the id of the new run; undefined if there is nothing new to do */
  async create(kind: PipelineKind, run: Omit<NewPipelineRun, 'now'>): Promise<string | undefined> {
    const id = await createPipelineRun(this.options.store, kind, { ...run, now: this.options.clock() });
    if (id) this.options.log.debug(`${id} is to be done`);
    await this.dispatch();
    return id;
  }

  /**
   * Closes a run that is not finished. What of it waits in the queues does nothing when its turn comes; a stage at work ends.
   * @returns the record as it is now: a run that was finished before stays as it is
   */
  async cancel({ kind, id }: Pick<PipelineRun, 'kind' | 'id'>): Promise<PipelineRun | undefined> {
    const outcome = { status: 'cancelled' as const, error: null, refused: [] };
    const closed = await this.mutex.run(id, () => this.close({ kind, id }, outcome));
    this.wake();
    return closed;
  }

  /** Dispatches soon, for callers that have stored what is to be done and must not wait for a queue that is away. */
  wake(): void {
    setImmediate(() => this.dispatch().catch((error) => this.options.log.warn(`Dispatching: ${error}`)));
  }

  /** Enqueues what is due and has no live job: once a minute, at start, and whenever a run may begin. */
  async dispatch(): Promise<void> {
    const { store } = this.options;
    const bootstrapping = (await readKindState(store, 'bootstrap')).active.length > 0;
    for (const kind of PIPELINE_KINDS) {
      if (bootstrapping && kind !== 'bootstrap' && kind !== 'backfill') continue;
      const [first] = (await readKindState(store, kind)).active;
      if (first) await this.advance(kind, first, 'all');
    }
  }

  /** Works on one job; the handlers are those of its queue. */
  async runStage(job: Job, handlers: Partial<{ [S in Stage]: Handler<S> }>): Promise<void> {
    const payload = jobSchema.safeParse(job.data);
    if (!payload.success || payload.data.stage !== job.name) {
      throw new UnrecoverableError(`The job ${job.id} is none of this version`);
    }
    const { run, stage } = payload.data;
    const handler = handlers[stage];
    if (!handler) throw new UnrecoverableError(`The stage ${stage} is not done here`);
    const job_id = `${job.id}`;
    await withLogContext({ pipeline_run_id: run, job_id }, () =>
      this.activeJobs.track(job_id, (heartbeat) => this.work(job, payload.data, handler, heartbeat)),
    );
  }

  private async work(
    job: Job,
    payload: JobPayload,
    handler: Handler<Stage>,
    heartbeat: () => void,
  ): Promise<void> {
    const { store, log } = this.options;
    const { stage } = payload;
    const record = await readPipelineRun(store, payload.run);
    if (record?.status !== 'active') return;
    const markers = new Markers(store, record.id);
    if (!(await markers.has(payload))) {
      const begun = performance.now();
      const ended = (outcome: StageEnd['outcome'], result: StageResults[Stage] | null = null) => {
        const seconds = (performance.now() - begun) / 1000;
        this.events.emit('stage', { stage, outcome, seconds, result });
        return seconds;
      };
      let result: StageResults[Stage];
      try {
        result = await handler(await createStageContext(record, markers, payload, heartbeat));
        await markers.put(payload.slice, stage, result);
      } catch (error) {
        await this.failed(job, payload, record, error, ended);
        return;
      }
      const seconds = ended('done', result);
      log.debug(`${stageName(payload)} of ${record.id} is done in ${seconds.toFixed(1)} s`);
    }
    await this.advance(record.kind, record.id, 'new');
  }

  private async failed(
    job: Job,
    payload: JobPayload,
    record: PipelineRun,
    error: unknown,
    ended: (outcome: StageEnd['outcome']) => void,
  ): Promise<void> {
    const { store, log } = this.options;
    const code = error instanceof MonitorError ? error.code : 'unexpected';
    const message = error instanceof Error ? error.message : String(error);
    if (code === 'raw_page_gone') {
      ended('retried');
      log.warn(`${message}; ${payload.slice} is fetched again`);
      await new Markers(store, record.id).remove({ slice: payload.slice, stage: 'fetch' });
      await this.advance(record.kind, record.id, 'all');
      return;
    }
    if (WAITS.has(code)) {
      ended('waiting');
      await this.mutex.run(record.id, () => this.postpone(job, payload, record, message));
      return;
    }
    const lasting = error instanceof MonitorError && !error.retryable;
    const lastAttempt = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    log.warn(`${stageName(payload)} of ${record.id}, attempt ${job.attemptsMade + 1}: ${message}`);
    const fails = lasting || lastAttempt;
    ended(fails ? 'failed' : 'retried');
    if (!fails) throw error;
    await this.fail(record, payload, code, message);
    throw new UnrecoverableError(message);
  }

  /** Enqueues the next try for later, in the place of this one, which does not count. */
  private async postpone(job: Job, payload: JobPayload, record: PipelineRun, message: string): Promise<void> {
    const markers = new Markers(this.options.store, record.id);
    const last = await markers.lastTry(payload);
    // Another execution of this job has been faster.
    if (!last || job.id !== jobIdOf(record, payload, last.number)) return;
    if (last.excused === 0) this.options.log.warn(`${stageName(payload)} of ${record.id} waits: ${message}`);
    const number = await markers.nextTry(payload, last, true);
    if (number !== undefined) await this.add(record, payload, number, this.options.waitMs);
  }

  private async fail(record: PipelineRun, id: StageId, code: string, message: string): Promise<void> {
    const error = { slice: id.slice, stage: id.stage, code, message };
    await this.close(record, { status: 'failed', error, refused: [] });
  }

  private async close(
    run: Pick<PipelineRun, 'kind' | 'id'>,
    outcome: Omit<PipelineRunOutcome, 'summary'>,
  ): Promise<PipelineRun | undefined> {
    const { store, clock, log } = this.options;
    const summary = await summarizePipelineRun(new Markers(store, run.id));
    const now = clock();
    const closed = await closePipelineRun(store, run, { ...outcome, summary }, now);
    if (!closed) return undefined;
    if (closed.status === 'failed') log.error(describePipelineRun(closed));
    else log.log(describePipelineRun(closed));
    // The first outcome stays, with its time.
    this.events.emit('finished', closed, closed.finished_at === now);
    return closed;
  }

  /**
   * @param which `new`: enqueues only stages that were never tried, which after a finished stage are those that wait
   * for nothing else; `all`: looks after the jobs of the others too, which takes a look at each
   */
  private advance(kind: PipelineKind, runId: string, which: 'new' | 'all'): Promise<void> {
    return this.mutex.run(runId, () => this.advanceAlone(kind, runId, which));
  }

  private async advanceAlone(kind: PipelineKind, runId: string, which: 'new' | 'all'): Promise<void> {
    const { store, clock } = this.options;
    const record = await ensurePipelineRun(store, kind, runId, null, clock());
    if (record.status !== 'active') {
      await closePipelineRun(store, record, record, record.finished_at ?? clock());
      return;
    }
    const markers = new Markers(store, runId);
    const [plan, done] = [await markers.plan(), await markers.done()];
    const progress = progressOf(kind, plan, done);
    this.events.emit('progress', runId, progress.done, progress.all);
    const slicesAtOnce = kind === 'backfill' ? this.options.backfillConcurrency : undefined;
    const due = dueStages(kind, plan, done, slicesAtOnce);
    if (due.length > 0 || !plan) {
      const tried = which === 'new' ? await markers.tried() : new Set<string>();
      for (const id of due) if (!tried.has(stageName(id))) await this.enqueue(record, markers, id);
      return;
    }
    const refused = await completePipelineRun(store, kind, plan, markers);
    await this.close(record, { status: 'done', error: null, refused });
    // Another run may have waited for this one.
    this.wake();
  }

  private async enqueue(record: PipelineRun, markers: Markers, id: StageId): Promise<void> {
    const { queues, stageTries } = this.options;
    const last = await markers.lastTry(id);
    if (last) {
      const job = await queues[QUEUE_OF_STAGE[id.stage]].getJob(jobIdOf(record, id, last.number));
      if (job && LIVE.has(await job.getState())) return;
      if (last.number - last.excused >= stageTries) {
        await this.fail(
          record,
          id,
          'too_many_tries',
          `${last.number - last.excused} tries were lost or failed`,
        );
        return;
      }
    }
    const number = await markers.nextTry(id, last);
    if (number !== undefined) await this.add(record, id, number, 0);
  }

  private async add(record: PipelineRun, id: StageId, number: number, delay: number): Promise<void> {
    const { queues, stageTries } = this.options;
    const payload: JobPayload = { version: 1, run: record.id, slice: id.slice, stage: id.stage };
    const isForChangedRules = record.kind === 'reevaluation' && record.nominal === null;
    await queues[QUEUE_OF_STAGE[id.stage]].add(id.stage, payload, {
      jobId: jobIdOf(record, id, number),
      attempts: stageTries,
      backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
      delay,
      priority: isForChangedRules ? CHANGED_RULES_PRIORITY : PRIORITY[record.kind],
      removeOnComplete: { age: DAY_SECONDS, count: 1_000 },
      removeOnFail: { age: 14 * DAY_SECONDS },
    });
  }
}

const jobIdOf = ({ id: run }: PipelineRun, id: StageId, number: number): string =>
  `${run}.${stageName(id)}.${number}`;
