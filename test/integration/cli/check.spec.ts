import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { type CommandResult, runInProcess } from '../../support/command.js';
import { ACCURACY_CATALOG, type OpenService, openService } from '../../support/open-service.js';
import { answer, ScriptedServer } from '../../support/scripted-server.js';

const NOW = Date.now();
let mlflow: TrackingServer;
let folder: string;
/** The run ids of the values 0.9, 0.75 and 0.6 of `accuracy`, and of a run without it. */
let healthy: string;
let warning: string;
let critical: string;
let unmonitored: string;

beforeEach(async () => {
  mlflow = await TrackingServer.start();
  folder = await mkdtemp(join(tmpdir(), 'check-'));
  await writeFile(join(folder, 'catalog.yaml'), JSON.stringify(ACCURACY_CATALOG));
  const { experiment_id } = mlflow.experiment('churn');
  const trained = (key: string, value: number) =>
    mlflow.run({
      run_id: `${mlflow.runs.size}`.padStart(32, 'a'),
      experiment_id,
      start_time: NOW - 3_600_000,
      metrics: [{ key, value, step: 0, timestamp: NOW }],
    }).run_id;
  [healthy, warning, critical] = [0.9, 0.75, 0.6].map((value) => trained('accuracy', value)) as [
    string,
    string,
    string,
  ];
  unmonitored = trained('other', 1);
});
afterEach(async () => {
  await mlflow.close();
  await rm(folder, { recursive: true, force: true });
});

const environment = () => ({
  MLFLOW_TRACKING_URI: mlflow.uri,
  MAX_RETRIES: '0',
  STORAGE_DIR: join(folder, 'no-store'),
  METRICS_API_URL: 'file:catalog.yaml',
  THRESHOLDS_API_URL: 'file:catalog.yaml',
});
const check = (
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<CommandResult> =>
  runInProcess(['check', ...args], { env: { ...environment(), ...more }, cwd: folder });
const firstLine = ({ code, out }: CommandResult) => [code, out.split('\n')[0]];

describe('mlflow-monitor check', () => {
  it('needs only a catalog file, and exits with the verdict', async () => {
    expect(firstLine(await check(['--run', healthy]))).toEqual([
      0,
      'PASS: 1 of 1 metric has a threshold; none is critical or a warning.',
    ]);
    expect(firstLine(await check(['--run', warning]))).toEqual([
      0,
      'PASS: 1 of 1 metric has a threshold; none is critical, 1 is a warning.',
    ]);
    expect(firstLine(await check(['--run', warning, '--fail-on', 'warning']))).toEqual([
      1,
      'FAIL: accuracy is 0.75, below the warning limit 0.8.',
    ]);
    const failed = await check(['--run', critical]);
    expect(firstLine(failed)).toEqual([1, 'FAIL: accuracy is 0.6, below the critical limit 0.7.']);
    expect(failed.out).toContain('Rules: the catalog file:catalog.yaml, of ');
    expect(failed.out).toMatch(/accuracy +critical \(fails\) +0\.6 +0\.7 +-0\.1 /);
    expect(firstLine(await check(['--run', unmonitored]))).toEqual([
      2,
      'NOT ENOUGH EVIDENCE: Its metric has no threshold.',
    ]);
  });

  it('exits with 3 and one line for every error', async () => {
    const errors = [
      await check(['--run', 'nothing']),
      await check([]),
      await check(['--run', healthy, '--model', 'churn']),
      await check(['--run', healthy, '--max-drop', '2%']),
      await check(['--run', healthy, '--max-drop', 'much']),
      await check(['--run', healthy, '--wait', '10']),
      await check(['--run', healthy, '--format', 'pdf']),
      await check(['--run', healthy, '--nothing']),
      await check(['--run', healthy], { METRICS_API_URL: '', THRESHOLDS_API_URL: '' }),
      await check(['--run', healthy], { THRESHOLDS_API_URL: 'file:missing.yaml' }),
      await check(['--run', healthy], { MLFLOW_TRACKING_URI: 'http://127.0.0.1:1' }),
      await check(['--run', healthy], { MLFLOW_TRACKING_URI: 'nonsense' }),
      await check(['--run', healthy, '--url', 'http://127.0.0.1:1']),
    ];
    expect(errors.map(({ code, out }) => [code, out])).toEqual(errors.map(() => [3, '']));
    expect(errors[0]?.err).toBe('ERROR: MLflow has no run nothing\n');
    expect(errors[8]?.err).toContain('There are no rules to judge by');
  });

  it('waits for the end of the run', async () => {
    const run = mlflow.runs.get(healthy);
    Object.assign(run ?? {}, { status: 'RUNNING', end_time: null });
    expect(firstLine(await check(['--run', healthy]))).toEqual([
      2,
      'NOT ENOUGH EVIDENCE: The run has not ended: its status is RUNNING.',
    ]);
    // The run ends while the command asks for it the first time.
    mlflow.intercept = ({ path }) => {
      if (path === 'runs/search')
        setImmediate(() => Object.assign(run ?? {}, { status: 'FINISHED', end_time: NOW }));
      return undefined;
    };
    expect((await check(['--run', healthy, '--wait', '1m'])).code).toBe(0);
  });

  it('judges by the store beside the service that owns it, and through the service', async () => {
    let service: OpenService | undefined;
    try {
      service = await openService({ trackingUri: mlflow.uri, http: true });
      expect((await service.run('delta')).status).toBe('done');
      const store = {
        STORAGE_DIR: join(service.folder, 'store'),
        METRICS_API_URL: '',
        THRESHOLDS_API_URL: '',
      };
      const local = await check(['--run', critical], store);
      expect(local.code).toBe(1);
      expect(local.out).toContain('Rules: the rulebook in folder ');
      const remote = await check(['--run', critical, '--url', service.url]);
      expect(remote.code).toBe(1);
      const withoutRules = ({ out }: CommandResult) => out.replace(/^Rules:.*$/m, '');
      expect(withoutRules(remote)).toBe(withoutRules(local));
      expect((await check(['--run', 'nothing', '--url', service.url])).err).toBe(
        `ERROR: ${service.url} returned 404: MLflow has no run nothing\n`,
      );
    } finally {
      await service?.close();
    }
  });
});

describe('mlflow-monitor check through a proxy with a login', () => {
  let proxy: ScriptedServer;
  beforeEach(async () => {
    proxy = await ScriptedServer.start();
    proxy.script = [answer(401, 'sign in')];
  });
  afterEach(() => proxy.close());

  it('sends the token of VIEWER_TOKEN or --token-file, and says where a 401 comes from', async () => {
    const args = ['--run', healthy, '--url', proxy.uri];
    const { code, err } = await check(args);
    expect([code, err]).toEqual([
      3,
      `ERROR: ${proxy.uri} returned 401: not a response of mlflow-monitor: sign in The service needs no token for this, so a proxy in front of it asks for a login. Set VIEWER_TOKEN or --token-file to a token of the proxy.\n`,
    ]);
    await check(args, { VIEWER_TOKEN: 'of-the-proxy' });
    await writeFile(join(folder, 'token'), 'of-a-file\n');
    await check([...args, '--token-file', 'token'], { VIEWER_TOKEN: 'of-the-proxy' });
    expect(proxy.received.map(({ headers }) => headers.authorization)).toEqual([
      undefined,
      'Bearer of-the-proxy',
      'Bearer of-a-file',
    ]);
  });
});

describe('the examples of docs/check.md', () => {
  /** Runs a script as the CI systems do, with the built program as `mlflow-monitor`. */
  async function runScript(script: string, env: Record<string, string>): Promise<CommandResult> {
    const bin = join(folder, 'bin');
    await mkdir(bin, { recursive: true });
    const program = join(bin, 'mlflow-monitor');
    await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${resolve('dist/main.js')}" "$@"\n`);
    await chmod(program, 0o755);
    return new Promise((done) => {
      const options = { env: { PATH: `${bin}:${process.env.PATH}`, ...environment(), ...env }, cwd: folder };
      execFile('bash', ['--norc', '-e', '-c', script], options, (error, out, err) =>
        done({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
      );
    });
  }
  const section = async (title: string, language: string): Promise<string> => {
    const text = (await readFile(resolve('docs/check.md'), 'utf8')).split(`\n## ${title}\n`)[1] ?? '';
    return new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(text)?.[1] ?? '';
  };

  it('GitHub Actions: the step fails with annotations', async () => {
    const workflow = parse(await section('GitHub Actions', 'yaml'));
    const [step] = workflow.jobs.gate.steps;
    expect(Object.keys(step.env)).toEqual(
      expect.arrayContaining(['RUN_ID', 'MLFLOW_TRACKING_URI', 'THRESHOLDS_API_URL']),
    );
    const { code, out } = await runScript(step.run, { NODE_ENV: 'production', RUN_ID: critical });
    expect([code, out]).toEqual([
      1,
      expect.stringContaining('\n::error title=mlflow-monitor::FAIL: accuracy is 0.6'),
    ]);
  });

  it('GitLab CI: the job writes a JUnit report', async () => {
    const job = parse(await section('GitLab CI', 'yaml')).gate;
    const service = await openService({ trackingUri: mlflow.uri, http: true });
    try {
      const env = { MONITOR_URL: service.url, RUN_ID: healthy };
      expect((await runScript(job.script.join('\n'), env)).code).toBe(0);
    } finally {
      await service.close();
    }
    const report = await readFile(join(folder, job.artifacts.reports.junit), 'utf8');
    expect(report).toContain('<testcase classname="churn" name="accuracy"/>');
  });

  it('promotion: moves the alias only to a version that passes', async () => {
    for (const run of [healthy, critical, healthy]) mlflow.models.create('churn', run);
    mlflow.models.setAlias('churn', 'champion', 1);
    const script = await section('Promotion in the model registry', 'sh');
    const promote = (version: string) => runScript(script, { MODEL: 'churn', VERSION: version });
    expect((await promote('2')).code).toBe(1);
    expect(mlflow.models.versionOf('churn', 'champion')).toBe(1);
    const { code, out, err } = await promote('3');
    expect([code, err, out]).toEqual([0, '', expect.stringContaining('churn version 3 is the champion now')]);
    expect(mlflow.models.versionOf('churn', 'champion')).toBe(3);
  });
});
