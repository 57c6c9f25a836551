import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrackingServer } from '../../src/demo/tracking-server.js';
import type { CurrentError } from '../../src/health/current-errors.js';
import type { HealthReport } from '../../src/health/health-report.js';
import { FaultProxy } from '../support/fault-proxy.js';
import { Program } from '../support/program.js';
import { notForwarded } from '../support/proxied-s3.js';

/** Attempts of a stage that fail before MLflow is back. */
const ATTEMPTS = 2;

it('GET /api/v1/errors counts the errors of an outage of MLflow, with what to do; the log repeats none within a minute', async () => {
  const mlflow = await TrackingServer.start();
  const { experiment_id } = mlflow.experiment('churn');
  mlflow.run({ experiment_id, start_time: Date.now() - 60_000, metrics: [] });
  const proxy = await FaultProxy.start(mlflow.uri);
  const folder = await mkdtemp(join(tmpdir(), 'errors-'));
  const outage = new Promise<void>((resolve) => {
    let requests = 0;
    proxy.decide = () => {
      // The first request is that of the start, before any stage.
      if (++requests > ATTEMPTS + 1) resolve();
      return notForwarded({ end: { how: 'reset' } });
    };
  });
  const program = Program.start(['serve'], {
    MLFLOW_TRACKING_URI: proxy.url,
    STORAGE_DIR: join(folder, 'store'),
    LOOKBACK_DAYS_HISTORICAL: '1',
    MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
    STAGE_TRIES: '20',
    PORT: '0',
    LOG_FORMAT: 'json',
  });
  try {
    const [, url = ''] = await program.line(/Page: (http:\/\/127\.0\.0\.1:\d+)\//);
    const json = async <T>(path: string) => (await (await fetch(`${url}${path}`)).json()) as T;
    await outage;
    const during = await json<{ errors: CurrentError[] }>('/api/v1/errors');
    const message = `MLflow at ${proxy.url} is unreachable: read ECONNRESET`;
    const todo =
      'Look into the log of the tracking server; if it speaks https on this port, correct the beginning of MLFLOW_TRACKING_URI';
    expect(during.errors).toEqual([
      {
        code: 'mlflow_unreachable',
        upstream: 'mlflow',
        experiment_id: null,
        stage: 'plan',
        message,
        attempt: expect.any(Number),
        count: expect.any(Number),
        first: expect.any(String),
        last: expect.any(String),
        what_to_do: `${todo}. Reading continues by itself once MLflow responds.`,
      },
    ]);
    expect(during.errors[0]?.count).toBeGreaterThanOrEqual(ATTEMPTS);
    const health = await json<HealthReport>('/health');
    expect(health.problems).toContain(`The last request to MLflow failed: ${message} → ${todo}.`);
    expect(health).toMatchObject({ errors: [{ code: 'mlflow_unreachable' }] });

    proxy.decide = () => undefined;
    await program.line(/bootstrap-1 done/);
    const after = await json<HealthReport>('/health');
    expect(after.problems.filter((problem) => problem.includes('MLflow'))).toEqual([]);
    const { errors } = await json<{ errors: CurrentError[] }>('/api/v1/errors');
    expect(errors).toMatchObject([{ code: 'mlflow_unreachable', stage: 'plan' }]);
    const logged = program.lines.map((line) => JSON.parse(line));
    expect(logged.filter(({ error_code }) => error_code !== undefined)).toEqual([
      expect.objectContaining({
        level: 'warn',
        message: `plan, attempt 1: ${message} → ${todo}`,
        error_code: 'mlflow_unreachable',
        stage: 'plan',
        count: 1,
      }),
    ]);
    const finished = logged.find(({ message: text }) => `${text}`.startsWith('bootstrap-1 done'));
    expect(finished).toMatchObject({
      level: 'log',
      kind: 'bootstrap',
      status: 'done',
      runs: 1,
      pages: expect.any(Number),
      bytes: expect.any(Number),
      fetch_count: expect.any(Number),
      fetch_seconds: expect.any(Number),
      enrich_seconds: expect.any(Number),
    });
  } finally {
    await program.stop('SIGKILL');
    await proxy.close();
    await mlflow.close();
    await rm(folder, { recursive: true, force: true });
  }
});
