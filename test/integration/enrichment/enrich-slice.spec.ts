import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { domainSettings, loadSettings, RULES_VERSION } from '../../../src/config/settings.js';
import { DATE_LAG_MS } from '../../../src/domain/merge-precedence.js';
import { type EnrichTools, enrichSlice } from '../../../src/enrichment/enrich-slice.js';
import type { FetchResult, Page } from '../../../src/pipeline/stage-contracts.js';
import { EMPTY_QUERY, type Rulebook } from '../../../src/state/rulebook.js';
import { Duck } from '../../../src/storage/duck.js';
import { FolderStore } from '../../../src/storage/folder-store.js';
import { readFooter } from '../../../src/storage/footer.js';
import { baseKey, partitionKey } from '../../../src/storage/keys.js';

const DAY = '2026-03-09';
const START = Date.parse(`${DAY}T10:00:00Z`);
const NOON = Date.parse('2026-03-10T12:00:00Z');
const SECOND = 1000;
const LATER = NOON + DATE_LAG_MS + 10 * SECOND;

let folder: string;
let duck: Duck;
let tools: EnrichTools;
/** What was put on the open list, in the last call. */
let entered: readonly { run_id: string; experiment_id: string; day: string | null }[];
/** The tracking server's clock, and how often it was asked. */
let serverNow = NOON;
let asked = 0;
let pages = 0;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'enrich-slice-'));
  duck = await Duck.open(folder);
  const store = await FolderStore.open({ dir: folder });
  serverNow = NOON;
  asked = 0;
  const settings = domainSettings(loadSettings({ MLFLOW_TRACKING_URI: 'http://mlflow' }));
  const book: Rulebook = {
    version: 1,
    asked: EMPTY_QUERY,
    entries: [],
    settings: [{ first_day: null, settings }],
  };
  tools = {
    store,
    duck,
    rulesVersion: RULES_VERSION,
    serverNow: async () => {
      asked++;
      return serverNow;
    },
    rulebook: async () => book,
    heartbeat: () => undefined,
    addOpenMlflowRuns: async (runs) => {
      entered = runs;
    },
  };
});
afterEach(async () => {
  duck.close();
  await tools.store.close();
  await rm(folder, { recursive: true, force: true });
});

/** A run as MLflow sends it; `name` is what changes. */
const run = (run_id: string, name: string, info: object = {}) => ({
  info: {
    run_id,
    run_name: name,
    experiment_id: '1',
    status: 'FINISHED',
    start_time: START,
    end_time: START + 60 * SECOND,
    lifecycle_stage: 'active',
    ...info,
  },
  data: { metrics: [], params: [], tags: [] },
});

/** A page of MLflow, answered at `date` to a request of a second. */
async function page(date: number, ...runs: object[]): Promise<Page> {
  const key = `_raw/r/s/${pages++}.json`;
  const body = Buffer.from(JSON.stringify({ runs }));
  await tools.store.put(key, body);
  return { key, date, began: date - SECOND, runs: runs.length, bytes: body.length };
}

const gone = (run_id: string, date: number, day: string | null = DAY) => ({
  run_id,
  day,
  date,
  began: date - SECOND,
});

async function enrich(
  fetched: Partial<Pick<FetchResult, 'gone'>> & { readonly pages?: readonly Promise<Page>[] },
  askedFor: readonly string[] = [],
) {
  entered = [];
  const slice = { gone: [], answered: ['1'], refused: [], bytes: 0, ...fetched };
  const all = { ...slice, pages: await Promise.all(fetched.pages ?? []) };
  return enrichSlice(tools, 'delta-1', all, new Set(askedFor));
}

interface BaseRow {
  run_id: string;
  run_name: string;
  lifecycle_stage: string;
  observed: number;
}

async function base(): Promise<BaseRow[]> {
  const stored = await tools.store.fetch(baseKey(DAY));
  return duck.session((session) =>
    session.rows(
      `SELECT run_id, run_name, lifecycle_stage, epoch_ms(observed_at)::DOUBLE AS observed
       FROM read_parquet($file) ORDER BY run_id`,
      { file: stored?.file ?? '' },
    ),
  );
}

async function published(): Promise<string[]> {
  const stored = await tools.store.fetch(partitionKey('runs', DAY));
  const rows = await duck.session((session) =>
    session.rows<{ run_id: string }>('SELECT run_id FROM read_parquet($file) ORDER BY run_id', {
      file: stored?.file ?? '',
    }),
  );
  return rows.map(({ run_id }) => run_id);
}

const contentOfBase = async (): Promise<string | undefined> => {
  const stored = await tools.store.fetch(baseKey(DAY));
  return duck.session((session) => readFooter(session, stored?.file ?? '', 'content'));
};

const AGAIN = { experiment_id: '1', day: DAY };

describe('a slice that is brought into the base', () => {
  it('leaves a row that may be newer, and has the run asked for again until an answer decides', async () => {
    await enrich({ pages: [page(NOON, run('a', 'new'))] });
    const tooEarly = await enrich({ pages: [page(NOON + DATE_LAG_MS, run('a', 'other'))] }, ['a']);
    expect(tooEarly).toMatchObject({ superseded: 1, updated: 0, touched_days: [DAY], closed: [] });
    expect(entered).toEqual([{ run_id: 'a', ...AGAIN }]);
    expect(await base()).toMatchObject([{ run_name: 'new', observed: NOON }]);
    const delta = await enrich({ pages: [page(LATER, run('a', 'other'))] }, ['a']);
    expect(delta).toMatchObject({ superseded: 0, updated: 1, closed: ['a'] });
    expect(entered).toEqual([]);
    expect(await base()).toMatchObject([{ run_name: 'other', observed: LATER }]);
  });

  it('counts a page that took long as read as late as it may have been', async () => {
    const slow = { ...(await page(NOON, run('a', 'slow'))), began: NOON - 60 * SECOND };
    await enrich({ pages: [Promise.resolve(slow)] });
    await enrich({ pages: [page(NOON + 60 * SECOND, run('a', 'held up'))] });
    expect(await base()).toMatchObject([{ run_name: 'slow' }]);
    expect(entered).toEqual([{ run_id: 'a', ...AGAIN }]);
  });

  it('writes nothing for equal content, and judges its day all the same', async () => {
    await enrich({ pages: [page(NOON, run('a', 'same'))] });
    const before = await tools.store.head(baseKey(DAY));
    const counts = await enrich({ pages: [page(LATER, run('a', 'same'))] }, ['a']);
    expect(counts).toMatchObject({ unchanged: 1, touched_days: [DAY], closed: ['a'] });
    expect(await tools.store.head(baseKey(DAY))).toEqual(before);
  });

  it('takes the run asked for last where pages disagree, and has it asked for again', async () => {
    const pages = [page(NOON + SECOND, run('a', 'last')), page(NOON, run('a', 'first'))];
    expect(await enrich({ pages }, ['a'])).toMatchObject({ runs: 1, inserted: 1, closed: [] });
    expect(await base()).toMatchObject([{ run_name: 'last' }]);
    expect(entered).toEqual([{ run_id: 'a', ...AGAIN }]);
  });

  it('counts a run in two pages that agree once', async () => {
    const pages = [page(NOON, run('a', 'x')), page(NOON + SECOND, run('a', 'x'), run('b', 'y'))];
    expect(await enrich({ pages })).toMatchObject({ runs: 2, inserted: 2 });
    expect(entered).toEqual([]);
  });

  it('marks a run that is gone, and takes it back when it comes again', async () => {
    await enrich({ pages: [page(NOON, run('a', 'x'), run('b', 'x'))] });
    expect(await enrich({ gone: [gone('a', LATER)] }, ['a'])).toMatchObject({ updated: 1, closed: ['a'] });
    expect(await base()).toMatchObject([
      { run_id: 'a', lifecycle_stage: 'gone', observed: LATER },
      { run_id: 'b', lifecycle_stage: 'active' },
    ]);
    expect(await published()).toEqual(['b']);
    expect(await enrich({ gone: [gone('a', 2 * LATER - NOON)] })).toMatchObject({ updated: 0, unchanged: 1 });
    await enrich({ pages: [page(2 * LATER - NOON, run('a', 'x'))] });
    expect(await base()).toMatchObject([{ lifecycle_stage: 'active' }, { lifecycle_stage: 'active' }]);
    expect(await published()).toEqual(['a', 'b']);
  });

  it('has a run asked for again that may be gone, also one that was on no list', async () => {
    await enrich({ pages: [page(NOON, run('a', 'x'))] });
    expect(await enrich({ gone: [gone('a', NOON + SECOND)] })).toMatchObject({ superseded: 1, closed: [] });
    expect(await base()).toMatchObject([{ lifecycle_stage: 'active' }]);
    expect(entered).toEqual([{ run_id: 'a', ...AGAIN }]);
  });

  it('does not mark as gone what a page of the slice holds', async () => {
    await enrich({ pages: [page(NOON, run('a', 'x'))] });
    await enrich({ pages: [page(LATER, run('a', 'x'))], gone: [gone('a', LATER)] });
    expect(await base()).toMatchObject([{ lifecycle_stage: 'active' }]);
  });

  it.each([
    ['with a day', DAY],
    ['without one', null],
  ])('drops a run from the open list that is gone and was never stored, %s', async (_, day) => {
    const counts = await enrich({ gone: [gone('never', NOON, day)] }, ['never']);
    expect(counts).toMatchObject({ inserted: 0, updated: 0, closed: ['never'] });
    expect(entered).toEqual([]);
    expect(await tools.store.head(baseKey(DAY))).toBeUndefined();
  });

  it('has a digest of content that is the same whether a run that is gone was ever seen', async () => {
    await enrich({ pages: [page(NOON, run('b', 'x'))] });
    const without = await contentOfBase();
    await enrich({ pages: [page(NOON, run('a', 'x'))] });
    expect(await contentOfBase()).not.toBe(without);
    await enrich({ gone: [gone('a', LATER)] });
    expect(await contentOfBase()).toBe(without);
  });

  it('replaces a row of a clock that was ahead, and has the run asked for again', async () => {
    const ahead = NOON + 3600 * SECOND;
    await enrich({ pages: [page(ahead, run('a', 'of a wrong clock'))] });
    serverNow = NOON + 300 * SECOND;
    const counts = await enrich({ pages: [page(NOON + 290 * SECOND, run('a', 'x'))] }, ['a']);
    expect(counts).toMatchObject({ updated: 1, superseded: 0, closed: [] });
    expect(await base()).toMatchObject([{ run_name: 'x' }]);
    expect(entered).toEqual([{ run_id: 'a', ...AGAIN }]);
    expect(asked).toBe(1);
  });

  it('asks the server for its time only where a stored time is later than that of the answer', async () => {
    await enrich({ pages: [page(NOON, run('a', 'new'))] });
    await enrich({ pages: [page(NOON + SECOND, run('a', 'other'))] });
    expect(asked).toBe(0);
    serverNow = NOON + DATE_LAG_MS;
    await enrich({ pages: [page(NOON - SECOND, run('a', 'other'))] });
    expect(asked).toBe(1);
    expect(await base()).toMatchObject([{ run_name: 'new' }]);
  });

  it('keeps the row of a run that it can no longer read, and goes on asking for it', async () => {
    await enrich({ pages: [page(NOON, run('a', 'x'))] });
    const counts = await enrich({ pages: [page(LATER, run('a', 'x', { status: 'ODD' }), run('b', 'x'))] }, [
      'a',
    ]);
    expect(counts).toMatchObject({ quarantined: 1, inserted: 1, closed: [] });
    expect(await base()).toMatchObject([{ run_id: 'a', lifecycle_stage: 'active' }, { run_id: 'b' }]);
  });

  it('keeps a run open until it has ended', async () => {
    const running = run('a', 'x', { status: 'RUNNING' });
    expect(await enrich({ pages: [page(NOON, running)] }, ['a'])).toMatchObject({ closed: [] });
    expect(entered).toEqual([{ run_id: 'a', ...AGAIN }]);
    expect(await enrich({ pages: [page(LATER, run('a', 'x'))] }, ['a'])).toMatchObject({ closed: ['a'] });
  });
});
