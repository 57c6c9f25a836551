import { WorkerHost } from '@nestjs/bullmq';
import { Inject, type OnModuleDestroy } from '@nestjs/common';
import type { Job } from 'bullmq';
import { STOPPING } from '../config/runtime.js';
import { type QueueName } from '../queue/queue-names.js';
import type { Engine } from './engine.js';
import type { HandlersOf } from './stage-execution.js';

/** How long running jobs may take to finish during shutdown. After that another process takes them over. */
export const DRAIN_MS = 25_000;
/** How long the worker then waits for the queue, which may be unreachable, to acknowledge the finished jobs. */
export const ACKNOWLEDGE_MS = 2_000;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

/** Runs the jobs of one queue with the handlers of its stages. */
export abstract class StageProcessor<Q extends QueueName> extends WorkerHost implements OnModuleDestroy {
  @Inject(STOPPING) private readonly stopping!: AbortSignal;
  protected abstract readonly engine: Engine;
  protected abstract readonly concurrency: number;
  protected abstract readonly handlers: HandlersOf<Q>;
  private readonly running = new Set<Promise<void>>();
  private drained: Promise<void> | undefined;

  onApplicationBootstrap(): void {
    this.worker.concurrency = this.concurrency;
    // Without a listener BullMQ prints connection errors. The engine handles errors of jobs.
    this.worker.on('error', () => undefined);
    // Nest destroys modules one after another. Starting here lets all queues drain at the same time.
    this.stopping.addEventListener('abort', () => this.drain(), { once: true });
  }

  async process(job: Job): Promise<void> {
    const execution = this.engine.runStage(job, this.handlers);
    this.running.add(execution);
    try {
      await execution;
    } finally {
      this.running.delete(execution);
    }
  }

  async onModuleDestroy(): Promise<void> {
    await this.drain();
  }

  private drain(): Promise<void> {
    this.drained ??= this.stop();
    return this.drained;
  }

  private async stop(): Promise<void> {
    const finished = Promise.race([Promise.allSettled(this.running), wait(DRAIN_MS)]);
    const timeout = finished.then(() => wait(ACKNOWLEDGE_MS)).then(() => true);
    // Not close(), which waits without a limit: a second, forced close() would return the promise of the first.
    const timedOut = await Promise.race([this.worker.pause().then(() => false), timeout]);
    await this.worker.close(timedOut);
  }
}
