import { domainSettings, loadSettings } from '../../../src/config/settings.js';
import { PIPELINE_KINDS } from '../../../src/domain/model.js';
import type { DependencyResults } from '../../../src/health/dependencies.js';
import { describeHealth, type ProcessStatus } from '../../../src/health/health-report.js';
import type { KindState } from '../../../src/state/kind-state.js';
import type { ServiceFacts } from '../../../src/state/service-facts.js';
import { FIRST_VERSIONS } from '../../../src/state/versions.js';

const MINUTE = 60_000;
const NOW = Date.parse('2026-03-10T12:00:00Z');
const settings = loadSettings({
  MLFLOW_TRACKING_URI: 'http://user:secret@mlflow',
  THRESHOLDS_API_URL: 'https://catalog',
  API_KEY: 'key-of-the-catalog',
  MLFLOW_TRACKING_TOKEN: 'token-of-mlflow',
});
const never: KindState = {
  version: 1,
  sequence: 0,
  last_nominal: null,
  last_finished: null,
  active: [],
  windows: {},
};
const facts = (change: Partial<ServiceFacts> = {}, finished: number | null = NOW - MINUTE): ServiceFacts => ({
  kinds: {
    ...(Object.fromEntries(PIPELINE_KINDS.map((kind) => [kind, never])) as ServiceFacts['kinds']),
    delta: { ...never, last_finished: finished, active: ['delta-8'] },
  },
  experiments: {
    7: { name: 'churn', lifecycle_stage: 'active', tags: {}, listed: true, observed_at: 0, swept: true },
    8: { name: 'fraud', lifecycle_stage: 'active', tags: {}, listed: true, observed_at: 0, swept: true },
  },
  watermarks: { 7: NOW - 2 * MINUTE, 8: NOW - 2 * MINUTE },
  openMlflowRuns: [],
  judging: null,
  quality: [],
  versions: FIRST_VERSIONS,
  rewrite: null,
  unfinishedMessages: [],
  broken: [],
  catalog: { version: 1, last_success: NOW - MINUTE, last_error: null, awaited: false, refused: 0 },
  ...change,
});
const results = (change: Partial<DependencyResults> = {}): DependencyResults => ({
  store: { value: null },
  facts: { value: facts() },
  alerts: { value: null },
  queues: { value: [] },
  eviction: { value: undefined },
  lights: undefined,
  ...change,
});
const self: ProcessStatus = {
  version: '1.2.3',
  startedAt: NOW - 60 * MINUTE,
  supported: FIRST_VERSIONS,
  store: { description: 'folder ./data', singleWriter: false },
  mlflow: { up: true, lastSuccess: NOW - MINUTE, error: null },
  lastSuccess: { store: NOW, queue: NOW },
  idle: { ms: 0, timeoutMs: 30 * MINUTE },
};
const problems = (of: DependencyResults, change: Partial<ProcessStatus> = {}) =>
  describeHealth(of, { ...self, ...change }, settings, NOW).problems;

describe('describeHealth', () => {
  it('says how many days a raised version has not reached yet, which is no problem', () => {
    const raised = {
      versions: { rules: 1, schema: 2 },
      rewrite: { days: 365, outdatedDays: 165, objects: 1825, outdatedObjects: 500 },
    };
    const supported = { rules: 2, schema: 2 };
    const of = results({ facts: { value: facts(raised) } });
    const { status, versions } = describeHealth(of, { ...self, supported }, settings, NOW);
    expect({ status, versions }).toEqual({
      status: 'ok',
      versions: {
        rules: 1,
        schema: 2,
        supported,
        rewrite: { days: 365, outdated_days: 165, objects: 1825, outdated_objects: 500 },
      },
    });
  });

  it('says that a process is older than its store and publishes nothing', () => {
    for (const versions of [
      { rules: 1, schema: 2 },
      { rules: 2, schema: 1 },
    ]) {
      expect(problems(results({ facts: { value: facts({ versions }) } }))).toEqual([
        expect.stringMatching(/^A newer release writes this store .*publishes nothing/),
      ]);
    }
  });

  it('reports ok with times and figures', () => {
    expect(describeHealth(results(), self, settings, NOW)).toMatchObject({
      status: 'ok',
      problems: [],
      version: '1.2.3',
      roles: ['api', 'worker', 'scheduler'],
      started_at: '2026-03-10T11:00:00.000Z',
      store: { up: true, name: 'folder ./data', error: null },
      queue: { up: true, backend: 'embedded', queues: [] },
      mlflow: { up: true, last_success: '2026-03-10T11:59:00.000Z', error: null },
      catalog: { up: true, refused_items: 0 },
      last_success: { delta: '2026-03-10T11:59:00.000Z', backup: null },
      active: ['delta-8'],
      versions: { rules: 1, schema: 1, supported: FIRST_VERSIONS, rewrite: null },
      watermark: { lag_seconds: 120, experiments: { current: 2, lagging: 0, unread: 0 } },
    });
  });

  it('names the runs that have not ended for more than three days, oldest first', () => {
    const open = (run_id: string, day: string | null, undecided?: boolean) => ({
      run_id,
      experiment_id: '7',
      day,
      token: '',
      ...(undecided ? { undecided } : {}),
    });
    const openMlflowRuns = [
      open('old', '2026-03-06'),
      open('recent', '2026-03-07'),
      open('oldest', '2026-02-01'),
      open('ended, but not decided', '2026-02-01', true),
      open('without a time', null),
    ];
    const report = describeHealth(
      results({ facts: { value: facts({ openMlflowRuns }) } }),
      self,
      settings,
      NOW,
    );
    expect(report.never_ended_runs).toEqual({
      count: 2,
      oldest: [
        { run_id: 'oldest', experiment_id: '7', day: '2026-02-01', age_days: 37 },
        { run_id: 'old', experiment_id: '7', day: '2026-03-06', age_days: 4 },
      ],
    });
    expect(report.status).toBe('ok');
  });

  it('reports every problem', () => {
    const last_error = {
      at: NOW,
      code: 'catalog_busy',
      status: 503,
      message: 'The catalog at https://catalog returned HTTP 503',
    };
    const catalog = { version: 1 as const, last_success: null, last_error, awaited: false, refused: 0 };
    const degraded = facts({ catalog, watermarks: { 7: NOW, 8: NOW - 60 * MINUTE } }, NOW - 16 * MINUTE);
    const queue = {
      name: 'ingestion',
      jobs: { waiting: 1, prioritized: 0, delayed: 0, active: 0, failed: 0 },
    };
    const queues = { value: [{ ...queue, paused: true, oldestMs: 1_000, oldestDeltaMs: 0 }] };
    const all = problems(results({ facts: { value: degraded }, queues }), {
      mlflow: { up: false, lastSuccess: null, error: 'MLflow at http://a is unreachable: x → Start it' },
      idle: { ms: 31 * MINUTE, timeoutMs: 30 * MINUTE },
      store: { description: 's3://metrics', singleWriter: true },
    });
    expect(all).toEqual([
      'The last request to MLflow failed: MLflow at http://a is unreachable: x → Start it.',
      'The catalog is unavailable: The catalog at https://catalog returned HTTP 503.',
      'The data is stale: the last successful delta or bootstrap ended at 2026-03-10T11:44:00.000Z.',
      '1 experiment lags behind the others.',
      'A job has made no progress for 31 minutes.',
      'The store does not enforce conditional writes: only one process may use it.',
      'The queue ingestion is paused.',
    ]);
  });

  it('reports unavailable dependencies, and nothing that depends on them', () => {
    const unavailable = { error: 'no response within 1.5 s' };
    const report = describeHealth(
      results({ store: unavailable, facts: unavailable, queues: unavailable }),
      { ...self, mlflow: undefined },
      settings,
      NOW,
    );
    expect(report.problems).toEqual([
      'The store is unavailable: no response within 1.5 s.',
      'The queue is unavailable: no response within 1.5 s.',
    ]);
    expect(report).toMatchObject({
      status: 'degraded',
      mlflow: { up: null, last_success: null, error: null },
      catalog: { up: null },
      last_success: null,
      active: null,
      watermark: null,
      queue: { up: false, queues: null },
    });
  });

  it('reports that nothing has succeeded yet', () => {
    expect(problems(results({ facts: { value: facts({}, null) } }))).toEqual([
      'No delta or bootstrap has succeeded yet.',
    ]);
  });

  it('distinguishes a broken document from an unavailable store', () => {
    expect(problems(results({ facts: { error: 'broken' } }))).toEqual([
      'The state in the store cannot be read: broken.',
    ]);
  });

  it('names invalid documents, and for a day the pipeline runs that failed because of them', () => {
    const failedAt = (at: number) => {
      const { kinds } = facts();
      const unreadable = { run: 'delta-7', at, message: 'The document x is invalid: not JSON' };
      return facts({ kinds: { ...kinds, delta: { ...kinds.delta, unreadable } }, broken: ['y is invalid'] });
    };
    expect(problems(results({ facts: { value: failedAt(NOW - MINUTE) } }))).toEqual([
      'y is invalid.',
      'delta-7 failed: The document x is invalid: not JSON.',
    ]);
    expect(problems(results({ facts: { value: failedAt(NOW - 1_441 * MINUTE) } }))).toEqual([
      'y is invalid.',
    ]);
  });

  it('says that the settings of another process count', () => {
    const stored = { version: 1, settings: domainSettings(settings), host: 'a', pid: 7, at: NOW } as const;
    const withJudging = (judging: ServiceFacts['judging']) =>
      results({ facts: { value: facts({ judging }) } });
    expect(problems(withJudging(stored))).toEqual([]);
    expect(
      problems(withJudging({ ...stored, settings: { ...stored.settings, light_span_hours: 7 } })),
    ).toEqual([
      'This process uses the settings of the scheduler that started last (process 7 on a, 2026-03-10T12:00:00.000Z), not its own LIGHT_SPAN_HOURS. Set the same values in all processes.',
    ]);
  });

  it('contains no secrets of the settings', () => {
    const text = JSON.stringify(describeHealth(results(), self, settings, NOW));
    expect(text).not.toMatch(/secret|key-of|token-of/);
  });
});
