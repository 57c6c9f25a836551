import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { OnApplicationShutdown } from '@nestjs/common';
import { MonitorError } from '../domain/errors.js';
import type { Points } from '../domain/forecast/points.js';
import { type FitAll, fitHere } from './known-fits.js';

/** Fewer fits, a few hundredths of a second, are computed in the main thread: a thread takes longer to start. */
const MIN_FITS = 100;
/** The main thread and DuckDB have work of their own meanwhile. */
const MAX_THREADS = 4;
const THREAD = new URL('./fit-thread.js', import.meta.url);

/** The tests run the TypeScript sources, which Node.js does not load in a thread: they fit in the main thread. */
const threadsHere = (): number =>
  existsSync(THREAD) ? Math.min(MAX_THREADS, Math.max(1, availableParallelism() - 1)) : 0;

/**
 * Chooses the parameters of forecasts in threads, so that the main thread has time for everything else. A fit gives the same
 * numbers in any thread. The threads start with the first large backfill and stay until the process ends.
 */
export class FitThreads implements OnApplicationShutdown {
  private readonly threads: FitThread[] = [];

  /** @param count 0: all fits are computed in the main thread */
  constructor(
    private readonly count = threadsHere(),
    private readonly file = THREAD,
  ) {}

  /** @throws {MonitorError} `fit_thread`, retryable: a thread has ended */
  readonly fitAll: FitAll = async (points) => {
    if (this.count === 0 || points.length < MIN_FITS) return fitHere(points);
    while (this.threads.length < this.count) this.threads.push(this.open());
    const size = Math.ceil(points.length / this.count);
    const shares = this.threads.map((thread, i) => thread.fit(points.slice(i * size, (i + 1) * size)));
    return (await Promise.all(shares)).flat();
  };

  /** After the jobs of all queues have ended. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.threads.splice(0).map((thread) => thread.close()));
  }

  private open(): FitThread {
    const thread: FitThread = new FitThread(this.file, () => {
      const at = this.threads.indexOf(thread);
      if (at >= 0) this.threads.splice(at, 1);
    });
    return thread;
  }
}

/** One thread. It answers in the order of the questions. */
class FitThread {
  private readonly worker: Worker;
  private readonly waiting: Waiting[] = [];

  constructor(file: URL, onEnd: () => void) {
    // Without the options of the process: its --import and --cpu-prof are not for this thread.
    this.worker = new Worker(file, { execArgv: [], name: 'fit' });
    // It keeps the process alive only while somebody waits for it.
    this.worker.unref();
    this.worker.on('message', (fits: (string | null)[]) => {
      this.waiting.shift()?.resolve(fits);
      if (this.waiting.length === 0) this.worker.unref();
    });
    const end = (cause?: unknown) => {
      onEnd();
      const error = new MonitorError('fit_thread', 'A thread that computes forecasts has ended', {}, true, {
        cause,
      });
      for (const { reject } of this.waiting.splice(0)) reject(error);
    };
    this.worker.on('error', end);
    this.worker.on('exit', () => end());
  }

  fit(points: readonly Points[]): Promise<(string | null)[]> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.worker.ref();
      this.worker.postMessage(points);
    });
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }
}

interface Waiting {
  readonly resolve: (fits: (string | null)[]) => void;
  readonly reject: (error: Error) => void;
}
