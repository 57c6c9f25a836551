import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { fetchLastEnded } from '../../../src/ingestion/last-ended-runs.js';
import type { MissingRun, RunSearch } from '../../../src/ingestion/run-search.js';
import { readEndedRunsState } from '../../../src/state/ended-runs.js';
import { readWatermarks } from '../../../src/state/watermarks.js';
import { type OpenService, openService } from '../../support/open-service.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = Date.parse('2026-03-10T15:30:00Z');
/** More runs than are requested again, each a minute older than the one before. The newest ended 3 hours ago. */
const RUNS = 2_010;
const endOf = (n: number): number => NOW - 3 * HOUR - n * MINUTE;
const idOf = (n: number): string => `run${String(n).padStart(4, '0')}`;

let mlflow: TrackingServer;
let service: OpenService;
let experiment: string;
/** Clock of both service and tracking server, ms. */
let now: number;

const put = (n: number, accuracy: number) =>
  mlflow.run({
    run_id: idOf(n),
    experiment_id: experiment,
    start_time: endOf(n) - 10_000,
    end_time: endOf(n),
    metrics: [{ key: 'accuracy', value: accuracy, step: 0, timestamp: endOf(n) }],
  });
/** Runs a delta. @returns the ids of the searches by id, in the order of the requests, and its summary */
async function delta(minutes: number) {
  now += minutes * MINUTE;
  const before = mlflow.requests.length;
  const { status, summary } = await service.run('delta');
  expect(status).toBe('done');
  const filters = mlflow.requests.slice(before).map(({ body }) => String(body.filter ?? ''));
  return { ids: filters.flatMap((filter) => filter.match(/run\d{4}/g) ?? []), filters, summary };
}
const statusOf = async (n: number): Promise<unknown> => {
  const rows = await service.rows('runs', '2026/03/10', 'status', `run_id = '${idOf(n)}'`);
  return (rows[0] as { status: string } | undefined)?.status;
};

beforeAll(async () => {
  now = NOW;
  mlflow = await TrackingServer.start(() => now);
  experiment = mlflow.experiment('churn').experiment_id;
  for (let n = 0; n < RUNS; n++) put(n, 0.95);
  service = await openService({ trackingUri: mlflow.uri, clock: () => now });
  expect(await service.run('bootstrap')).toMatchObject({ status: 'done' });
});
afterAll(async () => {
  await service.close();
  await mlflow.close();
});

describe('a run that ended hours ago', () => {
  it('is judged by a metric that is logged afterwards, with the first delta and then once an hour', async () => {
    put(0, 0.31);
    await delta(5);
    expect(await statusOf(0)).toBe('critical');
    put(0, 0.96);
    expect((await delta(5)).ids).toEqual([]);
    expect(await statusOf(0)).toBe('critical');
    await delta(60);
    expect(await statusOf(0)).toBe('healthy');
  });

  it('is requested again if it is one of the 2,000 that ended last, 100 in a request', async () => {
    const { ids, filters, summary } = await delta(60);
    expect(ids).toEqual(Array.from({ length: 2_000 }, (_, n) => idOf(n)));
    expect(filters.filter((filter) => filter.includes('run_id IN'))).toHaveLength(20);
    expect(await readEndedRunsState(service.resources.store)).toMatchObject({ since: endOf(1_999) });
    // Nothing has changed.
    expect(summary).toMatchObject({ partitions_written: 0, partitions_unchanged: 0 });
  });

  it('is removed within an hour if MLflow no longer has it', async () => {
    mlflow.runs.delete(idOf(1));
    await delta(60);
    expect(await statusOf(1)).toBeUndefined();
  });

  it('does not hold back its experiment if it cannot be read', async () => {
    mlflow.intercept = ({ path, body }) =>
      path === 'runs/search' && String(body.filter).includes('run_id IN')
        ? { status: 500, body: 'no such attribute' }
        : undefined;
    await delta(60);
    mlflow.intercept = () => undefined;
    expect(await readWatermarks(service.resources.store)).toMatchObject({ [experiment]: now });
    // No run has been requested again: the page must not say so.
    expect(await readEndedRunsState(service.resources.store)).toMatchObject({ asked_at: now, since: now });
  });
});

it('are not requested once their responses have 64 MiB', async () => {
  const search = {
    returnedIds: new Set<string>(),
    bytes: 5,
    findMissing: async (_: readonly string[], ids: readonly string[]): Promise<MissingRun[]> => {
      search.bytes += ids.length * 2 ** 18;
      return [];
    },
  };
  const runs = Array.from({ length: 1_000 }, (_, n) => ({
    run_id: idOf(n),
    experiment_id: '1',
    day: '2026-03-10',
    ended: endOf(n),
  }));
  const { since } = await fetchLastEnded(search as unknown as RunSearch, ['1'], runs);
  expect(search.bytes).toBe(5 + 300 * 2 ** 18);
  expect(since).toBe(endOf(300) + 1);
});
