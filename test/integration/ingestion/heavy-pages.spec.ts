import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpService } from '@nestjs/axios';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { fetchSlice } from '../../../src/ingestion/fetch-slice.js';
import { HttpMlflowClient } from '../../../src/ingestion/mlflow-client.js';
import { RunSearch } from '../../../src/ingestion/run-search.js';
import type { Plan } from '../../../src/pipeline/stage-contracts.js';
import { mergeExperiments } from '../../../src/state/experiments.js';
import { Duck } from '../../../src/storage/duck.js';
import { FolderStore } from '../../../src/storage/folder-store.js';
import { baseKey } from '../../../src/storage/keys.js';
import { planOf } from '../../support/stage-results.js';

const NOON = Date.parse('2026-03-10T12:00:00Z');
const LIMIT = 20_000;

let mlflow: TrackingServer;
let folder: string;
let duck: Duck;
let store: FolderStore;

beforeEach(async () => {
  mlflow = await TrackingServer.start(() => NOON);
  folder = await mkdtemp(join(tmpdir(), 'heavy-pages-'));
  duck = await Duck.open(folder);
  store = await FolderStore.open({ dir: folder });
});
afterEach(async () => {
  duck.close();
  await store.close();
  await mlflow.close();
  await rm(folder, { recursive: true, force: true });
});

const client = () =>
  new HttpMlflowClient(new HttpService(), {
    uri: mlflow.uri,
    insecureTls: false,
    maxRetries: 2,
    backoffSeconds: 0,
    timeoutSeconds: 10,
    concurrency: 1,
    maxPageBytes: LIMIT,
    sleep: async () => undefined,
  });
const withSearch = <T>(pageSize: number, work: (search: RunSearch) => Promise<T>): Promise<T> => {
  const options = { prefix: '_raw/delta-1/c0', pageSize, heartbeat: () => undefined };
  return duck.session((session) => work(new RunSearch(store, client(), session, options)));
};
/** @param bytes size of a param; @param start ms after noon */
const run = (experiment_id: string, run_id: string, start: number, bytes: number) =>
  mlflow.run({ run_id, experiment_id, start_time: NOON + start, params: { p: 'x'.repeat(bytes) } });
const searches = () => mlflow.requests.filter(({ path }) => path === 'runs/search');
const sizes = () => searches().map(({ body }) => body.max_results);

describe('a page beyond the limit', () => {
  it('is requested again with the runs that fit; all runs are read, the page size grows again', async () => {
    const id = mlflow.experiment('heavy').experiment_id;
    for (let i = 0; i < 10; i++) run(id, `heavy${i}`, i, 6_000);
    for (let i = 0; i < 60; i++) run(id, `light${i}`, 100 + i, 10);
    const found = await withSearch(1000, async (search) => {
      await search.search([id], [], NOON);
      return search;
    });
    expect([...found.returnedIds].sort()).toEqual([...mlflow.runs.keys()].sort());
    expect(found.oversized).toEqual([]);
    expect(sizes().slice(0, 2)).toEqual([1000, 3]);
    expect(Math.max(...sizes().slice(1).map(Number))).toBeGreaterThan(8);
    // No heavy run is downloaded twice.
    expect(found.bytes).toBeLessThan(10 * 8_000 + 3 * 60 * 700);
  });

  it.each([
    ['different starts', 1],
    ['the same start', 0],
  ])('with one run beyond it has its other runs read (%s)', async (_, step) => {
    const id = mlflow.experiment('heavy').experiment_id;
    for (let i = 0; i < 7; i++) run(id, `run${i}`, i * step, i === 3 ? 3 * LIMIT : 10);
    const { returnedIds, oversized, pages } = await withSearch(4, async (search) => {
      await search.search([id], [], NOON);
      return search;
    });
    expect([...returnedIds].sort()).toEqual([...mlflow.runs.keys()].sort());
    expect(oversized).toMatchObject([
      { run_id: 'run3', experiment_id: id, start_time: NOON + 3 * step, limit: LIMIT, date: NOON },
    ]);
    expect(oversized[0]?.bytes).toBeGreaterThan(3 * LIMIT);
    expect(JSON.parse(oversized[0]?.record ?? '')).toMatchObject({
      info: { run_id: 'run3', status: 'FINISHED' },
    });
    expect(pages.length).toBeGreaterThan(0);
  });

  it('does not make a run missing that is searched by id', async () => {
    const id = mlflow.experiment('heavy').experiment_id;
    for (let i = 0; i < 7; i++) run(id, `run${i}`, i, i === 3 ? 3 * LIMIT : 10);
    const { missing, oversized } = await withSearch(100, async (search) => ({
      missing: await search.findMissing([id], [...mlflow.runs.keys(), 'none']),
      oversized: search.oversized,
    }));
    expect(missing.map(({ run_id }) => run_id)).toEqual(['none']);
    expect(oversized.map(({ run_id }) => run_id)).toEqual(['run3']);
  });

  it('names the setting if the run cannot be told from its beginning', async () => {
    const body = `{"runs": [{"data": {"params": [{"key": "p", "value": "${'x'.repeat(3 * LIMIT)}"}]}}]}`;
    mlflow.intercept = ({ path }) => (path === 'runs/search' ? { status: 200, body } : undefined);
    const found = withSearch(8, (search) => search.search(['1'], [], NOON));
    await expect(found).rejects.toMatchObject({
      code: 'page_too_big',
      retryable: false,
      message: expect.stringMatching(
        /^A response to runs\/search is larger than 19.5 KiB \(58.\d KiB\): raise MAX_PAGE_MB/,
      ),
    });
    expect(sizes()).toEqual([8, 4, 2, 1]);
  });
});

describe('a timeout', () => {
  const timeoutsAbove = (size: number) => {
    mlflow.intercept = ({ path, body }) =>
      path === 'runs/search' && Number(body.max_results) > size
        ? { status: 504, body: '{"message": "upstream request timeout"}' }
        : undefined;
  };

  it('leads to fewer runs, and not to more afterwards', async () => {
    const id = mlflow.experiment('slow').experiment_id;
    for (let i = 0; i < 60; i++) run(id, `run${i}`, i, 10);
    timeoutsAbove(30);
    await withSearch(400, (search) => search.search([id], [], NOON));
    expect(sizes().slice(0, 3)).toEqual([400, 100, 25]);
    expect(new Set(sizes().slice(3))).toEqual(new Set([25]));
  });

  it('of every request costs four requests more than the retries', async () => {
    timeoutsAbove(0);
    const found = withSearch(1000, (search) => search.search(['0'], [], NOON));
    await expect(found).rejects.toMatchObject({ code: 'mlflow_busy' });
    expect(sizes()).toEqual([1000, 250, 62, 15, 10, 10, 10]);
  });
});

describe('a server that returns the same page again', () => {
  const body = (token: unknown) =>
    JSON.stringify({
      runs: [{ info: { run_id: 'a', experiment_id: '0', start_time: NOON } }],
      next_page_token: token,
    });

  it('is noticed by the repeated token', async () => {
    mlflow.intercept = () => ({ status: 200, body: body('same') });
    const found = withSearch(1, (search) => search.search(['0'], [], NOON));
    await expect(found).rejects.toMatchObject({ code: 'repeated_page' });
    expect(searches().length).toBeLessThan(4);
  });

  it('is noticed by the repeated runs', async () => {
    mlflow.intercept = () => ({ status: 200, body: body(String(searches().length)) });
    const found = withSearch(1, (search) => search.search(['0'], [], NOON));
    await expect(found).rejects.toMatchObject({ code: 'repeated_page' });
    expect(searches().length).toBeLessThan(15);
  });
});

describe('a slice with an experiment that cannot be read', () => {
  const slice = {
    id: 'c0-20260310',
    chunk: 0,
    from: NOON - 3600_000,
    to: NOON + 1000,
    open_end: false,
    last: false,
  };
  const fetch = (ids: string[], open: Plan['open'] = [], listsOnce = true) => {
    const chunk = {
      experiment_ids: ids,
      from: slice.from,
      sweep: true,
      observed_at: NOON,
      never_ended: false,
    };
    const plan = planOf({
      from: slice.from,
      to: slice.to,
      chunks: [chunk],
      slices: [slice],
      open,
      lists_once: listsOnce,
    });
    const task = {
      pipelineRunId: 'delta-1',
      kind: 'delta' as const,
      plan,
      slice,
      heartbeat: () => undefined,
    };
    return fetchSlice(store, client(), duck, task);
  };
  let ids: string[];
  beforeEach(() => {
    ids = ['a', 'bad', 'c'].map((name) => mlflow.experiment(name).experiment_id);
    for (const id of ids) run(id, `run${id}`, 1, 10);
  });
  const failWith = (status: number, body: string) => {
    const bad = ids[1] ?? '';
    mlflow.intercept = ({ path, body: { experiment_ids } }) =>
      path === 'runs/search' && [experiment_ids].flat().includes(bad) ? { status, body } : undefined;
  };

  it.each([
    ['too big without an id', 200, `{"runs": [${' '.repeat(3 * LIMIT)}]}`, /MAX_PAGE_MB/],
    ['not JSON', 200, '<html>', /invalid/],
    ['not the JSON of a page', 200, '{"runs": {"a": 1}}', /not valid JSON of MLflow/],
    [
      'a repeated token',
      200,
      '{"runs": [{"info": {"start_time": 1}}], "next_page_token": "x"}',
      /token twice/,
    ],
    ['an internal error', 500, '{"error_code": "INTERNAL_ERROR"}', /500/],
    ['a proxy that does not wait', 504, '', /504/],
  ])('reads the others: %s', async (_, status, body, message) => {
    failWith(status, body);
    const result = await fetch(ids);
    expect(result.answered).toEqual([ids[0], ids[2]]);
    expect(result.refused).toEqual([{ experiment_id: ids[1], message: expect.stringMatching(message) }]);
    expect(result.pages.reduce((sum, { runs }) => sum + runs, 0)).toBe(2);
  });

  const listings = () => mlflow.requests.filter(({ path }) => path === 'experiments/search').length;
  /** Stores the base of the day with runs of one experiment. */
  const storeRuns = (experiment_id: string, runIds: readonly string[]) =>
    duck.session(async (session) => {
      const file = session.tempFile('base.parquet');
      const list = runIds.map((id) => `'${id}'`).join(', ');
      await session.run(
        `COPY (SELECT unnest([${list}]) AS run_id, '${experiment_id}' AS experiment_id, 'active' AS lifecycle_stage) TO '${file}'`,
      );
      await store.put(baseKey('2026-03-10'), { file });
    });

  it('does not list the experiments again: the plan has listed them', async () => {
    expect((await fetch(ids)).answered).toEqual(ids);
    expect(listings()).toBe(0);
  });

  it('lists the experiments after its searches if there are few', async () => {
    mlflow.intercept = ({ path }) => {
      if (path === 'runs/search') mlflow.hidden.add(ids[1] ?? '');
      return undefined;
    };
    expect((await fetch(ids, [], false)).answered).toEqual([ids[0], ids[2]]);
    expect(listings()).toBe(1);
  });

  it('has no result for an experiment that another plan found unlisted', async () => {
    const listing = ids.map((experiment_id) => ({
      experiment_id,
      name: experiment_id,
      lifecycle_stage: 'active' as const,
      tags: {},
    }));
    await mergeExperiments(store, listing, NOON);
    await mergeExperiments(store, listing.slice(1), NOON + 1);
    expect((await fetch(ids)).answered).toEqual(ids.slice(1));
  });

  it('lists the experiments again before runs are removed, and removes none of an unlisted experiment', async () => {
    const [id = '', ...others] = ids;
    await storeRuns(id, ['deleted']);
    expect((await fetch(ids)).gone.map(({ run_id }) => run_id)).toEqual(['deleted']);
    expect(listings()).toBe(1);
    mlflow.experiments.delete(id);
    expect(await fetch(ids)).toMatchObject({ gone: [], answered: others });
    expect(listings()).toBe(2);
  });

  it('fails if the server is down', async () => {
    mlflow.intercept = () => ({ status: 500, body: '' });
    await expect(fetch(ids)).rejects.toMatchObject({ code: 'mlflow_busy' });
    expect(mlflow.requests.length).toBe(6);
  });

  it('fails if the server fails at every search', async () => {
    mlflow.intercept = ({ path }) => (path === 'runs/search' ? { status: 500, body: '' } : undefined);
    await expect(fetch(ids)).rejects.toMatchObject({ code: 'mlflow_busy' });
    expect(searches().length).toBeLessThanOrEqual(12);
  });

  it('never reports an oversized run as gone', async () => {
    const [id = ''] = ids;
    run(id, 'big', 2, 3 * LIMIT);
    await storeRuns(id, ['big', 'deleted']);
    const result = await fetch(ids);
    expect(result.gone.map(({ run_id }) => run_id)).toEqual(['deleted']);
    expect(result.oversized?.map(({ run_id }) => run_id)).toEqual(['big']);
    expect(result.refused).toEqual([]);
  });
});

describe('a page with text that is not valid JSON', () => {
  const body = (text: string) =>
    `{"runs": [{"info": {"run_id": "a"}, "data": {"tags": [{"key": "k", "value": "${text}"}]}}, {"info": {"run_id": "b"}}]}`;
  const tags = async (sent: string): Promise<string> => {
    mlflow.intercept = () => ({ status: 200, body: body(sent) });
    const key = await withSearch(8, async (search) => {
      await search.search(['0'], [], NOON);
      expect([...search.returnedIds]).toEqual(['a', 'b']);
      return search.pages[0]?.key ?? '';
    });
    const page = JSON.parse(String((await store.get(key))?.body));
    return page.runs[0].data.tags[0].value;
  };

  it.each([
    ['x\\ud800y', 'x\ufffdy'],
    ['x\\udc00y', 'x\ufffdy'],
    ['\\ud800\\ud83d\\ude00', '\ufffd\u{1f600}'],
    ['\\\\ud800 \\ud83d', '\\ud800 \ufffd'],
    ['\\ud83d\\ude00', '\u{1f600}'],
    ['x\u0001\n\ty', 'x\u0001\n\ty'],
  ])('is repaired: %j', async (sent, read) => {
    expect(await tags(sent)).toBe(read);
  });
});
