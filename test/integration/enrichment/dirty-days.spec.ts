import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { domainSettings, loadSettings } from '../../../src/config/settings.js';
import { enrichSlice } from '../../../src/enrichment/enrich-slice.js';
import { loadDirtyDays } from '../../../src/ingestion/plan-dirty-days.js';
import { completePipelineRun } from '../../../src/pipeline/complete-run.js';
import type { Page } from '../../../src/pipeline/stage-contracts.js';
import {
  type DirtyDays,
  listDirtyDays,
  NO_DIRTY_DAYS,
  removeDirtyDaysOf,
} from '../../../src/state/dirty-days.js';
import { EMPTY_QUERY, type Rulebook } from '../../../src/state/rulebook.js';
import { Duck } from '../../../src/storage/duck.js';
import { FolderStore } from '../../../src/storage/folder-store.js';
import { partitionKey } from '../../../src/storage/keys.js';
import type { ObjectStore } from '../../../src/storage/object-store.js';
import { planOf } from '../../support/stage-results.js';

const DAYS = ['2026-03-08', '2026-03-09'];
const NOON = Date.parse('2026-03-10T12:00:00Z');
const HOUR = 3_600_000;
const book: Rulebook = {
  version: 1,
  asked: EMPTY_QUERY,
  entries: [],
  settings: [
    { first_day: null, settings: domainSettings(loadSettings({ MLFLOW_TRACKING_URI: 'http://mlflow' })) },
  ],
};

let folder: string;
let duck: Duck;
let store: FolderStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dirty-days-'));
  duck = await Duck.open(folder);
  store = await FolderStore.open({ dir: folder });
});
afterEach(async () => {
  duck.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

/** A page of a run per day, one second after its request began, with a status each; `ODD` is not one of MLflow's. */
async function page(date: number, name: string, statuses = ['FINISHED', 'FINISHED']): Promise<Page> {
  const runs = DAYS.map((day, i) => ({
    info: {
      run_id: day,
      run_name: name,
      experiment_id: '1',
      status: statuses[i],
      start_time: Date.parse(`${day}T10:00:00Z`),
      lifecycle_stage: 'active',
    },
  }));
  const key = `_raw/r/s/${date}.json`;
  const body = Buffer.from(JSON.stringify({ runs }));
  await store.put(key, body);
  return { key, date, began: date - 1000, runs: runs.length, bytes: body.length };
}

const enrich = (to: ObjectStore, pipelineRunId: string, pages: Page[], dirty: DirtyDays = NO_DIRTY_DAYS) =>
  enrichSlice(to, duck, { rulebookFor: async () => book }, async () => NOON, {
    pipelineRunId,
    sliceId: 's',
    dirty,
    fetched: { pages, gone: [], answered: ['1'], refused: [], bytes: 0 },
    plannedOpenRuns: new Set(),
    heartbeat: () => undefined,
  });

/** The names of the published runs and the ids of the quarantined ones. */
const published = () =>
  duck.session(async (session) => {
    const shown: unknown[] = [];
    const keys = [...DAYS.map((day) => partitionKey('runs', day)), partitionKey('quarantine', '2026-03-10')];
    for (const key of keys) {
      const stored = await store.fetch(key);
      if (!stored) continue;
      const column = key.startsWith('runs/') ? 'run_name' : 'run_id';
      const statement = `SELECT ${column} AS shown FROM read_parquet($file)`;
      shown.push(...((await session.columns(statement, { file: stored.file })).shown ?? []));
    }
    return shown;
  });

/** The store, whose puts wait for a function. */
const onPut = (wait: (key: string) => Promise<void>): ObjectStore =>
  new Proxy<ObjectStore>(store, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name !== 'put') return typeof value === 'function' ? value.bind(target) : value;
      return async (...parameters: Parameters<ObjectStore['put']>) => {
        await wait(parameters[0]);
        return target.put(...parameters);
      };
    },
  });
let slow: ObjectStore;

/** The store of a process that dies before or after a put. */
function dyingStore(put: number, executed: boolean): ObjectStore {
  let puts = 0;
  return new Proxy<ObjectStore>(store, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name !== 'put') return typeof value === 'function' ? value.bind(target) : value;
      return async (...parameters: Parameters<ObjectStore['put']>) => {
        if (puts >= put) {
          if (executed && puts++ === put) await target.put(...parameters);
          throw new Error('killed');
        }
        puts++;
        return target.put(...parameters);
      };
    },
  });
}

describe('a slice that changes a day, removes a run from quarantine and adds one, and dies at any of its puts', () => {
  it.each([
    ['its own retry', 'delta-2'],
    ['the next pipeline run', 'delta-3'],
  ])('is made good by %s', async (_, id) => {
    let expected: unknown;
    for (let put = 0, died = true; died; put++) {
      for (const executed of [false, true]) {
        for (const name of ['runs', '_base', '_state', 'quarantine']) {
          await rm(join(folder, name), { recursive: true, force: true });
        }
        await enrich(store, 'delta-1', [await page(NOON, 'old', ['ODD', 'FINISHED'])]);
        await removeDirtyDaysOf(store, 'delta-1');
        const pages = [await page(NOON + HOUR, 'new', ['FINISHED', 'ODD'])];
        const end = await enrich(dyingStore(put, executed), 'delta-2', pages).then(() => 'done', String);
        died = end !== 'done';
        if (!died) break;
        expect(end).toContain('killed');
        // The record of the dead pipeline run is missing: it counts as closed.
        const dirty = id === 'delta-2' ? NO_DIRTY_DAYS : await loadDirtyDays(store, NOON);
        await enrich(store, id, pages, dirty);
        const now = await published();
        expected ??= now;
        expect([put, executed, now]).toEqual([put, executed, expected]);
      }
    }
    expect(await published()).toEqual(expected);
  });
});

describe('the dirty days of a pipeline run', () => {
  it('are stored before the first put of a changed day, and removed when the run is complete', async () => {
    const keys: string[] = [];
    const recording = onPut(async (key) => {
      keys.push(key);
    });
    await enrich(recording, 'delta-1', [await page(NOON, 'a')]);
    const puts = keys.filter((key) => key.startsWith('_state/dirty/') || key.startsWith('_base/'));
    expect(puts).toEqual([
      '_state/dirty/delta-1/s.json',
      '_base/2026/03/09/part-0.parquet',
      '_state/dirty/delta-1/s.json',
      '_base/2026/03/08/part-0.parquet',
    ]);
    expect(await listDirtyDays(store)).toMatchObject([{ pipelineRunId: 'delta-1', days: DAYS }]);
    const outcomes = { fetched: new Map(), enriched: new Map() };
    await completePipelineRun(store, { kind: 'delta', id: 'delta-1' }, planOf({}), outcomes);
    expect(await listDirtyDays(store)).toEqual([]);
  });

  it('are all in the result of a stalled execution, although another one of the slice has changed them', async () => {
    let resume: () => void = () => undefined;
    const stalled = new Promise<void>((stalls) => {
      const pause = new Promise<void>((resolve) => {
        resume = resolve;
      });
      slow = onPut(async (key) => {
        if (!key.startsWith('_base/')) return;
        stalls();
        await pause;
      });
    });
    const pages = [await page(NOON, 'a')];
    const first = enrich(slow, 'delta-1', pages);
    await stalled;
    expect(await enrich(store, 'delta-1', pages)).toMatchObject({ inserted: 2 });
    resume();
    expect(await first).toMatchObject({ inserted: 0, touched_days: [...DAYS].reverse() });
  });

  it('are none if no content changed', async () => {
    await enrich(store, 'delta-1', [await page(NOON, 'a', ['ODD', 'FINISHED'])]);
    const before = (await listDirtyDays(store)).length;
    const result = await enrich(store, 'delta-2', [await page(NOON + HOUR, 'a', ['ODD', 'FINISHED'])]);
    expect(result).toMatchObject({ touched_days: [], unchanged: 1, quarantined: 1, partitions_written: 0 });
    expect((await listDirtyDays(store)).length).toBe(before);
  });
});
