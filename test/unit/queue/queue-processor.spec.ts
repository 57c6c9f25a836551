import { jest } from '@jest/globals';
import type { Job, Worker } from 'bullmq';
import { QueueProcessor } from '../../../src/queue/queue-processor.js';
import { eventsDuring } from '../../support/recorded-events.js';

/** A BullMQ worker whose jobs finish when the test calls `finishJobs`. */
class FakeWorker {
  concurrency = 0;
  /** The argument of each `close`. */
  readonly closes: boolean[] = [];
  pauses = 0;
  finishJobs: () => void = () => undefined;

  readonly name = 'ingestion';
  private readonly listeners = new Map<string, () => void>();

  on(event: string, listener: () => void): this {
    this.listeners.set(event, listener);
    return this;
  }

  emit(event: string): void {
    this.listeners.get(event)?.();
  }

  pause(): Promise<void> {
    this.pauses++;
    return new Promise((resolve) => {
      this.finishJobs = resolve;
    });
  }

  async close(force: boolean): Promise<void> {
    this.closes.push(force);
  }
}

class TestedProcessor extends QueueProcessor {
  readonly fakeWorker = new FakeWorker();

  override get worker(): Worker {
    return this.fakeWorker as unknown as Worker;
  }

  protected run(): Promise<void> {
    return new Promise(() => undefined);
  }
}

describe('the processor of a queue', () => {
  let stopping: AbortController;
  let processor: TestedProcessor;
  beforeEach(() => {
    jest.useFakeTimers();
    stopping = new AbortController();
    processor = new TestedProcessor();
    Object.assign(processor, { stopping: stopping.signal });
    processor.onApplicationBootstrap();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('reports jobs that no process works on any more to the metrics', async () => {
    const events = await eventsDuring(async () => processor.fakeWorker.emit('stalled'));
    expect(events).toEqual([{ type: 'job_stalled', queue: 'ingestion' }]);
  });

  it('starts no new job once the process is stopping, and waits for the running ones', async () => {
    stopping.abort();
    expect(processor.fakeWorker.pauses).toBe(1);
    const stopped = processor.onModuleDestroy();
    expect(processor.fakeWorker.closes).toEqual([]);
    processor.fakeWorker.finishJobs();
    await stopped;
    expect(processor.fakeWorker.pauses).toBe(1);
    expect(processor.fakeWorker.closes).toEqual([true]);
  });

  it('closes the worker without waiting after 27 seconds, so that another process takes the jobs over', async () => {
    processor.process({} as Job);
    const stopped = processor.onModuleDestroy();
    await jest.advanceTimersByTimeAsync(26_999);
    expect(processor.fakeWorker.closes).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    await stopped;
    expect(processor.fakeWorker.closes).toEqual([true]);
  });

  it('waits 2 seconds for an unreachable queue when no job is running', async () => {
    const stopped = processor.onModuleDestroy();
    await jest.advanceTimersByTimeAsync(1_999);
    expect(processor.fakeWorker.closes).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    await stopped;
    expect(processor.fakeWorker.closes).toEqual([true]);
  });
});
