import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { Queue } from 'bullmq';
import { CLOCK, type Clock } from '../config/runtime.js';
import type { ServiceHealth } from '../domain/alerts/service-signals.js';
import { MS_PER_HOUR } from '../domain/time.js';
import { reportError } from '../observability/report-error.js';
import { ENGINE, type Engine } from '../pipeline/engine.js';
import type { PipelineRun } from '../pipeline/pipeline-run.js';
import { AlertChain } from '../state/alerts/evaluations.js';
import { AlertEvaluator, SERVICE_PERIOD_MS } from './alert-evaluator.js';
import { AlertPolicies } from './alert-policies.js';
import { Notifier } from './delivery/notifier.js';
import { probeQueue, Watch, type Watches, watchMlflow } from './measure-services.js';
import { TransitionPublisher } from './transition-publisher.js';

export const ALERT_WATCHES = Symbol('ALERT_WATCHES');
/** Injection token of a queue that is asked whether it answers. */
export const PROBED_QUEUE = Symbol('PROBED_QUEUE');

const STORE_UP: ServiceHealth = { up: true, reason: null, since: null };

/**
 * Evaluates alerts after each delta and each minute, in processes with the role `scheduler`. An error is logged and the
 * evaluation tried again; it never fails a pipeline run.
 */
@Injectable()
export class AlertEvaluationService implements OnApplicationBootstrap, OnModuleDestroy {
  /** The evaluations of this process, one after another. */
  private last: Promise<void> = Promise.resolve();
  private readonly storeWatch = new Watch();
  private lastPrune = 0;
  private readonly stopWatching: () => void;
  private readonly onFinished = ({ kind, status }: PipelineRun): void => {
    if (kind === 'delta' && status === 'done') this.evaluateData();
  };

  constructor(
    @Inject(AlertEvaluator) private readonly evaluator: AlertEvaluator,
    @Inject(AlertPolicies) private readonly policies: AlertPolicies,
    @Inject(AlertChain) private readonly chain: AlertChain,
    @Inject(ALERT_WATCHES) private readonly watches: Watches,
    @Inject(PROBED_QUEUE) private readonly queue: Pick<Queue, 'getJobCounts'>,
    @Inject(Notifier) private readonly notifier: Pick<Notifier, 'sweep' | 'prune'>,
    @Inject(TransitionPublisher) private readonly publisher: Pick<TransitionPublisher, 'publish'>,
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.stopWatching = watchMlflow(watches.mlflow, clock);
  }

  onApplicationBootstrap(): void {
    this.evaluator.events.on('sealed', () => {
      this.inTurn('messages', () => this.notifier.sweep());
      // Also without transitions: a process may have been killed before it published those of an earlier evaluation.
      this.inTurn('the dataset', () => this.publisher.publish());
    });
    this.engine.events.on('finished', this.onFinished);
  }

  async onModuleDestroy(): Promise<void> {
    this.engine.events.off('finished', this.onFinished);
    this.stopWatching();
    // An evaluation that is sealed meanwhile adds to the work.
    let last: Promise<void>;
    do {
      last = this.last;
      await last;
    } while (last !== this.last);
  }

  /** Also for deltas that other processes have finished. */
  @Interval(SERVICE_PERIOD_MS)
  async minute(): Promise<void> {
    await this.inTurn('the policy', () => this.policies.reload());
    await probeQueue(this.queue, this.watches.queue, this.clock());
    await this.inTurn('services', () => this.evaluateServices());
    await this.evaluateData();
    await this.inTurn('old evaluations', () => this.prune());
  }

  evaluateData(): Promise<void> {
    return this.inTurn('data', async () => {
      await this.evaluator.evaluateData();
    });
  }

  /** Reports an outage of the store after it has ended, if it lasted long enough. */
  private async evaluateServices(): Promise<void> {
    const { since } = this.storeWatch.health;
    const { for_minutes } = (await this.policies.current()).rules.store_down;
    const wasDown = since !== null && this.clock() - since >= for_minutes * 60_000;
    const outage: ServiceHealth = { ...this.storeWatch.health, up: false };
    await this.evaluator.evaluateServices(wasDown ? outage : STORE_UP);
    this.storeWatch.succeeded();
  }

  private async prune(): Promise<void> {
    if (Math.abs(this.clock() - this.lastPrune) < MS_PER_HOUR) return;
    await this.chain.prune(this.clock());
    await this.notifier.prune();
    this.lastPrune = this.clock();
  }

  private inTurn(what: string, work: () => Promise<void>): Promise<void> {
    this.last = this.last.then(async () => {
      try {
        await work();
      } catch (error) {
        if (what === 'services') this.storeWatch.failed(this.clock(), 'The object store does not answer.');
        reportError(error, { stage: 'alerts', prefix: `Work on ${what} failed` });
      }
    });
    return this.last;
  }
}
