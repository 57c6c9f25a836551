import { WorkerHost } from '@nestjs/bullmq';
import { Inject, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Job } from 'bullmq';
import { STOPPING } from '../config/runtime.js';
import { publish } from '../observability/diagnostics.js';

/** How long running jobs may take to finish during shutdown. After that another process takes them over. */
export const DRAIN_MS = 25_000;
/** How long the worker then waits for the queue, which may be unreachable, to acknowledge the finished jobs. */
export const ACKNOWLEDGE_MS = 2_000;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

/** Runs the jobs of one queue, and stops within a limit whatever the state of the queue. */
export abstract class QueueProcessor extends WorkerHost implements OnApplicationBootstrap, OnModuleDestroy {
  @Inject(STOPPING) private readonly stopping!: AbortSignal;
  private readonly running = new Set<Promise<void>>();
  private drained: Promise<void> | undefined;

  /** Runs one job; the errors of jobs are handled here. */
  protected abstract run(job: Job): Promise<void>;

  onApplicationBootstrap(): void {
    // Without a listener BullMQ prints connection errors.
    this.worker.on('error', () => undefined);
    this.worker.on('stalled', () => publish({ type: 'job_stalled', queue: this.worker.name }));
    // Nest destroys modules one after another. Starting here lets all queues drain at the same time.
    this.stopping.addEventListener('abort', () => this.drain(), { once: true });
  }

  async process(job: Job): Promise<void> {
    const execution = this.run(job);
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
    await Promise.race([this.worker.pause(), finished.then(() => wait(ACKNOWLEDGE_MS))]);
    // Always forced: a graceful close waits without a limit for a queue that is away or has just come back.
    await this.worker.close(true);
  }
}
