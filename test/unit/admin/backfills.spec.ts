import {
  type BackfillRequest,
  backfillDetail,
  backfillRequestSchema,
  backfillWindow,
  listBackfills,
  readBackfill,
  requestBackfill,
} from '../../../src/admin/backfills.js';
import { Markers } from '../../../src/pipeline/markers.js';
import {
  closePipelineRun,
  createPipelineRun,
  ensurePipelineRun,
} from '../../../src/pipeline/pipeline-run.js';
import { readKindState } from '../../../src/state/kind-state.js';
import { MemoryStore } from '../../support/memory-store.js';
import { fetchResultOf, planOf } from '../../support/stage-results.js';
import { enrichResultOf, NOTHING_REBUILT } from '../pipeline/engine-fixture.js';

const DAY = 86_400_000;
const NOW = Date.parse('2026-03-10T15:30:00Z');
const at = (day: string): number => Date.parse(`${day}T00:00:00Z`);
const week = { from: at('2026-03-01'), to: at('2026-03-08') };

describe('the window of a backfill', () => {
  it('includes the first and the last day', () => {
    expect(backfillWindow({ from: '2026-03-01', to: '2026-03-07' }, NOW)).toEqual(week);
    expect(backfillWindow({ from: '2026-03-10', to: '2026-03-10' }, NOW)).toEqual({
      from: at('2026-03-10'),
      to: at('2026-03-11'),
    });
  });

  it.each([
    ['is reversed', { from: '2026-03-02', to: '2026-03-01' }, /after the last day/],
    ['is in the future', { from: '2026-03-01', to: '2026-03-11' }, /in the future/],
    ['is longer than 3650 days', { from: '2016-03-12', to: '2026-03-10' }, /3651 days/],
  ])('is invalid if it %s', (_, request: BackfillRequest, message) => {
    expect(() => backfillWindow(request, NOW)).toThrow(
      expect.objectContaining({ code: 'backfill_window', message: expect.stringMatching(message) }),
    );
  });

  it('can be 3650 days long', () => {
    expect(backfillWindow({ from: '2016-03-13', to: '2026-03-10' }, NOW).from).toBe(at('2016-03-13'));
  });

  it.each([
    {},
    { from: '2026-03-01' },
    { from: '2026-02-29', to: '2026-03-01' },
    { from: '2026-3-1', to: '2026-03-02' },
    { from: '2026-03-01T00:00:00Z', to: '2026-03-02' },
    { from: '2026-03-01', to: '2026-03-02', force: true },
  ])('needs two days and nothing else: %j', (body) => {
    expect(backfillRequestSchema.safeParse(body).success).toBe(false);
  });
});

describe('a backfill request', () => {
  it('is stored with its window before its id is returned', async () => {
    const store = new MemoryStore();
    const id = await requestBackfill(store, week, NOW);
    expect(await readBackfill(store, id)).toMatchObject({
      id: 'backfill-1',
      from: '2026-03-01',
      to: '2026-03-07',
      status: 'active',
      waits_for: null,
      progress: { days_done: 0, days_all: 7 },
    });
  });

  it('for the same days returns the same backfill until it is finished', async () => {
    const store = new MemoryStore();
    const other = { from: week.from, to: week.to + DAY };
    const [first, again, longer] = await Promise.all([
      requestBackfill(store, week, NOW),
      requestBackfill(store, week, NOW),
      requestBackfill(store, other, NOW),
    ]);
    expect([first, again, longer]).toEqual(['backfill-1', 'backfill-1', 'backfill-2']);
    expect((await readBackfill(store, 'backfill-2')).waits_for).toBe('backfill-1');
    const outcome = { status: 'cancelled', error: null, refused: [], summary: null } as const;
    await closePipelineRun(store, { id: 'backfill-1', kind: 'backfill' }, { ...outcome, refused: [] }, NOW);
    expect((await readBackfill(store, 'backfill-2')).waits_for).toBeNull();
    expect(await requestBackfill(store, week, NOW)).toBe('backfill-3');
    expect((await listBackfills(store, 2)).map(({ id, status }) => `${id} ${status}`)).toEqual([
      'backfill-3 active',
      'backfill-2 active',
    ]);
  });

  it('keeps its window if its creator is killed before writing the record', async () => {
    const store = new MemoryStore();
    store.beforePut = (key) => {
      if (key.endsWith('record.json')) throw new Error('killed');
    };
    await expect(
      createPipelineRun(store, 'backfill', { scheduledAt: null, window: week, now: NOW }),
    ).rejects.toThrow('killed');
    store.beforePut = () => undefined;
    expect(await listBackfills(store, 9)).toEqual([]);
    const [id = ''] = (await readKindState(store, 'backfill')).active;
    expect((await ensurePipelineRun(store, 'backfill', id, null, NOW)).window).toEqual(week);
    const outcome = { status: 'done' as const, error: null, refused: [], summary: null };
    await closePipelineRun(store, { id, kind: 'backfill' }, outcome, NOW);
    expect((await readKindState(store, 'backfill')).windows).toEqual({});
  });

  it.each(['', 'delta-1', 'backfill-0', 'backfill-1/../../kinds', 'backfill-9'])(
    'with the id %p is unknown',
    async (id) => {
      await expect(readBackfill(new MemoryStore(), id)).rejects.toMatchObject({ code: 'unknown_backfill' });
    },
  );
});

describe('the progress of a backfill', () => {
  const slice = (chunk: number, day: string) => ({
    id: `c${chunk}-${day.replaceAll('-', '')}`,
    chunk,
    from: at(day),
    to: at(day) + DAY,
    open_end: false,
    last: false,
  });
  const plan = planOf({
    ...week,
    slices: [slice(0, '2026-03-01'), slice(1, '2026-03-01'), slice(0, '2026-03-02')],
  });

  it('counts the days whose slices have all finished all their stages', async () => {
    const store = new MemoryStore();
    const id = await requestBackfill(store, { from: week.from, to: week.from + 2 * DAY }, NOW);
    const markers = new Markers(store, id);
    await markers.put('all', 'plan', plan);
    for (const each of ['c0-20260301', 'c1-20260301', 'c0-20260302']) {
      await markers.put(each, 'fetch', fetchResultOf({}));
      await markers.put(each, 'enrich', enrichResultOf());
    }
    await markers.put('c0-20260301', 'aggregate', NOTHING_REBUILT);
    expect((await readBackfill(store, id)).progress).toEqual({ days_done: 0, days_all: 2 });
    await markers.put('c1-20260301', 'aggregate', NOTHING_REBUILT);
    const { progress, days } = await readBackfill(store, id);
    expect(progress).toEqual({ days_done: 1, days_all: 2 });
    expect(days).toEqual([
      { day: '2026-03-01', done: true },
      { day: '2026-03-02', done: false },
    ]);
  });

  it('is complete when the pipeline run is done, even for days without slices', async () => {
    const store = new MemoryStore();
    const record = await ensurePipelineRun(
      store,
      'backfill',
      await requestBackfill(store, week, NOW),
      null,
      NOW,
    );
    const done = { ...record, status: 'done' as const, finished_at: NOW };
    const { progress, finished_at } = backfillDetail(done, { ...plan, slices: [] }, new Set(), undefined);
    expect(progress).toEqual({ days_done: 7, days_all: 7 });
    expect(finished_at).toBe('2026-03-10T15:30:00.000Z');
  });
});
