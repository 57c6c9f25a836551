import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { readOpenMlflowRuns } from '../../../src/state/open-mlflow-runs.js';
import { runInProcess } from '../../support/command.js';
import { type OpenService, openService } from '../../support/open-service.js';

const NOW = Date.parse('2026-03-10T15:30:00Z');
const DAYS = ['--from', '2026-03-10', '--to', '2026-03-10'];
let mlflow: TrackingServer;
let service: OpenService;
let good: ReturnType<TrackingServer['run']>;

beforeAll(async () => {
  mlflow = await TrackingServer.start(() => NOW);
  const { experiment_id } = mlflow.experiment('churn');
  const metric = (value: number) => [{ key: 'accuracy', value, step: 0, timestamp: NOW }];
  const start_time = NOW - 60_000;
  mlflow.run({ experiment_id, start_time, end_time: NOW, metrics: metric(Number.NaN), run_id: 'nan' });
  // Logged in microseconds.
  const unreadable = { experiment_id, start_time: NOW * 1000, end_time: null, status: 'RUNNING' as const };
  good = mlflow.run({ ...unreadable, run_id: 'micro' });
  mlflow.run({ ...unreadable, run_id: 'micro2' });
  service = await openService({ trackingUri: mlflow.uri, clock: () => NOW, http: true });
  expect(await service.run('bootstrap')).toMatchObject({ status: 'done' });
});
afterAll(async () => {
  await service.close();
  await mlflow.close();
});

// biome-ignore lint/suspicious/noExplicitAny: the expectations below say what it is
const json = async (path: string): Promise<any> => (await service.request('GET', `/api/v1/${path}`)).json;

describe('the requests of data quality', () => {
  it('show each check, its meaning and what to do, and the applications that fail', async () => {
    const { checks } = await json('quality');
    expect(checks).toHaveLength(9);
    expect(checks[0]).toMatchObject({
      check_name: 'null_values',
      passed: false,
      measured: 100,
      limit: 5,
      next_step: expect.stringContaining('NaN'),
      applications: [
        { application: 'churn', passed: false, sample: [{ run_id: 'nan', metric_name: 'accuracy' }] },
      ],
    });
  });

  it('show the history of a check, of all applications or one', async () => {
    const { rows } = await json('quality/history?check=null_values&application=churn');
    expect(rows).toMatchObject([{ passed: false, affected_rows: 1, pipeline_run_id: 'bootstrap-1' }]);
    expect((await json('quality/history?check=volume')).rows).toMatchObject([{ passed: true }]);
    expect((await json('quality/history?check=volume&from=2025-01-01&to=2025-01-02')).rows).toEqual([]);
    expect((await service.request('GET', '/api/v1/quality/history?check=none')).status).toBe(400);
    const backwards = '/api/v1/quality/history?check=volume&from=2026-01-02&to=2026-01-01';
    expect((await service.request('GET', backwards)).status).toBe(400);
  });

  it('show what is in quarantine, in pages and by day, and why', async () => {
    const first = await json('quarantine?limit=1');
    const second = await json(`quarantine?limit=1&cursor=${first.next}`);
    expect([first.total, second.next]).toEqual([2, null]);
    expect([first.records[0].run_id, second.records[0].run_id].sort()).toEqual(['micro', 'micro2']);
    expect(first.records[0]).toMatchObject({
      reason: 'its start_time is not a time',
      explanation: expect.stringContaining('was it logged in microseconds'),
    });
    expect((await json('quarantine?day=2026-03-09')).records).toEqual([]);
  });
});

describe('a replay of the quarantine', () => {
  it('reads the runs again: good ones leave it, the others stay and are not requested again', async () => {
    good.start_time = NOW - 30_000;
    good.end_time = NOW;
    good.status = 'FINISHED';
    const response = await service.requestAsAdmin('POST', '/api/v1/admin/quarantine/replay', { body: {} });
    expect(response.status).toBe(202);
    const replayed = response.json as { pipeline_run_id: string };
    expect(replayed).toMatchObject({ runs: 2, skipped: 0 });
    expect(await service.finished(replayed.pipeline_run_id)).toMatchObject({ status: 'done' });
    const { records } = await json('quarantine');
    expect(records.map(({ run_id }: { run_id: string }) => run_id)).toEqual(['micro2']);
    const runs = await service.rows<{ run_id: string }>('runs', '2026/03/10', 'run_id', "run_id = 'micro'");
    expect(runs).toHaveLength(1);
    expect(await readOpenMlflowRuns(service.resources.store)).toEqual([]);
  });
});

describe('mlflow-monitor quality', () => {
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    runInProcess(args, {
      env: { MLFLOW_TRACKING_URI: mlflow.uri, STORAGE_DIR: join(service.folder, 'store'), ...env },
      cwd: service.folder,
    });

  it('exits with 1 and names the failing checks while a check of severity error fails', async () => {
    const { code, out } = await run(['quality', ...DAYS]);
    expect(code).toBe(1);
    expect(out).toContain('Failing: null_values, schema_compliance.');
    expect(out).toContain('    churn: 100 %');
  });

  it('exits with 0 if the failing checks are warnings, and prints JSON', async () => {
    const file = join(service.folder, 'quality.yaml');
    await writeFile(file, 'null_values: {severity: warning}\nschema_compliance: {enabled: false}\n');
    const { code, out } = await run(['quality', ...DAYS, '--json'], { QUALITY_FILE: file });
    expect(code).toBe(0);
    expect(JSON.parse(out).checks[0]).toMatchObject({
      check_name: 'null_values',
      passed: false,
      unit: '%',
    });
  });

  it('exits with 3 for a wrong file and for wrong options', async () => {
    const file = join(service.folder, 'wrong.yaml');
    await writeFile(file, 'nulls: {limit: 1}\n');
    const wrong = await run(['quality', ...DAYS], { QUALITY_FILE: file });
    expect([wrong.code, wrong.err]).toEqual([
      3,
      expect.stringContaining('line 1: there is no check "nulls"'),
    ]);
    expect((await run(['quality', '--from', 'today', '--to', '2026-03-10'])).code).toBe(3);
  });
});
