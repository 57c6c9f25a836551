import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrackingServer } from '../../src/demo/tracking-server.js';
import { Program } from '../support/program.js';
import { describeRedis } from '../support/redis-server.js';

const DAY = 86_400_000;
let mlflow: TrackingServer;
let folder: string;
const programs: Program[] = [];

beforeEach(async () => {
  mlflow = await TrackingServer.start();
  folder = await mkdtemp(join(tmpdir(), 'program-'));
  const { experiment_id } = mlflow.experiment('churn');
  for (let i = 0; i < 30; i++) {
    mlflow.run({
      experiment_id,
      start_time: Date.now() - (i % 3) * DAY - i * 1_000,
      metrics: [{ key: 'accuracy', value: i / 30, step: 0, timestamp: 0 }],
    });
  }
});
afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.stop('SIGKILL')));
  await mlflow.close();
  await rm(folder, { recursive: true, force: true });
});

function start(args: string[], env: Record<string, string> = {}): Program {
  const program = Program.start(args, {
    MLFLOW_TRACKING_URI: mlflow.uri,
    STORAGE_DIR: join(folder, 'store'),
    LOOKBACK_DAYS_HISTORICAL: '3',
    MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
    PORT: '0',
    ...env,
  });
  programs.push(program);
  return program;
}

/** Waits until the service has started. @returns its address */
async function started(program: Program): Promise<string> {
  const [, url = ''] = await program.line(/Page: (http:\/\/127\.0\.0\.1:\d+)\//);
  return url;
}

const totalRuns = async (url: string): Promise<number> => {
  const response = await fetch(`${url}/api/v1/platform/current`);
  const { platform } = (await response.json()) as { platform: { total: number } };
  return platform.total;
};

describe('the program', () => {
  it('names a missing setting, and creates no folder', async () => {
    const program = start(['serve'], { MLFLOW_TRACKING_URI: '' });
    expect(await program.exited).toEqual({ code: 1, signal: null });
    expect(program.lines.join('\n')).toContain('MLFLOW_TRACKING_URI is missing');
    await expect(access(join(folder, 'store'))).rejects.toThrow('ENOENT');
  });

  it('lists all invalid settings, but no secret', async () => {
    const program = start(['serve'], { PORT: 'http', BATCH_SIZE: '0', MLFLOW_TRACKING_PASSWORD: 'g3heim' });
    expect((await program.exited).code).toBe(1);
    const text = program.lines.join('\n');
    expect(text).toContain('PORT is "http": expected');
    expect(text).toContain('BATCH_SIZE is "0": expected');
    expect(text).not.toContain('g3heim');
    await expect(access(join(folder, 'store'))).rejects.toThrow('ENOENT');
  });

  it('executes one pipeline run, and prints its progress and a summary', async () => {
    const program = start(['run', 'bootstrap']);
    expect(await program.exited).toEqual({ code: 0, signal: null });
    expect(program.lines[0]).toMatch(/^bootstrap-1: \d+ of \d+ steps$/);
    expect(program.lines.at(-1)).toMatch(
      /^bootstrap-1 done: 30 runs, 30 metrics, 0 quarantined, \d+ partitions written, \d+ unchanged, \d+\.\d s$/,
    );
  });

  it('exits with 1 and the reason if the pipeline run fails', async () => {
    mlflow.intercept = ({ path }) =>
      path === 'runs/search' ? { status: 200, body: '<html>login</html>' } : undefined;
    const program = start(['run', 'delta'], { STAGE_TRIES: '1' });
    expect((await program.exited).code).toBe(1);
    expect(program.lines.at(-1)).toContain('delta-1 failed');
    expect(program.lines.at(-1)).toContain('not JSON, or truncated');
  });

  it('serves: bootstraps at once, responds, logs JSON lines with run and job, and drains on SIGTERM', async () => {
    const program = start(['serve'], { LOG_LEVEL: 'debug' });
    const url = await started(program);
    await program.line(/bootstrap-1 done/);
    expect(await totalRuns(url)).toBeGreaterThan(0);
    for (const path of ['live', 'ready']) expect((await fetch(`${url}/health/${path}`)).status).toBe(200);
    expect(await program.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    const logged = program.lines.map((line) => JSON.parse(line));
    expect(logged.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
    const stage = logged.find(({ message }) => /fetch of bootstrap-1 finished/.test(message));
    expect(stage).toMatchObject({
      pipeline_run_id: 'bootstrap-1',
      job_id: expect.stringMatching(/^bootstrap-1\.c0-\d{8}\.fetch\.1$/),
    });
  });

  it('prints only a few lines on a first start, without warnings', async () => {
    const program = start(['serve'], { LOG_FORMAT: 'pretty' });
    await program.line(/bootstrap-1 done/);
    expect(program.lines.length).toBeLessThan(6);
    expect(program.lines.join('\n')).not.toMatch(/warn|deprecat/i);
    await program.stop();
  });

  it('completes an active download on SIGTERM, and continues from there at the next start', async () => {
    const searched = new Promise<void>((resolve) => {
      mlflow.intercept = ({ path }) => {
        if (path === 'runs/search') resolve();
        return undefined;
      };
    });
    const program = start(['serve']);
    await searched;
    expect(await program.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(program.lines.filter((line) => line.includes('"level":"error"'))).toEqual([]);
    mlflow.intercept = undefined;
    const next = start(['serve']);
    await next.line(/bootstrap-1 done/);
    expect(await totalRuns(await started(next))).toBeGreaterThan(0);
  });

  it('stops without waiting for an unreachable server', async () => {
    const requestedByJob = new Promise<void>((resolve) => {
      let requests = 0;
      mlflow.intercept = () => {
        // The first request is the probe at the start.
        if (++requests === 2) resolve();
        return { status: 503, body: 'down' };
      };
    });
    const program = start(['serve'], {
      MLFLOW_HTTP_REQUEST_MAX_RETRIES: '1',
      MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR: '100',
    });
    await Promise.all([started(program), requestedByJob]);
    expect(await program.stop('SIGINT')).toEqual({ code: 0, signal: null });
    // The wait was aborted and the job returned to the queue; a drain timeout would have abandoned the job.
    expect(program.lines.join('\n')).toMatch(/"plan, attempt 1: .*503/);
  });

  it('rejects a second process on the folder and names the owner; after kill -9 the next one starts', async () => {
    const first = start(['serve']);
    await started(first);
    const second = start(['run', 'delta']);
    expect((await second.exited).code).toBe(1);
    expect(second.lines.join('\n')).toContain(`process ${first.pid}`);
    await first.stop('SIGKILL');
    await started(start(['serve']));
  });

  it('does not start on the store of another tracking server', async () => {
    await start(['run', 'bootstrap']).exited;
    for (const experiment of mlflow.experiments.values()) experiment.creation_time++;
    const program = start(['serve']);
    expect((await program.exited).code).toBe(1);
    expect(program.lines.at(-1)).toContain('ALLOW_SOURCE_CHANGE');
  });

  it('starts while MLflow is unavailable, logs a warning, and catches up', async () => {
    mlflow.intercept = () => ({ status: 503, body: 'down' });
    const program = start(['serve']);
    const url = await started(program);
    await program.line(/warn.*503/);
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    mlflow.intercept = undefined;
    await program.line(/bootstrap-1 done/);
  });
});

describeRedis('the program on Redis', (server) => {
  it('logs one line when the queue becomes unreachable and one when it is back', async () => {
    const program = start(['serve'], { REDIS_URL: server().url });
    await program.line(/bootstrap-1 done/);
    const { host } = new URL(server().url);
    await server().outage(1_000, 'SIGKILL');
    await program.line(/The queue at \S+ is back/);
    await program.stop();
    const logged = program.lines.map((line) => JSON.parse(line)).filter(({ context }) => context === 'Queue');
    expect(logged).toEqual([
      expect.objectContaining({ level: 'warn', message: expect.stringContaining(`${host} is unreachable`) }),
      expect.objectContaining({ level: 'log', message: expect.stringContaining(`${host} is back`) }),
    ]);
  });

  it('stops while the queue comes back without its data', async () => {
    const program = start(['serve'], { REDIS_URL: server().url });
    await program.line(/bootstrap-1 done/);
    await server().outage(1_000, 'SIGKILL');
    expect(await program.stop()).toEqual({ code: 0, signal: null });
  });

  it('stops while the queue is unreachable', async () => {
    const program = start(['serve'], { REDIS_URL: server().url });
    await program.line(/bootstrap-1 done/);
    const outageEnd = server().outage(3_000, 'SIGSTOP');
    expect(await program.stop()).toEqual({ code: 0, signal: null });
    await outageEnd;
  });
});
