import fc from 'fast-check';
import type { MlflowClient, RunQuery } from '../../../src/ingestion/mlflow-api.js';
import { RunSearch } from '../../../src/ingestion/run-search.js';
import type { DuckSession } from '../../../src/storage/duck.js';
import type { ObjectStore } from '../../../src/storage/object-store.js';

interface Run {
  readonly id: string;
  readonly start: number;
}

/** A tracking server of runs with start times; its tokens are offsets, as MLflow's are. */
class Server {
  readonly queries: RunQuery[] = [];
  readonly keys: string[] = [];
  afterPage: () => void = () => undefined;
  private page: { found: Run[]; token: string | null } = { found: [], token: null };

  constructor(public runs: Run[]) {}

  asker(pageSize: number): RunSearch {
    const client = { searchRuns: async (query: RunQuery) => this.search(query) } as unknown as MlflowClient;
    const store = { put: async (key: string) => void this.keys.push(key) } as unknown as ObjectStore;
    const session = {
      tempFile: (name: string) => `/nowhere/${name}`,
      rows: async () => {
        const { found, token } = this.page;
        const ids = found.map(({ id }) => id);
        return [{ runs: found.length, ids, last_start: found.at(-1)?.start ?? null, token }];
      },
    } as unknown as DuckSession;
    return new RunSearch({ store, client, heartbeat: () => undefined }, session, '_raw/delta-1/a', pageSize);
  }

  private search(query: RunQuery) {
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
const asked = (server: Server) =>
  server.queries.map(({ filter, page_token }) => `${filter}${page_token ? ` #${page_token}` : ''}`);

describe('a question', () => {
  it('is asked page by page, each from the last start time of the one before', async () => {
    const server = new Server(runsAt(1, 2, 3, 4, 5));
    const asker = server.asker(2);
    await asker.search(['1'], ['attributes.start_time < 9'], 0);
    expect(asked(server)).toEqual([
      'attributes.start_time >= 0 AND attributes.start_time < 9',
      'attributes.start_time >= 2 AND attributes.start_time < 9',
      'attributes.start_time >= 3 AND attributes.start_time < 9',
      'attributes.start_time >= 4 AND attributes.start_time < 9',
    ]);
    expect([...asker.seen]).toEqual(['r0', 'r1', 'r2', 'r3', 'r4']);
    expect(server.queries[0]).toMatchObject({ experiment_ids: ['1'], max_results: 2 });
  });

  it('uses tokens only inside equal times, and then looks whether one of their runs has left', async () => {
    const server = new Server(runsAt(1, 2, 2, 2, 3));
    await server.asker(2).search(['1'], [], 0);
    const from = (n: number) => `attributes.start_time >= ${n}`;
    const still = (...ids: string[]) => `attributes.run_id IN (${ids.map((id) => `'${id}'`).join(',')})`;
    expect(asked(server)).toEqual([from(0), from(2), `${from(2)} #2`, still('r1', 'r2'), still('r3', 'r4')]);
  });

  it('may have no lower end', async () => {
    const server = new Server(runsAt(-5, 1));
    const asker = server.asker(1);
    await asker.search(['1'], ["attributes.status = 'RUNNING'"], null);
    expect(asked(server)[0]).toBe("attributes.status = 'RUNNING'");
    expect(asker.seen.size).toBe(2);
  });

  it('keeps each page with runs under a key of its own, also in another execution', async () => {
    const server = new Server(runsAt(1, 2, 3));
    for (const asker of [server.asker(2), server.asker(2)]) {
      await asker.search(['1'], [], 0);
      await asker.search(['1'], ['attributes.start_time < 0'], 0);
      expect(asker.pages).toHaveLength(2);
      expect(asker.pages[0]).toMatchObject({ date: 1_000, began: 990, runs: 2, bytes: 10 });
      expect(asker.bytes).toBe(30);
    }
    expect(new Set(server.keys).size).toBe(4);
    for (const key of server.keys) expect(key).toMatch(/^_raw\/delta-1\/a\/[0-9a-f]+-\d\.json$/);
  });

  it('finds every run, whatever their times, and whatever leaves between two pages', async () => {
    const starts = fc.array(fc.nat(8), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(
        starts,
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.nat(19)),
        async (times, size, leaving) => {
          const server = new Server(runsAt(...times));
          const left = new Set<string>();
          server.afterPage = () => {
            // One that lies before the page: where pages were offsets, the rest would move up by one.
            const last = Number(/>= (\d+)/.exec(server.queries.at(-1)?.filter ?? '')?.[1]);
            const gone = server.runs.find(({ id, start }) => start < last && id === `r${leaving.at(-1)}`);
            leaving.pop();
            if (!gone) return;
            left.add(gone.id);
            server.runs = server.runs.filter((run) => run !== gone);
          };
          const asker = server.asker(size);
          await asker.search(['1'], [], 0);
          for (const { id } of server.runs) expect(asker.seen).toContain(id);
          const looks = server.queries.filter(({ filter }) => filter.includes('run_id IN')).length;
          expect(server.queries.length - looks).toBeLessThanOrEqual(2 * times.length + 1);
          expect(looks).toBeLessThanOrEqual(server.queries.length - looks);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a question for runs by name', () => {
  it('is asked by 100, or by the size of a page', async () => {
    const server = new Server([]);
    const ids = Array.from({ length: 230 }, (_, i) => `r${i}`);
    await server.asker(1000).findByIds(['1'], ids);
    expect(server.queries.map(({ filter }) => filter.split(',').length)).toEqual([100, 100, 30]);
    server.queries.length = 0;
    await server.asker(60).findByIds(['1'], ids);
    expect(server.queries.map(({ filter }) => filter.split(',').length)).toEqual([60, 60, 60, 50]);
    expect(server.queries[3]?.filter).toMatch(/^attributes\.run_id IN \('r180','r181',.*'r229'\)$/);
  });

  it('names those that were not returned, with the time of the answer', async () => {
    const server = new Server(runsAt(1, 2));
    const asker = server.asker(100);
    expect(await asker.findByIds(['1'], ['r0', 'gone', 'r1'])).toEqual([
      { run_id: 'gone', answer: { bytes: 10, date: 1_000, began: 990 } },
    ]);
    expect([...asker.seen]).toEqual(['r0', 'r1']);
  });

  it('is not asked for nobody', async () => {
    const server = new Server([]);
    expect(await server.asker(100).findByIds(['1'], [])).toEqual([]);
    expect(server.queries).toEqual([]);
  });
});
