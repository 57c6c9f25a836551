import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DuckDBInstance } from '@duckdb/node-api';
import { foundCompany } from '../../src/demo/company.js';
import { runPython } from '../support/python.js';

const SEED = 11;
let folder: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-'));
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

interface Demo {
  /** The first matching line, whether printed already or later. @throws {Error} with all lines if the program exits without it */
  line(pattern: RegExp): Promise<string>;
  /** Stops it like Ctrl+C. @returns its exit code */
  stop(): Promise<number | null>;
  readonly exited: Promise<number | null>;
  readonly lines: readonly string[];
}

function startDemo(...options: string[]): Demo {
  const child = spawn(process.execPath, ['dist/main.js', 'demo', '--folder', folder, ...options], {
    env: { ...process.env, LOG_LEVEL: 'warn', MLFLOW_TRACKING_URI: 'http://127.0.0.1:9', PORT: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface(stream).on('line', (line) => {
      lines.push(line);
      for (const check of listeners) check();
    });
  }
  const exited = once(child, 'close').then(([code]) => {
    running.delete(child);
    for (const check of listeners) check();
    return code as number | null;
  });
  return {
    lines,
    exited,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const match = lines.find((line) => pattern.test(line));
          if (match === undefined && running.has(child)) return;
          listeners.delete(check);
          if (match === undefined) reject(new Error(`The demo exited:\n${lines.join('\n')}`));
          else resolve(match);
        };
        listeners.add(check);
        check();
      }),
    stop: () => {
      child.kill('SIGINT');
      return exited;
    },
  };
}

interface Current {
  platform: { light: string; total: number };
  applications: { application: string; light: string; reason: string; running: number }[];
}

const linkOf = async (demo: Demo): Promise<string> =>
  (await demo.line(/^ +http:\/\/127\.0\.0\.1:\d+\/$/)).trim();

async function currentOf(demo: Demo): Promise<Current> {
  const response = await fetch(`${await linkOf(demo)}api/v1/platform/current`);
  expect(response.status).toBe(200);
  return (await response.json()) as Current;
}

/** Resolves with the number of incidents once alerts have been evaluated. The page follows the same events. */
async function evaluated(demo: Demo): Promise<number> {
  const link = await linkOf(demo);
  const events = await fetch(`${link}api/v1/events`);
  for await (const _ of events.body ?? []) {
    const response = await fetch(`${link}api/v1/alerts`);
    const { incidents } = (await response.json()) as { incidents: unknown[] };
    if (incidents.length > 0) return incidents.length;
  }
  throw new Error('The events ended before an evaluation');
}

/** Queries the Parquet files of the demo, as any reader could. */
async function published<T>(query: string): Promise<T[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const store = join(folder, `seed-${SEED}`, 'store');
    const reader = await connection.runAndReadAll(query.replace('$store', store));
    return reader.getRowObjectsJson() as T[];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

describe('mlflow-monitor demo', () => {
  it('prints one link to a page with the scripted incidents; a restart continues the same company', async () => {
    const first = startDemo('--seed', `${SEED}`, '--port', '0');
    await first.line(/^ +http:/);
    await first.line(/^All days are published/);
    const { founded } = JSON.parse(await readFile(join(folder, `seed-${SEED}`, 'demo.json'), 'utf8'));
    const { badDeploy, drift, stopped } = foundCompany(SEED, founded).story;
    const { platform, applications } = await currentOf(first);
    const lightOf = ({ application }: { application: string }) =>
      applications.find((row) => row.application === application)?.light ?? 'no_data';
    expect([badDeploy, drift, stopped].map(lightOf)).toEqual(['critical', 'warning', 'no_data']);
    const lights = new Map(applications.map(({ application, light }) => [application, light]));
    expect([...lights.values()].filter((light) => light === 'healthy').length).toBeGreaterThanOrEqual(8);
    expect(lights.get('voice-ordering')).toBe('unmonitored');
    expect(applications.find(({ light }) => light === 'critical')?.reason).toMatch(/critical|pass rate/);
    expect(platform.light).not.toBe('critical');
    expect(platform.total).toBeGreaterThan(100);
    const [stoppedRuns] = await published<{ runs: string; age: number }>(
      `SELECT count(*) AS runs, epoch(to_timestamp(${founded} / 1000) - max(timestamp)) / 86400 AS age
       FROM '$store/application_summary/*/*/*/*.parquet' WHERE application = '${stopped.application}'`,
    );
    expect(Number(stoppedRuns?.runs)).toBeGreaterThan(20);
    expect(Number(stoppedRuns?.age)).toBeGreaterThan(1);
    expect(Number(stoppedRuns?.age)).toBeLessThan(7);
    const days = await published<{ days: string }>(
      `SELECT count(DISTINCT date) AS days FROM '$store/platform_summary/*/*/*/*.parquet'`,
    );
    expect(Number(days[0]?.days)).toBeGreaterThanOrEqual(29);
    expect(await evaluated(first)).toBeGreaterThanOrEqual(3);
    expect(await first.stop()).toBe(0);
    expect(first.lines.filter((line) => line.includes('http://'))).toHaveLength(1);
    expect(first.lines.join('\n')).toContain('streamlit run examples/streamlit/app.py -- "');
    expect(first.lines.filter((line) => /warn|error/i.test(line))).toEqual([]);

    const before = await published<{ run_id: string }>(`SELECT run_id FROM '$store/runs/*/*/*/*.parquet'`);
    const restarted = startDemo('--seed', `${SEED}`, '--port', '0');
    const later = await currentOf(restarted);
    expect(later.platform.total).toBeGreaterThan(100);
    const company = foundCompany(SEED, founded);
    const known = new Set(company.runs(0, Date.now()).map(({ run_id }) => run_id));
    expect(before.length).toBeGreaterThan(6_000);
    expect(before.filter(({ run_id }) => !known.has(run_id))).toEqual([]);
    expect(await restarted.stop()).toBe(0);
    expect(restarted.lines.join('\n')).not.toMatch(/in use by/);
  }, 300_000);

  it('has data that every reader opens, with the columns of the dictionary', async () => {
    const withRows = ['runs', 'enriched_metrics', 'metric_timeseries', 'metric_forecast'];
    const others = ['application_summary', 'platform_summary', 'data_quality', 'alerts'];
    const store = join(folder, `seed-${SEED}`, 'store');
    const script = 'test/independent/open_datasets.py';
    expect(await runPython([script, store, ...withRows, ...others])).toMatch(/^runs: \d+ files, \d+ rows$/m);
  }, 120_000);

  it('has data that the Streamlit example shows', async () => {
    const pytest = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', 'examples/streamlit'];
    const env = { MONITOR_STORE: join(folder, `seed-${SEED}`, 'store') };
    expect(await runPython(pytest, env)).toContain('3 passed');
  }, 180_000);

  it('exits at once with an error if the port is already in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const demo = startDemo('--seed', '12', '--port', `${port}`);
    expect(await demo.exited).toBe(1);
    expect(demo.lines.join('\n')).toContain(
      `Cannot listen on port ${port} of 127.0.0.1: it is already in use`,
    );
    expect(demo.lines.join('\n')).not.toContain('http://');
    server.close();
  });

  it.each([
    ['--seed', 'x'],
    ['--port', '70000'],
  ])('rejects %s %s', async (option, value) => {
    const demo = startDemo(option, value);
    expect(await demo.exited).toBe(1);
    expect(demo.lines.join('\n')).toContain('whole number');
  });
});
