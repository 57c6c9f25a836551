import {
  closePipelineRun,
  createPipelineRun,
  ensurePipelineRun,
  type PipelineRun,
  readPipelineRun,
} from '../../../src/pipeline/pipeline-run.js';
import { readKindState } from '../../../src/state/kind-state.js';
import { MemoryStore } from '../../support/memory-store.js';

const HOUR = 3_600_000;
const NOW = 1_773_144_000_000;
type Outcome = Parameters<typeof closePipelineRun>[2];
const done: Outcome = { status: 'done', error: null, refused: [], summary: null };
const failed: Outcome = {
  status: 'failed',
  error: { slice: 'a', stage: 'fetch', code: 'mlflow_refused', message: '403' },
  refused: [],
  summary: null,
};

let store: MemoryStore;
beforeEach(() => {
  store = new MemoryStore();
});
const tick = (nominal: number | null, now = NOW) =>
  createPipelineRun(store, 'delta', { scheduledAt: nominal, now });

describe('a new run', () => {
  it('has the next number of its kind, and a record', async () => {
    expect(await tick(NOW)).toBe('delta-1');
    expect(await createPipelineRun(store, 'backup', { scheduledAt: NOW, now: NOW })).toBe('backup-1');
    expect(await tick(NOW + 1)).toBe('delta-2');
    expect(await readKindState(store, 'delta')).toMatchObject({
      last_nominal: NOW + 1,
      active: ['delta-1', 'delta-2'],
    });
    expect(await readPipelineRun(store, 'delta-1')).toEqual({
      version: 1,
      id: 'delta-1',
      kind: 'delta',
      nominal: NOW,
      window: null,
      status: 'active',
      created_at: NOW,
      finished_at: null,
      error: null,
      refused: [],
      summary: null,
    } satisfies PipelineRun);
  });

  it('keeps the window that somebody asked for', async () => {
    const window = { from: 1, to: 2 };
    expect(await createPipelineRun(store, 'backfill', { scheduledAt: null, window, now: NOW })).toBe(
      'backfill-1',
    );
    expect((await readPipelineRun(store, 'backfill-1'))?.window).toEqual(window);
  });

  it.each([
    ['the same tick', NOW, undefined],
    ['an earlier tick, of a clock that is behind', NOW - 1, undefined],
    ['a later tick', NOW + 1, 'delta-2'],
    ['somebody who asks', null, 'delta-2'],
  ])('of %s after one: %#', async (_, nominal, id) => {
    await tick(NOW);
    expect(await tick(nominal)).toBe(id);
  });

  it('is one for two schedulers with the same tick at the same time', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => tick(NOW)));
    expect(made.filter((id) => id !== undefined)).toEqual(['delta-1']);
    expect((await readKindState(store, 'delta')).active).toEqual(['delta-1']);
  });

  it('is none while one is at work and one waits; the tick is served all the same', async () => {
    await tick(NOW);
    await tick(NOW + 1);
    expect(await tick(NOW + 2)).toBeUndefined();
    expect(await readKindState(store, 'delta')).toMatchObject({ sequence: 2, last_nominal: NOW + 2 });
    await closePipelineRun(store, { id: 'delta-1', kind: 'delta' }, done, NOW);
    expect(await tick(NOW + 2)).toBeUndefined();
    expect(await tick(NOW + 3)).toBe('delta-3');
  });

  it('is made for who asks, however many wait', async () => {
    await tick(NOW);
    await tick(NOW + 1);
    expect(await tick(null)).toBe('delta-3');
    expect((await readKindState(store, 'delta')).last_nominal).toBe(NOW + 1);
  });

  it('comes again after a clock that was far ahead has gone back', async () => {
    await tick(NOW + 1_000 * HOUR, NOW + 1_000 * HOUR);
    expect(await tick(NOW, NOW)).toBe('delta-2');
    expect(await tick(NOW, NOW)).toBeUndefined();
    expect((await readKindState(store, 'delta')).last_nominal).toBe(NOW);
  });

  it('is not made twice by a second scheduler whose clock is a little behind', async () => {
    await tick(NOW, NOW);
    expect(await tick(NOW - 300_000, NOW - 10_000)).toBeUndefined();
  });

  it('whose maker died before its record gets one when it is met', async () => {
    store.beforePut = (key) => {
      if (key.endsWith('record.json')) throw new Error('killed');
    };
    await expect(tick(NOW)).rejects.toThrow('killed');
    store.beforePut = () => undefined;
    const { active } = await readKindState(store, 'delta');
    expect(active).toEqual(['delta-1']);
    expect(await readPipelineRun(store, 'delta-1')).toBeUndefined();
    const record = await ensurePipelineRun(store, 'delta', 'delta-1', null, NOW + 5);
    expect(record).toMatchObject({ status: 'active', created_at: NOW + 5 });
    // The next tick is a new run, and does not repeat the number.
    expect(await tick(NOW + 1)).toBe('delta-2');
  });

  it('keeps the record that is there', async () => {
    await tick(NOW);
    const record = await ensurePipelineRun(store, 'delta', 'delta-1', null, NOW + 5);
    expect(record).toMatchObject({ nominal: NOW, created_at: NOW });
  });
});

describe('a run that is over', () => {
  const close = (outcome: Outcome, now = NOW) =>
    closePipelineRun(store, { id: 'delta-1', kind: 'delta' }, outcome, now);
  beforeEach(() => tick(NOW));

  it('has its outcome and makes room', async () => {
    expect(
      await close({ ...done, refused: [{ experiment_id: '7', message: '403' }] }, NOW + 5),
    ).toMatchObject({
      status: 'done',
      finished_at: NOW + 5,
      refused: [{ experiment_id: '7' }],
    });
    expect(await readKindState(store, 'delta')).toMatchObject({ active: [], last_finished: NOW + 5 });
  });

  it('keeps its first outcome', async () => {
    await close(failed, NOW + 5);
    expect(await close(done, NOW + 9)).toMatchObject({ ...failed, finished_at: NOW + 5 });
    expect(await readKindState(store, 'delta')).toMatchObject({ active: [], last_finished: null });
  });

  it('leaves its kind also where its closer died between record and kind', async () => {
    store.beforePut = (key) => {
      if (key.startsWith('_state/kinds/')) throw new Error('killed');
    };
    await expect(close(done, NOW + 5)).rejects.toThrow('killed');
    store.beforePut = () => undefined;
    expect((await readKindState(store, 'delta')).active).toEqual(['delta-1']);
    await close(done, NOW + 9);
    expect(await readKindState(store, 'delta')).toMatchObject({ active: [] });
    expect((await readPipelineRun(store, 'delta-1'))?.finished_at).toBe(NOW + 5);
  });

  it('does not make the kind look older than another run did', async () => {
    await tick(NOW + 1);
    await closePipelineRun(store, { id: 'delta-2', kind: 'delta' }, done, NOW + 50);
    await close(done, NOW + 5);
    expect((await readKindState(store, 'delta')).last_finished).toBe(NOW + 50);
  });
});
