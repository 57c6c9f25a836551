import { loadSettings } from '../../../src/config/settings.js';
import { PIPELINE_KINDS } from '../../../src/domain/model.js';
import type { DependencyResults } from '../../../src/health/dependencies.js';
import type { ServiceFacts } from '../../../src/health/facts.js';
import { describeHealth, type ProcessStatus } from '../../../src/health/health-report.js';
import { type KindState } from '../../../src/state/kind-state.js';

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
  catalog: { version: 1, last_success: NOW - MINUTE, last_error: null, awaited: false, refused: 0 },
  ...change,
});
const seen = (change: Partial<DependencyResults> = {}): DependencyResults => ({
  store: { value: null },
  facts: { value: facts() },
  queues: { value: [] },
  lights: undefined,
  ...change,
});
const self: ProcessStatus = {
  version: '1.2.3',
  startedAt: NOW - 60 * MINUTE,
  store: { description: 'folder ./data', singleWriter: false },
  mlflow: { up: true, lastSuccess: NOW - MINUTE },
  lastSuccess: { store: NOW, queue: NOW },
  still: { ms: 0, limitMs: 30 * MINUTE },
};
const problems = (sources: DependencyResults, own: Partial<ProcessStatus> = {}) =>
  describeHealth(sources, { ...self, ...own }, settings, NOW).problems;

describe('health for people', () => {
  it('says that all is well, with the times and figures behind it', () => {
    expect(describeHealth(seen(), self, settings, NOW)).toMatchObject({
      status: 'ok',
      problems: [],
      version: '1.2.3',
      roles: ['api', 'worker', 'scheduler'],
      started_at: '2026-03-10T11:00:00.000Z',
      store: { up: true, name: 'folder ./data', error: null },
      queue: { up: true, backend: 'embedded', queues: [] },
      mlflow: { up: true, last_success: '2026-03-10T11:59:00.000Z' },
      catalog: { up: true, refused_items: 0 },
      last_success: { delta: '2026-03-10T11:59:00.000Z', backup: null },
      active: ['delta-8'],
      watermark: { lag_seconds: 120, experiments: { current: 2, lagging: 0, unread: 0 } },
    });
  });

  it('names everything that is not as it should be', () => {
    const last_error = {
      at: NOW,
      code: 'catalog_busy',
      status: 503,
      message: 'The catalog at https://catalog answers 503',
    };
    const catalog = { version: 1 as const, last_success: null, last_error, awaited: false, refused: 0 };
    const ill = facts({ catalog, watermarks: { 7: NOW, 8: NOW - 60 * MINUTE } }, NOW - 16 * MINUTE);
    const paused = {
      name: 'ingestion',
      jobs: { waiting: 1, prioritized: 0, delayed: 0, active: 0, failed: 0 },
    };
    const queues = { value: [{ ...paused, paused: true, oldestMs: 1_000 }] };
    const all = problems(seen({ facts: { value: ill }, queues }), {
      mlflow: { up: false, lastSuccess: null },
      still: { ms: 31 * MINUTE, limitMs: 30 * MINUTE },
      store: { description: 's3://metrics', singleWriter: true },
    });
    expect(all).toEqual([
      'MLflow did not answer the last request.',
      'The catalog is away: The catalog at https://catalog answers 503.',
      'Nothing was published since 2026-03-10T11:44:00.000Z.',
      '1 experiment lags behind the others.',
      'A job has not moved on for 31 minutes.',
      'The conditional writes of the store do not hold: exactly one process may use it.',
      'The queue ingestion is paused.',
    ]);
  });

  it('says of what is away that it is, and nothing of what it cannot know then', () => {
    const away = { error: 'no answer within 1.5 s' };
    const report = describeHealth(
      seen({ store: away, facts: away, queues: away }),
      { ...self, mlflow: undefined },
      settings,
      NOW,
    );
    expect(report.problems).toEqual([
      'The store does not answer: no answer within 1.5 s.',
      'The queue does not answer: no answer within 1.5 s.',
    ]);
    expect(report).toMatchObject({
      status: 'degraded',
      mlflow: { up: null, last_success: null },
      catalog: { up: null },
      last_success: null,
      active: null,
      watermark: null,
      queue: { up: false, queues: null },
    });
  });

  it('tells a document that is broken from a store that is away', () => {
    expect(problems(seen({ facts: { error: 'broken' } }))).toEqual([
      'The state in the store cannot be read: broken.',
    ]);
  });

  it('holds no secret of the settings', () => {
    const text = JSON.stringify(describeHealth(seen(), self, settings, NOW));
    expect(text).not.toMatch(/secret|key-of|token-of/);
  });
});
