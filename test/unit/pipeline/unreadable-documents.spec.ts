import type { Queue } from 'bullmq';
import { cancelBackfill, listBackfills, readBackfill } from '../../../src/admin/backfills.js';
import type { PipelineKind } from '../../../src/domain/model.js';
import type { Engine } from '../../../src/pipeline/engine.js';
import { Markers } from '../../../src/pipeline/markers.js';
import { createPipelineRun, readPipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { readKindState } from '../../../src/state/kind-state.js';
import { MemoryStore } from '../../support/memory-store.js';
import { fetchResultOf, planOf, sliceOf } from '../../support/stage-results.js';
import { createEngine, enrichResultOf, NOTHING_REBUILT } from './engine-fixture.js';

const BROKEN = Buffer.from('{"version":1,"id":');
const NOW = 1_773_144_000_000;
const slice = sliceOf({}).id;
const week = { from: 0, to: 7 * 86_400_000 };

let store: MemoryStore;
let jobs: string[];
let errors: string[];
let engine: Engine;

beforeEach(() => {
  store = new MemoryStore();
  // Dispatches of the test before may still end: they add to its lists.
  const added: string[] = [];
  const reported: string[] = [];
  jobs = added;
  errors = reported;
  const queue = {
    getJob: async () => undefined,
    add: async (_name: string, _data: unknown, { jobId }: { jobId: string }) => added.push(jobId),
  } as unknown as Queue;
  const ignore = () => undefined;
  engine = createEngine(queue, {
    store,
    clock: () => NOW,
    log: { debug: ignore, log: ignore, warn: ignore, error: (line) => reported.push(line) },
  });
});

const create = (kind: PipelineKind) =>
  createPipelineRun(store, kind, { scheduledAt: null, window: week, now: NOW });
const breakDocument = (key: string) => store.objects.set(`_state/${key}`, BROKEN);
/** Lets the dispatches that `wake` starts end. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));
async function finishStages(id: string): Promise<void> {
  const markers = new Markers(store, id);
  await markers.put('all', 'plan', planOf({ slices: [sliceOf({})] }));
  await markers.put(slice, 'fetch', fetchResultOf({}));
  await markers.put(slice, 'enrich', enrichResultOf({ runs: 3 }));
  await markers.put('all', 'publish', NOTHING_REBUILT);
}

describe('a pipeline run with an invalid document', () => {
  const documents = [
    ['record', 'record.json', 'all', 'plan'],
    ['plan', 'done/all.plan.json', 'all', 'plan'],
    ['marker', `done/${slice}.fetch.json`, slice, 'fetch'],
    ['marker that only has totals', 'done/all.publish.json', 'all', 'publish'],
  ] as const;

  it.each(documents)(
    'is closed as failed with the name of its %s, and the rest goes on',
    async (_, name, slice, stage) => {
      await create('delta');
      await create('delta');
      await create('backup');
      await finishStages('delta-1');
      const key = `runs/delta-1/${name}`;
      breakDocument(key);
      await engine.dispatch();
      await settle();
      expect(await readPipelineRun(store, 'delta-1')).toMatchObject({
        status: 'failed',
        finished_at: NOW,
        error: { slice, stage, code: 'broken_document', message: expect.stringContaining(`_state/${key}`) },
      });
      expect(await readKindState(store, 'delta')).toMatchObject({
        active: ['delta-2'],
        unreadable: { run: 'delta-1', message: expect.stringContaining(key) },
      });
      expect(jobs).toEqual(expect.arrayContaining(['backup-1.all.plan.1', 'delta-2.all.plan.1']));
      expect(errors).toEqual([expect.stringContaining(key)]);
      const kept = [...store.objects].filter(([, body]) => body.equals(BROKEN)).map(([each]) => each);
      expect(kept).toEqual([
        name === 'record.json'
          ? expect.stringMatching(/^_state\/broken\/runs\/delta-1\/record-\w{8}\.json$/)
          : `_state/${key}`,
      ]);
    },
  );

  it('is closed as failed if the number of its last attempt is invalid', async () => {
    await create('delta');
    breakDocument('runs/delta-1/tries/all.plan.json');
    await engine.dispatch();
    expect((await readPipelineRun(store, 'delta-1'))?.error?.message).toContain('tries/all.plan.json');
  });

  it.each(documents)('can be cancelled: %s', async (_, name) => {
    await create('backfill');
    await finishStages('backfill-1');
    breakDocument(`runs/backfill-1/${name}`);
    expect(await readBackfill(store, 'backfill-1')).toMatchObject({ status: 'active', from: '1970-01-01' });
    expect(await cancelBackfill(engine, store, 'backfill-1')).toMatchObject({ status: 'cancelled' });
    expect((await readKindState(store, 'backfill')).active).toEqual([]);
  });

  it('that waits is closed too, and is listed with the reason until then', async () => {
    await create('backfill');
    await create('backfill');
    breakDocument('runs/backfill-2/record.json');
    const [listed] = await listBackfills(store, 10);
    expect(listed).toMatchObject({ id: 'backfill-2', error: { code: 'broken_document' } });
    await engine.dispatch();
    expect((await readPipelineRun(store, 'backfill-2'))?.status).toBe('failed');
    expect(await readPipelineRun(store, 'backfill-1')).toMatchObject({ status: 'active' });
  });

  it('that had finished is shown as failed, and its record is not replaced', async () => {
    await create('backfill');
    await engine.cancel({ kind: 'backfill', id: 'backfill-1' });
    breakDocument('runs/backfill-1/record.json');
    expect(await readBackfill(store, 'backfill-1')).toMatchObject({ status: 'failed' });
    await expect(cancelBackfill(engine, store, 'backfill-1')).rejects.toMatchObject({
      code: 'backfill_finished',
    });
    expect(store.objects.get('_state/runs/backfill-1/record.json')).toBe(BROKEN);
  });

  it('is no longer reported once a run of its kind has succeeded', async () => {
    await create('delta');
    await create('delta');
    breakDocument('runs/delta-1/record.json');
    await finishStages('delta-2');
    await engine.dispatch();
    await settle();
    expect((await readPipelineRun(store, 'delta-2'))?.status).toBe('done');
    expect(await readKindState(store, 'delta')).not.toHaveProperty('unreadable');
  });
});

describe('an invalid document of the service', () => {
  it('fails the run that needs it when it is published, and keeps the others going', async () => {
    await create('delta');
    await create('reevaluation');
    await finishStages('delta-1');
    breakDocument('watermark.json');
    await engine.dispatch();
    expect((await readPipelineRun(store, 'delta-1'))?.error?.message).toMatch(
      /_state\/watermark\.json is invalid: .*\. Restore it from a backup, or delete it/,
    );
    expect(jobs).toEqual(['reevaluation-1.all.plan.1']);
  });

  it.each(['delta', 'bootstrap', 'backfill'] as const)('blocks only its own kind: %s', async (kind) => {
    const others = (['delta', 'historical', 'backup', 'backfill'] as const).filter((each) => each !== kind);
    for (const other of others) await create(other);
    breakDocument(`kinds/${kind}.json`);
    await engine.dispatch();
    await engine.dispatch();
    expect([...new Set(jobs.map((id) => id.split('-')[0]))].sort()).toEqual([...others].sort());
    expect(errors).toEqual([expect.stringMatching(new RegExp(`^No ${kind} can run: .*kinds/${kind}.json`))]);
  });

  it('does not keep a run of its kind from being closed', async () => {
    await create('delta');
    breakDocument('kinds/delta.json');
    expect(await engine.cancel({ kind: 'delta', id: 'delta-1' })).toMatchObject({ status: 'cancelled' });
  });

  it('that is deleted, the state of a kind, does not give a number again', async () => {
    await create('delta');
    await create('delta');
    store.objects.delete('_state/kinds/delta.json');
    expect(await create('delta')).toBe('delta-3');
  });
});
