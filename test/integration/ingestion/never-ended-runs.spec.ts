import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { readOpenMlflowRuns } from '../../../src/state/open-mlflow-runs.js';
import { readWatermarks } from '../../../src/state/watermarks.js';
import { type OpenService, openService } from '../../support/open-service.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-03-10T15:30:00Z');

let mlflow: TrackingServer;
let service: OpenService;
let experiment: string;
/** Clock of both service and tracking server, ms. */
let now: number;

/** A run as MLflow has it now; without an end it is running. */
const put = (run_id: string, start_time: number, end_time: number | null = null) =>
  mlflow.run({
    run_id,
    experiment_id: experiment,
    start_time,
    end_time,
    status: end_time === null ? 'RUNNING' : 'FINISHED',
  });
/** Runs a delta. @returns how many of its searches can return the old runs because they have not ended, or by id */
async function delta(minutes: number): Promise<number> {
  now += minutes * MINUTE;
  const before = mlflow.requests.length;
  expect(await service.run('delta')).toMatchObject({ status: 'done' });
  const filters = mlflow.requests.slice(before).map(({ body }) => String(body.filter ?? ''));
  return filters.filter(
    (filter) =>
      filter.includes("run_id IN ('old") || (filter.includes('RUNNING') && !filter.includes('start_time >=')),
  ).length;
}
const statusOf = async (run_id: string): Promise<unknown> => {
  const rows = await service.rows('runs', '2026/03/03', 'run_status', `run_id = '${run_id}'`);
  return (rows[0] as { run_status: string } | undefined)?.run_status;
};
const openRuns = async (): Promise<string[]> =>
  (await readOpenMlflowRuns(service.resources.store)).map(({ run_id }) => run_id).sort();

beforeEach(async () => {
  now = NOW;
  mlflow = await TrackingServer.start(() => now);
  experiment = mlflow.experiment('churn').experiment_id;
  put('old', NOW - 7 * DAY);
  put('old-deleted', NOW - 7 * DAY);
  put('recent', NOW - 2 * DAY);
  service = await openService({ trackingUri: mlflow.uri, clock: () => now });
  expect(await service.run('historical')).toMatchObject({ status: 'done' });
});
afterEach(async () => {
  await service.close();
  await mlflow.close();
});

describe('a run that started more than three days ago and has not ended', () => {
  it('is fetched hourly; until then it stays in the open list', async () => {
    expect([await delta(5), await delta(5)]).toEqual([0, 0]);
    expect(await openRuns()).toEqual(['old', 'old-deleted', 'recent']);
    expect(await delta(60)).toBeGreaterThan(0);
    expect(await delta(5)).toBe(0);
    expect(await openRuns()).toEqual(['old', 'old-deleted', 'recent']);
  });

  it('is published at once when it ends', async () => {
    await delta(5);
    now += MINUTE;
    put('old', NOW - 7 * DAY, now);
    expect(await delta(4)).toBe(0);
    expect(await statusOf('old')).toBe('FINISHED');
    expect(await openRuns()).toEqual(['old-deleted', 'recent']);
  });

  it('is removed within an hour if MLflow no longer has it', async () => {
    mlflow.runs.delete('old-deleted');
    await delta(5);
    expect(await statusOf('old-deleted')).toBe('RUNNING');
    await delta(60);
    expect(await statusOf('old-deleted')).toBeUndefined();
    expect(await openRuns()).toEqual(['old', 'recent']);
  });

  it('does not hold back its experiment if it cannot be read, and is requested again by the next delta', async () => {
    mlflow.intercept = ({ path, body }) => {
      const filter = String(body.filter ?? '');
      const isOld = filter.includes('RUNNING') && !filter.includes('start_time >=');
      return path === 'runs/search' && isOld ? { status: 500, body: 'too many runs' } : undefined;
    };
    expect(await delta(60)).toBeGreaterThan(0);
    expect(await readWatermarks(service.resources.store)).toMatchObject({ [experiment]: now });
    expect(await delta(5)).toBeGreaterThan(0);
    mlflow.intercept = () => undefined;
    expect(await delta(5)).toBeGreaterThan(0);
    expect(await delta(5)).toBe(0);
  });
});

describe('a delta that finds nothing new', () => {
  it('puts no facts and no derived object, and judges no day, whatever old runs are open', async () => {
    for (let i = 0; i < 9; i++) put(`old ${i}`, NOW - (4 + i) * DAY);
    await service.run('historical');
    await delta(60);
    const before = await service.digests();
    now += 5 * MINUTE;
    const { summary } = await service.run('delta');
    expect(summary).toMatchObject({ partitions_written: 0, partitions_unchanged: 0 });
    expect(await service.digests()).toEqual(before);
  });
});
