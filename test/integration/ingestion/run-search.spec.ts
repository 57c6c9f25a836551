import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpService } from '@nestjs/axios';
import fc from 'fast-check';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { HttpMlflowClient } from '../../../src/ingestion/mlflow-client.js';
import { RunSearch } from '../../../src/ingestion/run-search.js';
import { StoredPages } from '../../../src/ingestion/stored-pages.js';
import { Duck } from '../../../src/storage/duck.js';
import { FolderStore } from '../../../src/storage/folder-store.js';

const NOON = Date.parse('2026-03-10T12:00:00Z');

let mlflow: TrackingServer;
let experiment: string;
let folder: string;
let duck: Duck;
let store: FolderStore;

beforeEach(async () => {
  mlflow = await TrackingServer.start(() => NOON);
  experiment = mlflow.experiment('churn').experiment_id;
  folder = await mkdtemp(join(tmpdir(), 'run-search-'));
  duck = await Duck.open(folder);
  store = await FolderStore.open({ dir: folder });
});
afterEach(async () => {
  duck.close();
  await store.close();
  await mlflow.close();
  await rm(folder, { recursive: true, force: true });
});

const withSearch = <T>(
  pageSize: number,
  work: (search: RunSearch) => Promise<T>,
  stored?: StoredPages,
): Promise<T> => {
  const client = new HttpMlflowClient(new HttpService(), {
    uri: mlflow.uri,
    insecureTls: false,
    maxRetries: 0,
    backoffSeconds: 0,
    timeoutSeconds: 10,
    concurrency: 1,
    maxPageBytes: 1e6,
  });
  const options = {
    prefix: '_raw/delta-1/c0',
    pageSize,
    heartbeat: () => undefined,
    ...(stored ? { stored } : {}),
  };
  return duck.session((session) => work(new RunSearch(store, client, session, options)));
};

/** Before the n-th search the server deletes the runs of the n-th list. */
function deleteBeforeSearches(deletions: readonly (readonly number[])[], names: readonly string[]): void {
  let searches = 0;
  mlflow.intercept = ({ path }) => {
    if (path !== 'runs/search') return undefined;
    for (const index of deletions[searches++] ?? []) mlflow.runs.delete(names[index] ?? '');
    return undefined;
  };
}

/** @param starts ms after noon, one per run; @returns the runs that were read, and those that were never deleted */
async function read(starts: readonly number[], pageSize: number, deletions: readonly (readonly number[])[]) {
  mlflow.runs.clear();
  const names = starts.map((_, i) => `run${String(i).padStart(2, '0')}`);
  starts.forEach((start, i) => {
    mlflow.run({ run_id: names[i] ?? '', experiment_id: experiment, start_time: NOON + start });
  });
  deleteBeforeSearches(deletions, names);
  const seen = await withSearch(pageSize, async (search) => {
    await search.search([experiment], [], NOON);
    return search.returnedIds;
  });
  return { seen, stayed: names.filter((name) => mlflow.runs.has(name)) };
}

describe('a search with many pages', () => {
  it('returns every run if nothing changes', async () => {
    const { seen, stayed } = await read([0, 0, 1, 1, 1, 1, 1, 2, 3], 2, []);
    expect([...seen].sort()).toEqual(stayed);
  });

  it('misses no run when others are deleted between pages, whatever the start times', async () => {
    const start = fc.nat({ max: 3 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(start, { minLength: 1, maxLength: 9, size: 'max' }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.array(fc.nat({ max: 8 }), { maxLength: 2 }), { maxLength: 8, size: 'max' }),
        async (starts, pageSize, deletions) => {
          const { seen, stayed } = await read(starts, pageSize, deletions);
          expect(stayed.filter((name) => !seen.has(name))).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('does not report a run as missing that a server with smaller pages returns later', async () => {
    const names = ['a', 'b', 'c', 'd'];
    for (const run_id of names) mlflow.run({ run_id, experiment_id: experiment, start_time: NOON });
    mlflow.intercept = ({ path, body }) => {
      if (path !== 'runs/search') return undefined;
      const requested = names.filter((name) => String(body.filter).includes(`'${name}'`));
      const runs = requested.slice(0, 1).map((run_id) => ({ info: { run_id, experiment_id: experiment } }));
      const more = requested.length > 1 ? { next_page_token: '1' } : {};
      return { status: 200, body: JSON.stringify({ runs, ...more }) };
    };
    const missing = await withSearch(100, (search) => search.findMissing([experiment], [...names, 'none']));
    expect(missing.map(({ run_id }) => run_id)).toEqual(['none']);
  });
});

describe('a search that follows one that was killed', () => {
  const PREFIX = '_raw/delta-1/c0';
  const searches = () => mlflow.requests.filter(({ path }) => path === 'runs/search').length;

  /** Fails every search of runs from the n-th on, as if the process had been killed before it. */
  function killBefore(n: number): void {
    let requests = 0;
    mlflow.intercept = ({ path }) =>
      path === 'runs/search' && ++requests >= n ? { status: 400, body: 'killed' } : undefined;
  }
  const resumed = async (pageSize: number) => {
    const stored = await StoredPages.list(store, PREFIX);
    return withSearch(
      pageSize,
      async (search) => {
        await search.search([experiment], [], NOON);
        return { seen: search.returnedIds, pages: search.pages };
      },
      stored,
    );
  };
  const addRuns = (starts: readonly number[]) =>
    starts.map((start, i) => {
      const run_id = `run${String(i).padStart(2, '0')}`;
      mlflow.run({ run_id, experiment_id: experiment, start_time: NOON + start });
      return run_id;
    });

  it.each([
    ['different start times', [0, 1, 2, 3, 4, 5, 6, 7, 8]],
    ['equal start times', [0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['pairs of start times', [0, 0, 1, 1, 2, 2, 3, 3, 4]],
  ])('requests only the pages that were not stored: %s', async (_, starts) => {
    const names = addRuns(starts);
    await resumed(2);
    const needed = searches();
    await clear();
    for (let stored = 1; stored < needed - 1; stored++) {
      killBefore(stored + 1);
      await expect(resumed(2)).rejects.toThrow('killed');
      mlflow.intercept = undefined;
      const before = searches();
      const { seen, pages } = await resumed(2);
      expect([...seen].sort()).toEqual(names);
      expect({ stored, requests: searches() - before }).toEqual({ stored, requests: needed - stored });
      expect(pages).toHaveLength(new Set(pages.map(({ key }) => key)).size);
      await clear();
    }
  });

  it('is resumed by a third one, also in the middle of the resumed pages', async () => {
    const names = addRuns([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    for (const stored of [3, 2]) {
      killBefore(stored + 1);
      await expect(resumed(2)).rejects.toThrow('killed');
    }
    mlflow.intercept = undefined;
    const before = searches();
    expect([...(await resumed(2)).seen].sort()).toEqual(names);
    // Nine pages of two runs, each with the last run of the page before.
    expect(searches() - before).toBe(8 - 5);
  });

  it('misses no run when others are deleted before and after the pause', async () => {
    const start = fc.nat({ max: 3 });
    const deletion = fc.array(fc.nat({ max: 8 }), { maxLength: 2 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(start, { minLength: 1, maxLength: 9, size: 'max' }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 8 }),
        fc.array(deletion, { maxLength: 12, size: 'max' }),
        async (starts, pageSize, kill, deletions) => {
          await clear();
          mlflow.runs.clear();
          const names = addRuns(starts);
          let requests = 0;
          let mayKill = true;
          mlflow.intercept = ({ path }) => {
            if (path !== 'runs/search') return undefined;
            for (const index of deletions[requests++] ?? []) mlflow.runs.delete(names[index] ?? '');
            return mayKill && requests === kill ? { status: 400, body: 'killed' } : undefined;
          };
          await resumed(pageSize).catch(() => undefined);
          // The first search may need fewer requests.
          mayKill = false;
          const { seen } = await resumed(pageSize);
          expect([...mlflow.runs.keys()].filter((name) => !seen.has(name))).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('requests a page again that is no longer stored, and those after it', async () => {
    const names = addRuns([0, 1, 2, 3, 4, 5]);
    const { pages } = await resumed(2);
    await store.delete(pages[1]?.key ?? '');
    const before = searches();
    const again = await resumed(2);
    expect([...again.seen].sort()).toEqual(names);
    expect(again.pages[0]).toEqual(pages[0]);
    expect(searches() - before).toBe(pages.length - 1);
  });

  async function clear(): Promise<void> {
    for await (const { key } of store.list('_raw/')) await store.delete(key);
  }
});
