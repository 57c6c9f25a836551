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
const createDelta = (scheduledAt: number | null, now = NOW) =>
  createPipelineRun(store, 'delta', { scheduledAt, now });

describe('a new pipeline run', () => {
  it('has the next number of its kind, and a record', async () => {
    expect(await createDelta(NOW)).toBe('delta-1');
    expect(await createPipelineRun(store, 'backup', { scheduledAt: NOW, now: NOW })).toBe('backup-1');
    expect(await createDelta(NOW + 1)).toBe('delta-2');
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

  it('stores the requested window', async () => {
    const window = { from: 1, to: 2 };
    expect(await createPipelineRun(store, 'backfill', { scheduledAt: null, window, now: NOW })).toBe(
      'backfill-1',
    );
    expect((await readPipelineRun(store, 'backfill-1'))?.window).toEqual(window);
  });

  it.each([
    ['is not created for the same scheduled time again', NOW, undefined],
    ['is not created for an earlier scheduled time, of a clock that is behind', NOW - 1, undefined],
    ['is created for a later scheduled time', NOW + 1, 'delta-2'],
    ['is created on request', null, 'delta-2'],
  ])('%s', async (_, scheduledAt, id) => {
    await createDelta(NOW);
    expect(await createDelta(scheduledAt)).toBe(id);
  });

  it('is created once by several schedulers with the same scheduled time', async () => {
    const created = await Promise.all(Array.from({ length: 5 }, () => createDelta(NOW)));
    expect(created.filter((id) => id !== undefined)).toEqual(['delta-1']);
    expect((await readKindState(store, 'delta')).active).toEqual(['delta-1']);
  });

  it('is not created while one is in progress and one waits, and its scheduled time counts as served', async () => {
    await createDelta(NOW);
    await createDelta(NOW + 1);
    expect(await createDelta(NOW + 2)).toBeUndefined();
    expect(await readKindState(store, 'delta')).toMatchObject({ sequence: 2, last_nominal: NOW + 2 });
    await closePipelineRun(store, { id: 'delta-1', kind: 'delta' }, done, NOW);
    expect(await createDelta(NOW + 2)).toBeUndefined();
    expect(await createDelta(NOW + 3)).toBe('delta-3');
  });

  it('is created on request, however many wait', async () => {
    await createDelta(NOW);
    await createDelta(NOW + 1);
    expect(await createDelta(null)).toBe('delta-3');
    expect((await readKindState(store, 'delta')).last_nominal).toBe(NOW + 1);
  });

  it('is created again after a clock that was far ahead is set back', async () => {
    await createDelta(NOW + 1_000 * HOUR, NOW + 1_000 * HOUR);
    expect(await createDelta(NOW, NOW)).toBe('delta-2');
    expect(await createDelta(NOW, NOW)).toBeUndefined();
    expect((await readKindState(store, 'delta')).last_nominal).toBe(NOW);
  });

  it('is not created twice by a second scheduler whose clock is slightly behind', async () => {
    await createDelta(NOW, NOW);
    expect(await createDelta(NOW - 300_000, NOW - 10_000)).toBeUndefined();
  });

  it('gets its record later if its creator was killed before writing it', async () => {
    store.beforePut = (key) => {
      if (key.endsWith('record.json')) throw new Error('killed');
    };
    await expect(createDelta(NOW)).rejects.toThrow('killed');
    store.beforePut = () => undefined;
    const { active } = await readKindState(store, 'delta');
    expect(active).toEqual(['delta-1']);
    expect(await readPipelineRun(store, 'delta-1')).toBeUndefined();
    const record = await ensurePipelineRun(store, 'delta', 'delta-1', null, NOW + 5);
    expect(record).toMatchObject({ status: 'active', created_at: NOW + 5 });
    // The next run has a new number.
    expect(await createDelta(NOW + 1)).toBe('delta-2');
  });

  it('keeps an existing record', async () => {
    await createDelta(NOW);
    const record = await ensurePipelineRun(store, 'delta', 'delta-1', null, NOW + 5);
    expect(record).toMatchObject({ nominal: NOW, created_at: NOW });
  });
});

describe('a closed pipeline run', () => {
  const close = (outcome: Outcome, now = NOW) =>
    closePipelineRun(store, { id: 'delta-1', kind: 'delta' }, outcome, now);
  beforeEach(() => createDelta(NOW));

  it('has its outcome and is no longer active', async () => {
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

  it('is removed from the active ones later if its closer was killed after writing the record', async () => {
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

  it('does not move the last finish of its kind back', async () => {
    await createDelta(NOW + 1);
    await closePipelineRun(store, { id: 'delta-2', kind: 'delta' }, done, NOW + 50);
    await close(done, NOW + 5);
    expect((await readKindState(store, 'delta')).last_finished).toBe(NOW + 50);
  });
});
