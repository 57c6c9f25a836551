import { EventEmitter } from 'node:events';
import { jest } from '@jest/globals';
import { executeRun, RECORD_PERIOD_MS } from '../../../src/cli/run.js';
import type { Engine } from '../../../src/pipeline/engine.js';
import {
  closePipelineRun,
  createPipelineRun,
  type PipelineRunOutcome,
  readPipelineRun,
} from '../../../src/pipeline/pipeline-run.js';
import { MemoryStore } from '../../support/memory-store.js';

const OUTCOME: PipelineRunOutcome = { status: 'done', error: null, refused: [], summary: null };

/** An engine of which the test emits the events. */
function fakeEngine() {
  const events: Engine['events'] = new EventEmitter();
  return { events, dispatch: async () => undefined };
}

describe('a command that executes one pipeline run', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  const create = (store: MemoryStore) =>
    createPipelineRun(store, 'historical', { scheduledAt: null, now: 1 });

  it('ends when its process closes the run', async () => {
    const store = new MemoryStore();
    const engine = fakeEngine();
    const ended = executeRun(engine, store, 'historical', async () => {
      const id = await create(store);
      const closed = await closePipelineRun(store, { kind: 'historical', id: `${id}` }, OUTCOME, 2);
      if (closed) engine.events.emit('finished', closed, true);
      return id;
    });
    expect((await ended).finished_at).toBe(2);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends when another process closes the run', async () => {
    const store = new MemoryStore();
    const ended = executeRun(fakeEngine(), store, 'historical', () => create(store));
    await jest.advanceTimersByTimeAsync(RECORD_PERIOD_MS);
    expect((await readPipelineRun(store, 'historical-1'))?.status).toBe('active');
    await closePipelineRun(store, { kind: 'historical', id: 'historical-1' }, OUTCOME, 3);
    await jest.advanceTimersByTimeAsync(RECORD_PERIOD_MS);
    expect(await ended).toMatchObject({ status: 'done', finished_at: 3 });
    expect(jest.getTimerCount()).toBe(0);
  });
});
