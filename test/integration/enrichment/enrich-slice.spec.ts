import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { domainSettings, loadSettings } from '../../../src/config/settings.js';
import { DATE_LAG_MS } from '../../../src/domain/merge-precedence.js';
import { enrichSlice } from '../../../src/enrichment/enrich-slice.js';
import type { FetchResult, Page } from '../../../src/pipeline/stage-contracts.js';
import { NO_DIRTY_DAYS } from '../../../src/state/dirty-days.js';
import { readOpenMlflowRuns } from '../../../src/state/open-mlflow-runs.js';
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
let store: FolderStore;
/** The open MLflow runs that the last call added. */
let opened: readonly { run_id: string; experiment_id: string; day: string | null }[];
/** The tracking server's clock, and how often it was requested. */
let serverNow = NOON;
let clockRequests = 0;
let pages = 0;
let slices = 0;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'enrich-slice-'));
  duck = await Duck.open(folder);
  store = await FolderStore.open({ dir: folder });
  serverNow = NOON;
  clockRequests = 0;
});
afterEach(async () => {
  duck.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

/** A run as MLflow sends it. */
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

/** A page that MLflow sent at `date`, one second after the request began. */
async function page(date: number, ...runs: object[]): Promise<Page> {
  const key = `_raw/r/s/${pages++}.json`;
  const body = Buffer.from(JSON.stringify({ runs }));
  await store.put(key, body);
  return { key, date, began: date - SECOND, runs: runs.length, bytes: body.length };
}

const gone = (run_id: string, date: number, day: string | null = DAY) => ({
  run_id,
  day,
  date,
  began: date - SECOND,
});

async function enrich(
  fetched: Partial<Pick<FetchResult, 'gone' | 'oversized'>> & { readonly pages?: readonly Promise<Page>[] },
  plannedOpenRuns: readonly string[] = [],
) {
  const settings = domainSettings(loadSettings({ MLFLOW_TRACKING_URI: 'http://mlflow' }));
  const book: Rulebook = {
    version: 1,
    asked: EMPTY_QUERY,
    entries: [],
    settings: [{ first_day: null, settings }],
  };
  const clock = async () => {
    clockRequests++;
    return serverNow;
  };
  await store.delete('_state/open-runs.json');
  const pages = await Promise.all(fetched.pages ?? []);
  const result = await enrichSlice(store, duck, { rulebookFor: async () => book }, clock, {
    pipelineRunId: `delta-${++slices}`,
    sliceId: 's',
    dirty: NO_DIRTY_DAYS,
    fetched: { gone: [], answered: ['1'], refused: [], bytes: 0, ...fetched, pages },
    plannedOpenRuns: new Set(plannedOpenRuns),
    heartbeat: () => undefined,
  });
  opened = (await readOpenMlflowRuns(store)).map(({ token: _, ...run }) => run);
  return result;
}

interface BaseRow {
  run_id: string;
  run_name: string;
  lifecycle_stage: string;
  observed: number;
}

async function base(): Promise<BaseRow[]> {
  const stored = await store.fetch(baseKey(DAY));
  return duck.session((session) =>
    session.rows(
      `SELECT run_id, run_name, lifecycle_stage, epoch_ms(observed_at)::DOUBLE AS observed
       FROM read_parquet($file) ORDER BY run_id`,
      { file: stored?.file ?? '' },
    ),
  );
}

async function published(): Promise<string[]> {
  const stored = await store.fetch(partitionKey('runs', DAY));
  const rows = await duck.session((session) =>
    session.rows<{ run_id: string }>('SELECT run_id FROM read_parquet($file) ORDER BY run_id', {
      file: stored?.file ?? '',
    }),
  );
  return rows.map(({ run_id }) => run_id);
}

const contentOfBase = async (): Promise<string | undefined> => {
  const stored = await store.fetch(baseKey(DAY));
  return duck.session((session) => readFooter(session, stored?.file ?? '', 'content'));
};

const OPEN = { experiment_id: '1', day: DAY };

describe('enrichSlice', () => {
  it('keeps a row that may be newer, and leaves the run open until a later response decides', async () => {
    await enrich({ pages: [page(NOON, run('a', 'new'))] });
    const tooEarly = await enrich({ pages: [page(NOON + DATE_LAG_MS, run('a', 'other'))] }, ['a']);
    expect(tooEarly).toMatchObject({ superseded: 1, updated: 0, touched_days: [], closed: [] });
    expect(opened).toEqual([{ run_id: 'a', ...OPEN, undecided: true }]);
    expect(await base()).toMatchObject([{ run_name: 'new', observed: NOON }]);
    const delta = await enrich({ pages: [page(LATER, run('a', 'other'))] }, ['a']);
    expect(delta).toMatchObject({ superseded: 0, updated: 1, closed: ['a'] });
    expect(opened).toEqual([]);
    expect(await base()).toMatchObject([{ run_name: 'other', observed: LATER }]);
  });

  it('assumes that a slow response was read at its latest possible time', async () => {
    const slow = { ...(await page(NOON, run('a', 'slow'))), began: NOON - 60 * SECOND };
    await enrich({ pages: [Promise.resolve(slow)] });
    await enrich({ pages: [page(NOON + 60 * SECOND, run('a', 'delayed'))] });
    expect(await base()).toMatchObject([{ run_name: 'slow' }]);
    expect(opened).toEqual([{ run_id: 'a', ...OPEN, undecided: true }]);
  });

  it('touches no day if no content changed', async () => {
    await enrich({ pages: [page(NOON, run('a', 'same'))] });
    const before = await store.head(baseKey(DAY));
    const counts = await enrich({ pages: [page(LATER, run('a', 'same'))] }, ['a']);
    expect(counts).toMatchObject({ unchanged: 1, touched_days: [], closed: ['a'] });
    expect(await store.head(baseKey(DAY))).toEqual(before);
  });

  it('stores the content of the latest request if pages disagree, and leaves the run open', async () => {
    const pages = [page(NOON + SECOND, run('a', 'last')), page(NOON, run('a', 'first'))];
    expect(await enrich({ pages }, ['a'])).toMatchObject({ runs: 1, inserted: 1, closed: [] });
    expect(await base()).toMatchObject([{ run_name: 'last' }]);
    expect(opened).toEqual([{ run_id: 'a', ...OPEN, undecided: true }]);
  });

  it('counts a run once that two pages have with the same content', async () => {
    const pages = [page(NOON, run('a', 'x')), page(NOON + SECOND, run('a', 'x'), run('b', 'y'))];
    expect(await enrich({ pages })).toMatchObject({ runs: 2, inserted: 2 });
    expect(opened).toEqual([]);
  });

  it('marks a run as gone, and restores it when MLflow returns it again', async () => {
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

  it('leaves a run open that may be gone, even if it was not open before', async () => {
    await enrich({ pages: [page(NOON, run('a', 'x'))] });
    expect(await enrich({ gone: [gone('a', NOON + SECOND)] })).toMatchObject({ superseded: 1, closed: [] });
    expect(await base()).toMatchObject([{ lifecycle_stage: 'active' }]);
    expect(opened).toEqual([{ run_id: 'a', ...OPEN, undecided: true }]);
  });

  it('does not mark a run as gone if a page of the slice has it', async () => {
    await enrich({ pages: [page(NOON, run('a', 'x'))] });
    await enrich({ pages: [page(LATER, run('a', 'x'))], gone: [gone('a', LATER)] });
    expect(await base()).toMatchObject([{ lifecycle_stage: 'active' }]);
  });

  it.each([
    ['with a day', DAY],
    ['without a day', null],
  ])('closes a run that is gone and was never stored, %s', async (_, day) => {
    const counts = await enrich({ gone: [gone('never', NOON, day)] }, ['never']);
    expect(counts).toMatchObject({ inserted: 0, updated: 0, closed: ['never'] });
    expect(opened).toEqual([]);
    expect(await store.head(baseKey(DAY))).toBeUndefined();
  });

  it('has the same content digest whether or not it ever saw a gone run', async () => {
    await enrich({ pages: [page(NOON, run('b', 'x'))] });
    const without = await contentOfBase();
    await enrich({ pages: [page(NOON, run('a', 'x'))] });
    expect(await contentOfBase()).not.toBe(without);
    await enrich({ gone: [gone('a', LATER)] });
    expect(await contentOfBase()).toBe(without);
  });

  it('replaces a row whose time is in the future, and leaves the run open', async () => {
    const ahead = NOON + 3600 * SECOND;
    await enrich({ pages: [page(ahead, run('a', 'by a wrong clock'))] });
    serverNow = NOON + 300 * SECOND;
    const counts = await enrich({ pages: [page(NOON + 290 * SECOND, run('a', 'x'))] }, ['a']);
    expect(counts).toMatchObject({ updated: 1, superseded: 0, closed: [] });
    expect(await base()).toMatchObject([{ run_name: 'x' }]);
    expect(opened).toEqual([{ run_id: 'a', ...OPEN, undecided: true }]);
    expect(clockRequests).toBe(1);
  });

  it("requests the server's clock only if a stored time is later than that of the response", async () => {
    await enrich({ pages: [page(NOON, run('a', 'new'))] });
    await enrich({ pages: [page(NOON + SECOND, run('a', 'other'))] });
    expect(clockRequests).toBe(0);
    serverNow = NOON + DATE_LAG_MS;
    await enrich({ pages: [page(NOON - SECOND, run('a', 'other'))] });
    expect(clockRequests).toBe(1);
    expect(await base()).toMatchObject([{ run_name: 'new' }]);
  });

  it('keeps the row of a run that can no longer be read, and leaves the run open', async () => {
    await enrich({ pages: [page(NOON, run('a', 'x'))] });
    const counts = await enrich({ pages: [page(LATER, run('a', 'x', { status: 'ODD' }), run('b', 'x'))] }, [
      'a',
    ]);
    expect(counts).toMatchObject({ quarantined: 1, inserted: 1, closed: [] });
    expect(await base()).toMatchObject([{ run_id: 'a', lifecycle_stage: 'active' }, { run_id: 'b' }]);
  });

  it('leaves a run open until it has ended', async () => {
    const running = run('a', 'x', { status: 'RUNNING' });
    expect(await enrich({ pages: [page(NOON, running)] }, ['a'])).toMatchObject({ closed: [] });
    expect(opened).toEqual([{ run_id: 'a', ...OPEN }]);
    expect(await enrich({ pages: [page(LATER, run('a', 'x'))] }, ['a'])).toMatchObject({ closed: ['a'] });
  });
});

describe('a day with large texts', () => {
  const text = (i: number, length: number) => `${i} `.padEnd(length, 'x');
  const heavy = (i: number, name: string, length: number) => ({
    ...run(`r${String((i * 7) % 24).padStart(2, '0')}`, name, { start_time: START + i }),
    data: {
      metrics: [],
      params: [{ key: 'p', value: text(i, length) }],
      tags: [{ key: 't', value: `${i}` }],
    },
  });
  const all = (length: number) => Array.from({ length: 24 }, (_, i) => heavy(i, 'new', length));
  const table = async (key: string, columns: string) => {
    const stored = await store.fetch(key);
    return duck.session(async (session) => {
      const file = stored?.file ?? '';
      const [groups] = await session.rows<{ n: number }>(
        'SELECT count(DISTINCT row_group_id)::INTEGER AS n FROM parquet_metadata($file)',
        { file },
      );
      const rows = await session.rows<Record<string, string>>(`SELECT ${columns} FROM read_parquet($file)`, {
        file,
      });
      return { groups: groups?.n, rows };
    });
  };
  const columns = "run_id, run_name, len(params['p'])::INTEGER AS length, tags['t'] AS tag";

  it('is written in batches, with the same rows in the same order', async () => {
    await enrich({ pages: [page(NOON, ...all(1_000_000))] });
    const runs = await table(partitionKey('runs', DAY), columns);
    expect(runs.groups).toBe(2);
    expect(runs.rows.map(({ tag }) => Number(tag))).toEqual(Array.from({ length: 24 }, (_, i) => i));
    expect(runs.rows.every(({ length }) => Number(length) === 1_000_000)).toBe(true);
    const stored = await table(baseKey(DAY), columns);
    expect(stored.groups).toBe(2);
    expect(stored.rows.map(({ run_id }) => run_id)).toEqual(
      [...runs.rows.map(({ run_id }) => run_id)].sort(),
    );
  });

  it('is merged with changed and removed runs of every batch', async () => {
    await enrich({ pages: [page(NOON, ...all(1_000_000))] });
    const [first, last] = [heavy(0, 'changed', 10), heavy(17, 'changed', 10)];
    const result = await enrich({
      pages: [page(LATER, first, last)],
      gone: [gone('r01', LATER), gone('r22', LATER)],
    });
    expect(result).toMatchObject({ updated: 4, inserted: 0 });
    const { rows } = await table(baseKey(DAY), `${columns}, lifecycle_stage`);
    expect(rows).toHaveLength(24);
    const of = (key: string, value: string) =>
      rows.filter((row) => row[key] === value).map(({ run_id }) => run_id);
    expect(of('run_name', 'changed')).toEqual(['r00', 'r23']);
    expect(of('lifecycle_stage', 'gone')).toEqual(['r01', 'r22']);
    expect(await published()).toHaveLength(22);
  });

  it('has the content digest of its facts, however they came', async () => {
    await enrich({ pages: [page(NOON, ...all(1_000_000))] });
    const atOnce = await contentOfBase();
    await store.delete(baseKey(DAY));
    for (const part of [all(1_000_000).slice(12), all(1_000_000).slice(0, 12)]) {
      await enrich({ pages: [page(NOON, ...part)] });
    }
    expect(await contentOfBase()).toBe(atOnce);
  });

  it('is one row group if the texts are short', async () => {
    await enrich({ pages: [page(NOON, ...all(1_000))] });
    expect((await table(partitionKey('runs', DAY), columns)).groups).toBe(1);
    expect((await table(baseKey(DAY), columns)).groups).toBe(1);
  });
});

describe('an oversized run', () => {
  const MIB = 2 ** 20;
  const big = (bytes: number | null) => ({
    run_id: 'big',
    experiment_id: '1',
    start_time: START,
    bytes,
    limit: 32 * MIB,
    date: NOON,
    record: '{"info":{"run_id":"big"}}',
  });
  const quarantined = async () => {
    const stored = await store.fetch(partitionKey('quarantine', '2026-03-10'));
    return duck.session((session) =>
      session.rows('SELECT run_id, reason, record FROM read_parquet($file)', { file: stored?.file ?? '' }),
    );
  };

  it('is in quarantine until it is read; it stays open', async () => {
    const { quarantined: count, closed } = await enrich({ oversized: [big(102 * MIB)] }, ['big']);
    expect([count, closed]).toEqual([1, []]);
    expect(await quarantined()).toEqual([
      {
        run_id: 'big',
        reason: 'its data is larger than 32 MiB (102 MiB): raise MAX_PAGE_MB to read it',
        record: '{"info":{"run_id":"big"}}',
      },
    ]);
    await enrich({ pages: [page(LATER, run('big', 'big'))] });
    expect(await quarantined()).toEqual([]);
  });

  it('of unknown size has the limit as its reason', async () => {
    await enrich({ oversized: [big(null)] });
    expect(await quarantined()).toMatchObject([
      { reason: 'its data is larger than 32 MiB: raise MAX_PAGE_MB to read it' },
    ]);
  });
});

describe('a metric whose name begins with U+FEFF', () => {
  it('is published beside the one without', async () => {
    const metric = (key: string) => ({ key, value: 1, timestamp: START, step: 0 });
    const logged = {
      ...run('a', 'a'),
      data: { metrics: [metric('acc'), metric('\ufeffacc')], params: [], tags: [] },
    };
    await enrich({ pages: [page(NOON, logged)] });
    const stored = await store.fetch(partitionKey('enriched_metrics', DAY));
    const names = await duck.session((session) =>
      session.rows('SELECT strlen(metric_name)::INTEGER AS bytes FROM read_parquet($file) ORDER BY 1', {
        file: stored?.file ?? '',
      }),
    );
    expect(names).toEqual([{ bytes: 3 }, { bytes: 6 }]);
  });
});
