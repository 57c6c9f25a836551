import { listBackfills, readBackfill } from '../../../src/admin/backfills.js';
import type { PipelineKind } from '../../../src/domain/model.js';
import { clearFinishedRuns } from '../../../src/pipeline/clear-finished-runs.js';
import { Markers } from '../../../src/pipeline/markers.js';
import { closePipelineRun, createPipelineRun, readPipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { MemoryStore } from '../../support/memory-store.js';
import { planOf } from '../../support/stage-results.js';

const DAY = 86_400_000;
const NOW = Date.parse('2026-03-10T12:00:00Z');
const OUTCOME = { status: 'done' as const, error: null, refused: [], summary: null };

let store: MemoryStore;
beforeEach(() => {
  store = new MemoryStore();
});

/** A pipeline run with a plan and an attempt; it finishes after so many days, or never. */
async function run(kind: PipelineKind, finished: number | null): Promise<void> {
  const window = kind === 'backfill' ? { from: NOW - DAY, to: NOW } : undefined;
  const id = await createPipelineRun(store, kind, { scheduledAt: null, now: NOW, ...(window && { window }) });
  if (id === undefined) throw new Error('no run');
  const markers = new Markers(store, id);
  await markers.claimAttempt({ slice: 'all', stage: 'plan' }, undefined);
  await markers.put('all', 'plan', planOf({}));
  if (finished !== null) await closePipelineRun(store, { kind, id }, OUTCOME, NOW + finished * DAY);
}

/** What is stored of a pipeline run. */
const left = (id: string): string[] => {
  const prefix = `_state/runs/${id}/`;
  return [...store.objects.keys()]
    .filter((key) => key.startsWith(prefix))
    .map((key) => key.slice(prefix.length));
};
const ALL = ['record.json', 'tries/all.plan.json', 'done/all.plan.json'];
const clear = (day: number) => clearFinishedRuns(store, NOW + day * DAY);

describe('a finished pipeline run', () => {
  it('loses its stages after 7 days and its record after 90', async () => {
    await run('delta', 0);
    await run('delta', 0);
    await clear(7);
    expect(left('delta-1')).toEqual(ALL);
    await clear(7.01);
    expect(left('delta-1')).toEqual(['record.json']);
    await clear(90);
    expect(left('delta-1')).toEqual(['record.json']);
    await clear(90.01);
    expect(left('delta-1')).toEqual([]);
  });

  it('stays if it is the newest of its kind, so that its number is not used again', async () => {
    await run('delta', 0);
    await run('delta', 0);
    await clear(400);
    store.objects.delete('_state/kinds/delta.json');
    await run('delta', null);
    expect(left('delta-2')).toEqual(ALL);
    expect(left('delta-3')).toEqual(ALL);
  });

  it('waits for an older one of its kind that is unfinished', async () => {
    await run('backfill', null);
    await run('backfill', 0);
    await run('backfill', 0);
    await clear(400);
    expect([left('backfill-1'), left('backfill-2')]).toEqual([ALL, ALL]);
    await closePipelineRun(store, { kind: 'backfill', id: 'backfill-1' }, OUTCOME, NOW);
    await clear(400);
    expect([left('backfill-1'), left('backfill-2'), left('backfill-3')]).toEqual([[], [], ALL]);
  });

  it('keeps the record of a bootstrap, which dates the first read', async () => {
    await run('bootstrap', 0);
    await run('bootstrap', 0);
    await clear(400);
    expect(left('bootstrap-1')).toEqual(['record.json']);
  });

  it('stays if its record is invalid, and does not hold back others', async () => {
    for (let i = 0; i < 3; i++) await run('delta', 0);
    store.objects.set('_state/runs/delta-1/record.json', Buffer.from('{'));
    await clear(400);
    expect([left('delta-1'), left('delta-2')]).toEqual([ALL, []]);
  });

  it('takes the copies of its invalid documents with it', async () => {
    for (let i = 0; i < 2; i++) await run('delta', 0);
    await store.put('_state/broken/runs/delta-1/record-12345678.json', Buffer.from('{'));
    await clear(400);
    expect([...store.objects.keys()].filter((key) => key.startsWith('_state/broken/'))).toEqual([]);
  });
});

it('continues where a process that died in the middle of deleting stopped, and two processes may clear at once', async () => {
  for (let i = 0; i < 5; i++) await run('delta', 0);
  let deletes = 0;
  const remove = store.delete.bind(store);
  store.delete = async (key) => {
    if (++deletes > 3) throw new Error('killed');
    await remove(key);
  };
  await expect(clear(400)).rejects.toThrow('killed');
  store.delete = remove;
  await Promise.all([clear(400), clear(400)]);
  expect([1, 2, 3, 4].flatMap((number) => left(`delta-${number}`))).toEqual([]);
  expect(left('delta-5')).toEqual(ALL);
});

it('looks at 100 runs of a kind in one call, and at none of them again', async () => {
  for (let i = 0; i < 250; i++) await run('delta', 0);
  const read: string[] = [];
  const get = store.get.bind(store);
  store.get = (key) => {
    if (key.endsWith('/record.json')) read.push(key);
    return get(key);
  };
  const isDone = [await clear(8), await clear(8), await clear(8)];
  expect(isDone).toEqual([false, false, true]);
  // The runs 1 to 249 for their stages, and the first one for its record in each call.
  expect(read).toHaveLength(249 + 3);
});

it('leaves a backfill without a record unknown, and the list of backfills without it', async () => {
  for (let i = 0; i < 3; i++) await run('backfill', 0);
  await clear(400);
  expect((await listBackfills(store, 50)).map(({ id }) => id)).toEqual(['backfill-3']);
  await expect(readBackfill(store, 'backfill-1')).rejects.toMatchObject({ code: 'unknown_backfill' });
  expect(await readPipelineRun(store, 'backfill-3')).toBeDefined();
});
