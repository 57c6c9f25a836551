import { jest } from '@jest/globals';
import type { Job, Worker } from 'bullmq';
import type { Engine, HandlersOf } from '../../../src/pipeline/engine.js';
import { StageProcessor } from '../../../src/pipeline/stage.processor.js';

/** A worker of BullMQ whose jobs end when the test says so. */
class FakeWorker {
  concurrency = 0;
  readonly closed: boolean[] = [];
  readonly paused: string[] = [];
  end: () => void = () => undefined;

  on(): this {
    return this;
  }

  pause(): Promise<void> {
    this.paused.push('asked');
    return new Promise((resolve) => {
      this.end = resolve;
    });
  }

  async close(force: boolean): Promise<void> {
    this.closed.push(force);
  }
}

class TestedWorker extends StageProcessor<'ingestion'> {
  protected readonly engine = { runStage: () => new Promise(() => undefined) } as unknown as Engine;
  protected readonly concurrency = 3;
  protected readonly handlers = {} as HandlersOf<'ingestion'>;
  readonly fake = new FakeWorker();

  override get worker(): Worker {
    return this.fake as unknown as Worker;
  }
}

describe('a worker of a queue', () => {
  let stopping: AbortController;
  let host: TestedWorker;
  beforeEach(() => {
    jest.useFakeTimers();
    stopping = new AbortController();
    host = new TestedWorker();
    Object.assign(host, { stopping: stopping.signal });
    host.onApplicationBootstrap();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('begins no new job as soon as the process is to stop, and waits for those under way once', async () => {
    stopping.abort();
    expect(host.fake.paused).toEqual(['asked']);
    const ended = host.onModuleDestroy();
    expect(host.fake.closed).toEqual([]);
    host.fake.end();
    await ended;
    expect(host.fake.paused).toEqual(['asked']);
    expect(host.fake.closed).toEqual([false]);
  });

  it('leaves a job that does not end to the next process', async () => {
    host.process({} as Job);
    const ended = host.onModuleDestroy();
    await jest.advanceTimersByTimeAsync(26_999);
    expect(host.fake.closed).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    await ended;
    expect(host.fake.closed).toEqual([true]);
  });

  it('does not wait for a queue that is away when no job is left', async () => {
    const ended = host.onModuleDestroy();
    await jest.advanceTimersByTimeAsync(2_000);
    await ended;
    expect(host.fake.closed).toEqual([true]);
  });
});
