import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import type { PipelineKind } from '../../../src/domain/model.js';
import type { PipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { openResources } from '../../../src/resources.js';
import { type OpenService, openService } from '../../support/open-service.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-03-10T15:30:00Z');
const folders: string[] = [];
let mlflow: TrackingServer;
/** Clock of both service and tracking server, ms; each pipeline run begins a minute after the previous one. */
let now = NOW;

beforeEach(async () => {
  now = NOW;
  mlflow = await TrackingServer.start(() => now);
});
afterEach(async () => {
  await mlflow.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'main-job-'));
  folders.push(folder);
  return folder;
}

interface Outcome {
  readonly record: PipelineRun;
  readonly pipeline: OpenService;
}

/** Executes one pipeline run on a folder like a new process, and inspects the outcome. */
async function run<T>(
  folder: string,
  kind: PipelineKind,
  inspect: (outcome: Outcome) => Promise<T>,
): Promise<T> {
  now += 60_000;
  const pipeline = await openService({ trackingUri: mlflow.uri, clock: () => now, folder });
  try {
    return await inspect({ record: await pipeline.run(kind), pipeline });
  } finally {
    await pipeline.close();
  }
}

describe('a pipeline run', () => {
  it('publishes evaluated metrics; a value equal to a limit gets the better status', async () => {
    const { experiment_id } = mlflow.experiment('churn');
    const start = Date.parse('2026-03-10T01:00:00Z');
    const values = { critical: 0.69, on: 0.7, warning: 0.79, healthy: 0.8, nan: Number.NaN };
    for (const [run_id, value] of Object.entries(values)) {
      mlflow.run({
        run_id,
        experiment_id,
        start_time: start,
        metrics: [{ key: 'accuracy', value, step: 0, timestamp: 0 }],
      });
    }
    await run(await newFolder(), 'historical', async (outcome) => {
      expect(outcome.record).toMatchObject({ status: 'done', error: null });
      const rows = await outcome.pipeline.rows(
        'enriched_metrics',
        '2026/03/10',
        'run_id, status, invalid_kind, value',
      );
      expect(rows).toEqual([
        { run_id: 'critical', status: 'critical', invalid_kind: null, value: 0.69 },
        { run_id: 'healthy', status: 'healthy', invalid_kind: null, value: 0.8 },
        { run_id: 'nan', status: 'invalid', invalid_kind: 'nan', value: null },
        { run_id: 'on', status: 'warning', invalid_kind: null, value: 0.7 },
        { run_id: 'warning', status: 'warning', invalid_kind: null, value: 0.79 },
      ]);
      const [hour] = await outcome.pipeline.rows(
        'platform_summary',
        '2026/03/10',
        'total_runs, critical_runs, light',
      );
      expect(hour).toEqual({ total_runs: 5, critical_runs: 1, light: 'critical' });
    });
  });

  it('treats texts of only white space as missing', async () => {
    const { experiment_id } = mlflow.experiment('churn', { application: '\u2003\t' });
    const tags = { application: '\n', 'mlflow.user': '\t', 'mlflow.parentRunId': '\u3000', note: '\u001f' };
    mlflow.run({ experiment_id, start_time: NOW - DAY, run_name: '\u00a0', user_id: '\v', tags });
    await run(await newFolder(), 'historical', async (outcome) => {
      const columns = 'run_name, application, user_id, parent_run_id, map_keys(tags) AS tags';
      expect(await outcome.pipeline.rows('runs', '2026/03/09', columns)).toEqual([
        { run_name: 'run00000', application: 'churn', user_id: null, parent_run_id: null, tags: ['note'] },
      ]);
    });
  });

  it('reads changed runs, polls open runs until they end, and removes runs deleted in MLflow', async () => {
    const { experiment_id } = mlflow.experiment('churn');
    const metric = { key: 'accuracy', value: 0.9, step: 0, timestamp: 0 };
    const open = mlflow.run({
      experiment_id,
      start_time: NOW - 2 * DAY,
      status: 'RUNNING',
      end_time: null,
      metrics: [metric],
    });
    const purged = mlflow.run({
      experiment_id,
      start_time: NOW - 2 * DAY,
      status: 'RUNNING',
      end_time: null,
      metrics: [metric],
    });
    const folder = await newFolder();
    const readRuns = (outcome: Outcome) =>
      outcome.pipeline.rows<{ run_id: string }>('runs', '2026/03/08', 'run_id, run_status, status');
    expect(await run(folder, 'bootstrap', readRuns)).toHaveLength(2);
    open.status = 'FINISHED';
    open.end_time = NOW;
    open.metrics = [{ ...metric, value: 0.1 }];
    mlflow.runs.delete(purged.run_id);
    expect(await run(folder, 'delta', readRuns)).toEqual([
      { run_id: open.run_id, run_status: 'FINISHED', status: 'critical' },
    ]);
    mlflow.runs.clear();
    expect(await run(folder, 'historical', readRuns)).toEqual([]);
  });

  it('keeps the runs of a hidden experiment, and catches up when it is visible again', async () => {
    const { experiment_id } = mlflow.experiment('churn');
    mlflow.run({ experiment_id, start_time: NOW - DAY });
    const folder = await newFolder();
    const readRuns = (outcome: Outcome) => outcome.pipeline.rows('runs', '2026/03/09', 'run_id');
    expect(await run(folder, 'historical', readRuns)).toHaveLength(1);
    mlflow.hidden.add(experiment_id);
    mlflow.run({ experiment_id, start_time: NOW - DAY + 1 });
    expect(await run(folder, 'historical', readRuns)).toHaveLength(1);
    mlflow.hidden.delete(experiment_id);
    expect(await run(folder, 'historical', readRuns)).toHaveLength(2);
  });

  it('quarantines an unreadable run, and reads the rest of its page', async () => {
    const { experiment_id } = mlflow.experiment('churn');
    mlflow.run({ experiment_id, start_time: NOW - DAY });
    mlflow.run({ experiment_id, start_time: NOW - DAY + 1, status: 'BROKEN' as 'FAILED' });
    await run(await newFolder(), 'historical', async (outcome) => {
      expect(await outcome.pipeline.rows('runs', '2026/03/09', 'run_id')).toHaveLength(1);
      expect(await outcome.pipeline.rows('quarantine', '2026/03/10', 'run_id, reason')).toEqual([
        { run_id: 'run000001', reason: "its status is not one of MLflow's" },
      ]);
    });
  });

  it('records an experiment for which MLflow denies access, and reads the others', async () => {
    const good = mlflow.experiment('good');
    const bad = mlflow.experiment('bad');
    for (const { experiment_id } of [good, bad]) mlflow.run({ experiment_id, start_time: NOW - DAY });
    mlflow.intercept = ({ path, body }) =>
      path === 'runs/search' && (body.experiment_ids as string[]).includes(bad.experiment_id)
        ? { status: 403, body: '{"error_code": "PERMISSION_DENIED", "message": "no"}' }
        : undefined;
    await run(await newFolder(), 'historical', async (outcome) => {
      expect(outcome.record.status).toBe('done');
      expect(outcome.record.refused.map(({ experiment_id }) => experiment_id)).toEqual([bad.experiment_id]);
      expect(await outcome.pipeline.rows('runs', '2026/03/09', 'experiment_name')).toEqual([
        { experiment_name: 'good' },
      ]);
    });
  });

  it.each([
    ['HTML', { status: 200, body: '<html>login</html>' }],
    ['a truncated page', { status: 200, body: '{"runs": [ ]}                    ', cut: true }],
    ['an error', { status: 503, body: 'busy' }],
  ])('fails on %s and publishes nothing; the next one catches up', async (_, response) => {
    const { experiment_id } = mlflow.experiment('churn');
    mlflow.run({ experiment_id, start_time: NOW - DAY });
    mlflow.intercept = ({ path }) => (path === 'runs/search' ? response : undefined);
    const folder = await newFolder();
    await run(folder, 'delta', async (outcome) => {
      expect(outcome.record.status).toBe('failed');
      expect(await outcome.pipeline.digests()).toEqual({});
    });
    mlflow.intercept = undefined;
    await run(folder, 'delta', async (outcome) => {
      expect(outcome.record.status).toBe('done');
      expect(await outcome.pipeline.rows('runs', '2026/03/09', 'run_id')).toHaveLength(1);
    });
  });

  it('fails if the store belongs to another tracking server', async () => {
    const folder = await newFolder();
    await run(folder, 'delta', async () => undefined);
    for (const experiment of mlflow.experiments.values()) experiment.creation_time++;
    const { error } = await run(folder, 'delta', async ({ record }) => record);
    expect(error?.code).toBe('other_source');
    expect(error?.message).toContain('ALLOW_SOURCE_CHANGE');
  });

  it('rejects a second process on the folder', async () => {
    const folder = await newFolder();
    await run(folder, 'delta', async ({ pipeline }) => {
      await expect(openResources(pipeline.resources.settings)).rejects.toThrow(`process ${process.pid}`);
    });
  });
});
