import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { PlatformCurrent } from '../../../src/dashboard/contract.js';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { likePattern, matches } from '../../../src/domain/pattern.js';
import { Duck } from '../../../src/storage/duck.js';
import { createRunsMacro } from '../../../src/storage/judged-runs.js';
import { runInProcess } from '../../support/command.js';
import { ACCURACY_CATALOG, type OpenService, openService } from '../../support/open-service.js';

const NOW = Date.parse('2026-03-10T15:30:00Z');
const DAY = '2026/03/10';
const HOUR = 3_600_000;

describe('in SQL', () => {
  let folder: string;
  let duck: Duck;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nested-'));
    duck = await Duck.open(folder);
  });
  afterAll(async () => {
    duck.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('a pattern matches the same names', async () => {
    const letters = (...units: string[]) => fc.string({ unit: fc.constantFrom(...units), maxLength: 6 });
    const name = letters('a', 'b', '%', '_', '\\', 'é', '😀', '*', '?');
    const list = fc.array(fc.tuple(name, name), { minLength: 100, maxLength: 100 });
    await duck.session((session) =>
      fc.assert(
        fc.asyncProperty(list, async (pairs) => {
          const rows = await session.rows<{ found: boolean }>(
            `SELECT like_escape(pair.name, pair.pattern, '\\') AS found
             FROM (SELECT unnest(from_json($pairs, '[{"pattern": "VARCHAR", "name": "VARCHAR"}]')) AS pair)`,
            {
              pairs: JSON.stringify(
                pairs.map(([pattern, text]) => ({ pattern: likePattern(pattern), name: text })),
              ),
            },
          );
          expect(rows.map(({ found }) => found)).toEqual(
            pairs.map(([pattern, text]) => matches(pattern, text)),
          );
        }),
        { numRuns: 30 },
      ),
    );
  });

  it('files of older releases, without the decision, follow COUNT_NESTED_RUNS', async () => {
    await duck.session(async (session) => {
      const [older, newer] = [join(folder, 'older.parquet'), join(folder, 'newer.parquet')];
      const copy = (query: string, file: string) =>
        session.run(`COPY (${query}) TO $file (FORMAT parquet)`, { file });
      await copy(`FROM (VALUES ('a', NULL), ('b', 'x')) AS t(run_id, parent_run_id)`, older);
      await copy(
        `FROM (VALUES ('c', 'x', false), ('d', 'x', true)) AS t(run_id, parent_run_id, ignored_child)`,
        newer,
      );
      await createRunsMacro(session);
      const ignored = async (runs: readonly string[], counts: boolean) => {
        const rows = await session.rows<{ run_id: string }>(
          'SELECT run_id FROM judged_runs($runs, $counts) WHERE ignored_child ORDER BY run_id',
          { runs, counts },
        );
        return rows.map(({ run_id }) => run_id);
      };
      expect(await ignored([older], false)).toEqual(['b']);
      expect(await ignored([older], true)).toEqual([]);
      expect(await ignored([older, newer], false)).toEqual(['b', 'd']);
      expect(await ignored([newer, older], true)).toEqual(['d']);
    });
  });
});

describe('child runs', () => {
  let mlflow: TrackingServer;
  let service: OpenService;
  let folder: string;
  let now: number;
  const experiments = new Map<string, string>();

  beforeEach(async () => {
    now = NOW;
    mlflow = await TrackingServer.start(() => now);
    folder = await mkdtemp(join(tmpdir(), 'nested-'));
    experiments.clear();
    for (const [name, tags] of [
      ['plain', {}],
      ['counted', { 'monitor.nested': 'count' }],
      ['hpo/ignored', { 'monitor.nested': 'ignore' }],
      ['hpo/named', {}],
    ] as const) {
      experiments.set(name, mlflow.experiment(name, tags).experiment_id);
    }
  });
  afterEach(async () => {
    await service?.close();
    await mlflow.close();
    await rm(folder, { recursive: true, force: true });
  });

  const child = (run_id: string, experiment: string, tags: Record<string, string> = {}, isOpen = false) =>
    mlflow.run({
      run_id,
      experiment_id: experiments.get(experiment) ?? '',
      start_time: NOW - HOUR,
      metrics: [{ key: 'accuracy', value: 0.3, step: 0, timestamp: NOW - HOUR }],
      tags: { 'mlflow.parentRunId': 'parent', ...tags },
      ...(isOpen ? { status: 'RUNNING' as const, end_time: null } : {}),
    });
  const open = async (env: Record<string, string> = {}) => {
    service = await openService({
      trackingUri: mlflow.uri,
      clock: () => now,
      folder,
      catalog: ACCURACY_CATALOG,
      http: true,
      env,
    });
  };
  const counted = async () => {
    const rows = await service.rows<{ run_id: string; eligible: boolean }>(
      'runs',
      DAY,
      'run_id, eligible',
      'NOT ignored_child',
    );
    return rows.map(({ run_id, eligible }) => (eligible ? run_id : `${run_id} (open)`)).sort();
  };
  const shown = async () =>
    (await service.request('GET', '/api/v1/platform/current')).json as PlatformCurrent;

  it('count by their tag, else by that of the experiment, else by the patterns of the setting', async () => {
    child('1-plain', 'plain');
    child('2-own-tag', 'plain', { 'monitor.nested': 'count' });
    child('3-unknown-tag', 'plain', { 'monitor.nested': 'COUNT' });
    child('4-open', 'plain', { 'monitor.nested': 'count' }, true);
    child('5-experiment-tag', 'counted');
    child('6-own-tag-wins', 'counted', { 'monitor.nested': 'ignore' });
    child('7-experiment-tag-wins', 'hpo/ignored');
    child('8-experiment-name', 'hpo/named');
    child('9-application', 'plain', { application: 'app_1' });
    child('a-other-application', 'plain', { application: 'app 1' });
    await open({ COUNT_NESTED_RUNS: 'hpo/*,app_?' });
    await service.run('bootstrap');
    expect(await counted()).toEqual([
      '2-own-tag',
      '4-open (open)',
      '5-experiment-tag',
      '8-experiment-name',
      '9-application',
    ]);
    const hours = await service.rows(
      'application_summary',
      DAY,
      'application, total_runs, critical_runs, running_runs',
    );
    expect(hours).toEqual([
      { application: 'app_1', total_runs: 1, critical_runs: 1, running_runs: 0 },
      { application: 'counted', total_runs: 1, critical_runs: 1, running_runs: 0 },
      { application: 'hpo/named', total_runs: 1, critical_runs: 1, running_runs: 0 },
      { application: 'plain', total_runs: 1, critical_runs: 1, running_runs: 1 },
    ]);
    expect(
      await service.rows(
        'platform_summary',
        DAY,
        'total_runs, len(active_applications)::INTEGER AS applications',
      ),
    ).toEqual([{ total_runs: 4, applications: 4 }]);
    const { applications } = await shown();
    expect(applications.map(({ application, total, reason }) => [application, total, reason])).toEqual([
      [
        'app 1',
        0,
        'No run that counts in the last 24 h: 1 run is a child of another run and not counted (1 critical).',
      ],
      ['app_1', 1, '1 of 1 run is critical (100.0 %); the limit is 20 %.'],
      ['counted', 1, '1 of 1 run is critical (100.0 %); the limit is 20 %.'],
      [
        'hpo/ignored',
        0,
        'No run that counts in the last 24 h: 1 run is a child of another run and not counted (1 critical).',
      ],
      ['hpo/named', 1, '1 of 1 run is critical (100.0 %); the limit is 20 %.'],
      ['plain', 1, '1 of 1 run is critical (100.0 %); the limit is 20 %.'],
    ]);
  });

  it('all count with COUNT_NESTED_RUNS=true, unless a tag says otherwise', async () => {
    child('1-plain', 'plain');
    child('2-own-tag', 'plain', { 'monitor.nested': 'ignore' });
    child('3-experiment-tag', 'hpo/ignored');
    child('4-own-tag-wins', 'hpo/ignored', { 'monitor.nested': 'count' });
    await open({ COUNT_NESTED_RUNS: 'true' });
    await service.run('bootstrap');
    expect(await counted()).toEqual(['1-plain', '4-own-tag-wins']);
  });

  it('are named by the published reason as by the page', async () => {
    for (const hour of [1, 2]) {
      const { run_id } = child(`child-${hour}`, 'plain');
      const run = mlflow.runs.get(run_id);
      if (run) run.start_time = NOW - hour * HOUR;
    }
    mlflow.run({
      experiment_id: experiments.get('plain') ?? '',
      start_time: NOW - HOUR,
      status: 'RUNNING',
      end_time: null,
    });
    await open();
    await service.run('bootstrap');
    const reason =
      'No run that counts in the last 24 h: 2 runs are children of another run and not counted (2 critical); 1 run has not ended.';
    const published = [{ light: 'no_data', light_reason: reason }];
    expect(await service.rows('application_summary', DAY, 'light, light_reason')).toEqual(published);
    expect(await service.rows('platform_summary', DAY, 'light, light_reason')).toEqual(published);
    const { platform, applications } = await shown();
    expect([platform.reason, applications[0]?.reason]).toEqual([reason, reason]);
  });

  it('follow a changed tag of their experiment with the next delta', async () => {
    child('1', 'plain');
    await open();
    await service.run('bootstrap');
    expect(await counted()).toEqual([]);
    const tags = mlflow.experiments.get(experiments.get('plain') ?? '')?.tags;
    if (tags) tags['monitor.nested'] = 'count';
    now += 60_000;
    await service.run('delta');
    await service.run('reevaluation');
    expect(await counted()).toEqual(['1']);
    expect((await shown()).platform).toMatchObject({ total: 1, light: 'critical' });
  });

  it('count for the gate by the same choice, also without a store', async () => {
    const { run_id } = child('a'.repeat(32), 'plain', { application: 'app 1' });
    child('b'.repeat(32), 'plain', { application: 'app 1', 'monitor.nested': 'ignore' });
    await open({ COUNT_NESTED_RUNS: 'app*' });
    await service.run('bootstrap');
    const { json } = await service.request('POST', '/api/v1/verdicts', { body: { application: 'app 1' } });
    expect(json).toMatchObject({ verdict: 'fail', run: { run_id } });
    const check = (env: Record<string, string>) =>
      runInProcess(['check', '--application', 'app 1'], {
        env: {
          MLFLOW_TRACKING_URI: mlflow.uri,
          STORAGE_DIR: join(folder, 'no-store'),
          METRICS_API_URL: `file:${join(folder, 'catalog.json')}`,
          THRESHOLDS_API_URL: `file:${join(folder, 'catalog.json')}`,
          ...env,
        },
        cwd: folder,
      });
    expect(await check({ COUNT_NESTED_RUNS: 'app*' })).toMatchObject({
      code: 1,
      out: expect.stringContaining(run_id),
    });
    expect(await check({})).toMatchObject({
      code: 2,
      out: expect.stringContaining('No run of the application app 1'),
    });
  });
});
