import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HttpService } from '@nestjs/axios';
import fc from 'fast-check';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { HttpMlflowClient } from '../../../src/ingestion/mlflow-client.js';
import { RunSearch } from '../../../src/ingestion/run-search.js';
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

const withSearch = <T>(pageSize: number, work: (search: RunSearch) => Promise<T>): Promise<T> => {
  const client = new HttpMlflowClient(new HttpService(), {
    uri: mlflow.uri,
    insecureTls: false,
    maxRetries: 0,
    backoffSeconds: 0,
    timeoutSeconds: 10,
    concurrency: 1,
    maxPageBytes: 1e6,
  });
  const options = { prefix: '_raw/delta-1/c0', pageSize, heartbeat: () => undefined };
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
