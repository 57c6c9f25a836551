import { WorkerHost } from '@nestjs/bullmq';
import type { OnModuleDestroy } from '@nestjs/common';
import type { Job } from 'bullmq';
import type { Engine, HandlersOf } from './engine.js';
import type { QueueName } from './stages.js';

/** How long a job may go on when the process is told to stop; then it is handed back. */
const DRAIN_MS = 25_000;

/** Works on the jobs of one queue with the handlers of its stages. */
export abstract class StageWorker<Q extends QueueName> extends WorkerHost implements OnModuleDestroy {
  protected abstract readonly engine: Engine;
  protected abstract readonly concurrency: number;
  protected abstract readonly handlers: HandlersOf<Q>;

  onApplicationBootstrap(): void {
    this.worker.concurrency = this.concurrency;
    // Errors of the connection; those of jobs are the engine's.
    this.worker.on('error', () => undefined);
  }

  async process(job: Job): Promise<void> {
    await this.engine.runStage(job, this.handlers);
  }

  async onModuleDestroy(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), DRAIN_MS);
    });
    const drained = await Promise.race([this.worker.close().then(() => 'drained' as const), late]);
    clearTimeout(timer);
    if (drained === 'late') await this.worker.close(true);
  }
}
