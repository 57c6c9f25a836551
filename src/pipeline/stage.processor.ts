import { WorkerHost } from '@nestjs/bullmq';
import { Inject, type OnModuleDestroy } from '@nestjs/common';
import type { Job } from 'bullmq';
import { STOPPING } from '../config/runtime.js';
import { type QueueName } from '../queue/queue-names.js';
import type { Engine, HandlersOf } from './engine.js';

/** How long jobs may go on when the process is told to stop; then they are left to the next process. */
const DRAIN_MS = 25_000;
/** How long the queue has to be told that they ended; it may be away. */
const TELL_MS = 2_000;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

/** Works on the jobs of one queue with the handlers of its stages. */
export abstract class StageProcessor<Q extends QueueName> extends WorkerHost implements OnModuleDestroy {
  @Inject(STOPPING) private readonly stopping!: AbortSignal;
  protected abstract readonly engine: Engine;
  protected abstract readonly concurrency: number;
  protected abstract readonly handlers: HandlersOf<Q>;
  private readonly running = new Set<Promise<void>>();
  private drained: Promise<void> | undefined;

  onApplicationBootstrap(): void {
    this.worker.concurrency = this.concurrency;
    // Errors of the connection; those of jobs are the engine's.
    this.worker.on('error', () => undefined);
    // Nest ends one module after the other; the queues have the same time, not each its own.
    this.stopping.addEventListener('abort', () => this.drain(), { once: true });
  }

  async process(job: Job): Promise<void> {
    const run = this.engine.runStage(job, this.handlers);
    this.running.add(run);
    try {
      await run;
    } finally {
      this.running.delete(run);
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
    const ended = Promise.race([Promise.allSettled(this.running), wait(DRAIN_MS)]);
    const late = ended.then(() => wait(TELL_MS)).then(() => true);
    // Not close(), which has no limit: a second one, that does not wait, is given the promise of the first.
    const isLate = await Promise.race([this.worker.pause().then(() => false), late]);
    await this.worker.close(isLate);
  }
}
