import fc from 'fast-check';
import type { MlflowClient, RunQuery } from '../../../src/ingestion/mlflow-api.js';
import { RunSearch } from '../../../src/ingestion/run-search.js';
import type { DuckSession } from '../../../src/storage/duck.js';
import type { ObjectStore } from '../../../src/storage/object-store.js';

interface Run {
  readonly id: string;
  readonly start: number;
}

/** A tracking server with runs; its page tokens are offsets, like MLflow's. */
class Server {
  readonly queries: RunQuery[] = [];
  readonly keys: string[] = [];
  afterPage: () => void = () => undefined;
  private page: { found: Run[]; token: string | null } = { found: [], token: null };

  constructor(public runs: Run[]) {}

  search(pageSize: number): RunSearch {
    const client = { searchRuns: async (query: RunQuery) => this.respond(query) } as unknown as MlflowClient;
    const store = { put: async (key: string) => void this.keys.push(key) } as unknown as ObjectStore;
    const session = {
      tempFile: (name: string) => `/nowhere/${name}`,
      rows: async () => {
        const { found, token } = this.page;
        const ids = found.map(({ id }) => id);
        const last_start = found.at(-1)?.start ?? null;
        const last_ids = found.filter(({ start }) => start === last_start).map(({ id }) => id);
        return [{ runs: found.length, ids, last_start, last_ids, token }];
      },
    } as unknown as DuckSession;
    const options = { prefix: '_raw/delta-1/a', pageSize, heartbeat: () => undefined };
    return new RunSearch(store, client, session, options);
  }

  private respond(query: RunQuery) {
    this.queries.push(query);
    const from = Number(/start_time >= (-?\d+)/.exec(query.filter)?.[1] ?? Number.NEGATIVE_INFINITY);
    const to = Number(/start_time < (-?\d+)/.exec(query.filter)?.[1] ?? Number.POSITIVE_INFINITY);
    const ids = /run_id IN \((.*)\)/.exec(query.filter)?.[1]?.split(',');
    const matching = this.runs
      .filter(({ id, start }) => start >= from && start < to && (!ids || ids.includes(`'${id}'`)))
      .sort((a, b) => a.start - b.start || (a.id < b.id ? -1 : 1));
    const offset = Number(query.page_token ?? 0);
    const end = offset + query.max_results;
    this.page = { found: matching.slice(offset, end), token: end < matching.length ? String(end) : null };
    this.afterPage();
    return { bytes: 10, date: 1_000, began: 990 };
  }
}

const runsAt = (...starts: number[]): Run[] => starts.map((start, i) => ({ id: `r${i}`, start }));
const searches = (server: Server) =>
  server.queries.map(({ filter, page_token }) => `${filter}${page_token ? ` #${page_token}` : ''}`);

describe('RunSearch.search', () => {
  it('starts each page at the last start time of the page before', async () => {
    const server = new Server(runsAt(1, 2, 3, 4, 5));
    const search = server.search(2);
    await search.search(['1'], ['attributes.start_time < 9'], 0);
    expect(searches(server)).toEqual([
      'attributes.start_time >= 0 AND attributes.start_time < 9',
      'attributes.start_time >= 2 AND attributes.start_time < 9',
      'attributes.start_time >= 3 AND attributes.start_time < 9',
      'attributes.start_time >= 4 AND attributes.start_time < 9',
    ]);
    expect([...search.returnedIds]).toEqual(['r0', 'r1', 'r2', 'r3', 'r4']);
    expect(server.queries[0]).toMatchObject({ experiment_ids: ['1'], max_results: 2 });
  });

  it('uses tokens only within equal start times, and then checks that none of these runs was deleted', async () => {
    const server = new Server(runsAt(1, 2, 2, 2, 3));
    await server.search(2).search(['1'], [], 0);
    const from = (n: number) => `attributes.start_time >= ${n}`;
    const byIds = (...ids: string[]) => `attributes.run_id IN (${ids.map((id) => `'${id}'`).join(',')})`;
    expect(searches(server)).toEqual([
      from(0),
      from(2),
      `${from(2)} #2`,
      byIds('r1', 'r2'),
      byIds('r3', 'r4'),
    ]);
  });

  it('can search without a lower limit', async () => {
    const server = new Server(runsAt(-5, 1));
    const search = server.search(1);
    await search.search(['1'], ["attributes.status = 'RUNNING'"], null);
    expect(searches(server)[0]).toBe("attributes.status = 'RUNNING'");
    expect(search.returnedIds.size).toBe(2);
  });

  it('stores each page with runs under its own key, even in another execution', async () => {
    const server = new Server(runsAt(1, 2, 3));
    for (const search of [server.search(2), server.search(2)]) {
      await search.search(['1'], [], 0);
      await search.search(['1'], ['attributes.start_time < 0'], 0);
      expect(search.pages).toHaveLength(2);
      expect(search.pages[0]).toMatchObject({ date: 1_000, began: 990, runs: 2, bytes: 10 });
      expect(search.bytes).toBe(30);
    }
    expect(new Set(server.keys).size).toBe(4);
    for (const key of server.keys)
      expect(key).toMatch(/^_raw\/delta-1\/a\/[0-9a-f]{8}-\d-990-1000-[0-9a-f]{16}\.json$/);
  });

  it('finds every run, whatever the start times and whatever is deleted between two pages', async () => {
    const starts = fc.array(fc.nat(8), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        starts,
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.nat(19)),
        async (times, size, deletions) => {
          const server = new Server(runsAt(...times));
          server.afterPage = () => {
            // A run before the page: with pages by offset, all others would move up by one.
            const last = Number(/>= (\d+)/.exec(server.queries.at(-1)?.filter ?? '')?.[1]);
            const deleted = server.runs.find(
              ({ id, start }) => start < last && id === `r${deletions.at(-1)}`,
            );
            deletions.pop();
            if (!deleted) return;
            server.runs = server.runs.filter((run) => run !== deleted);
          };
          const search = server.search(size);
          await search.search(['1'], [], 0);
          for (const { id } of server.runs) expect(search.returnedIds).toContain(id);
          const checks = server.queries.filter(({ filter }) => filter.includes('run_id IN')).length;
          expect(server.queries.length - checks).toBeLessThanOrEqual(2 * times.length + 1);
          expect(checks).toBeLessThanOrEqual(server.queries.length - checks);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('RunSearch.findMissing', () => {
  it('searches for 100 ids at a time, or for the size of a page', async () => {
    const server = new Server([]);
    const ids = Array.from({ length: 230 }, (_, i) => `r${i}`);
    await server.search(1000).findMissing(['1'], ids);
    expect(server.queries.map(({ filter }) => filter.split(',').length)).toEqual([100, 100, 30]);
    server.queries.length = 0;
    await server.search(60).findMissing(['1'], ids);
    expect(server.queries.map(({ filter }) => filter.split(',').length)).toEqual([60, 60, 60, 50]);
    expect(server.queries[3]?.filter).toMatch(/^attributes\.run_id IN \('r180','r181',.*'r229'\)$/);
  });

  it('returns the runs that MLflow does not return, with the time of the response', async () => {
    const server = new Server(runsAt(1, 2));
    const search = server.search(100);
    expect(await search.findMissing(['1'], ['r0', 'gone', 'r1'])).toEqual([
      { run_id: 'gone', response: { bytes: 10, date: 1_000, began: 990 } },
    ]);
    expect([...search.returnedIds]).toEqual(['r0', 'r1']);
  });

  it('sends no request without ids', async () => {
    const server = new Server([]);
    expect(await server.search(100).findMissing(['1'], [])).toEqual([]);
    expect(server.queries).toEqual([]);
  });
});
