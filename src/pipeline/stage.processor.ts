import type { Job } from 'bullmq';
import type { QueueName } from '../queue/queue-names.js';
import { QueueProcessor } from '../queue/queue-processor.js';
import type { Engine } from './engine.js';
import type { HandlersOf } from './stage-execution.js';

/** Runs the jobs of one queue with the handlers of its stages. The engine handles errors of jobs. */
export abstract class StageProcessor<Q extends QueueName> extends QueueProcessor {
  protected abstract readonly engine: Engine;
  protected abstract readonly concurrency: number;
  protected abstract readonly handlers: HandlersOf<Q>;

  override onApplicationBootstrap(): void {
    this.worker.concurrency = this.concurrency;
    super.onApplicationBootstrap();
  }

  protected run(job: Job): Promise<void> {
    return this.engine.runStage(job, this.handlers);
  }
}
