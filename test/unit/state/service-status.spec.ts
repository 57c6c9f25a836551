import { PIPELINE_KINDS } from '../../../src/domain/model.js';
import type { CatalogState } from '../../../src/state/catalog-state.js';
import type { StoredExperiment } from '../../../src/state/experiments.js';
import type { KindState } from '../../../src/state/kind-state.js';
import type { ServiceFacts } from '../../../src/state/service-facts.js';
import {
  countByState,
  missingExperiments,
  type StatusOptions,
  serviceStatus,
} from '../../../src/state/service-status.js';
import { FIRST_VERSIONS } from '../../../src/state/versions.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOW = Date.parse('2026-03-10T12:00:00Z');
const PERIOD = 5 * MINUTE;
const OPTIONS: StatusOptions = {
  scope: { experiment_include: [], experiment_exclude: [] },
  deltaPeriodMs: PERIOD,
};

const kind = (last_finished: number | null = null): KindState => ({
  version: 1,
  sequence: 0,
  last_nominal: null,
  last_finished,
  active: [],
  windows: {},
});
const NO_KINDS = Object.fromEntries(PIPELINE_KINDS.map((name) => [name, kind()])) as ServiceFacts['kinds'];
const NEVER: CatalogState = { version: 1, last_success: null, last_error: null, awaited: false, refused: 0 };
const facts = (change: Partial<ServiceFacts> = {}): ServiceFacts => ({
  kinds: NO_KINDS,
  experiments: {},
  watermarks: {},
  openMlflowRuns: [],
  judging: null,
  quality: [],
  versions: FIRST_VERSIONS,
  rewrite: null,
  unfinishedMessages: [],
  broken: [],
  catalog: NEVER,
  ...change,
});
const statusOf = (change: Partial<ServiceFacts>, scope = OPTIONS.scope) =>
  serviceStatus(facts(change), { ...OPTIONS, scope }, NOW);

const experiment = (name: string, listed = true): StoredExperiment => ({
  name,
  listed,
  lifecycle_stage: 'active',
  tags: {},
  observed_at: 0,
  swept: true,
});

describe('stale', () => {
  const finished = (change: Partial<ServiceFacts['kinds']>) =>
    statusOf({ kinds: { ...NO_KINDS, ...change } });

  it.each([
    ['exactly 3 delta periods ago', 3 * PERIOD, false],
    ['1 ms earlier', 3 * PERIOD + 1, true],
  ])('with the last success %s', (_, age, stale) => {
    const lastFinished = NOW - age;
    expect(finished({ delta: kind(lastFinished) })).toMatchObject({ stale, lastFinished });
  });

  it('without any success', () => {
    expect(finished({ backfill: kind(NOW) })).toMatchObject({ stale: true, lastFinished: null });
  });

  it('not after a bootstrap, which reads what a delta would read', () => {
    const { stale, lastFinished } = finished({ delta: kind(NOW - HOUR), bootstrap: kind(NOW - MINUTE) });
    expect([stale, lastFinished]).toEqual([false, NOW - MINUTE]);
  });
});

describe('experiments', () => {
  const experiments = {
    1: experiment('churn'),
    2: experiment('fraud'),
    3: experiment('new'),
    4: experiment('not listed', false),
    5: experiment('scratch'),
  };
  const watermarks = { 1: NOW - HOUR, 2: NOW - 5 * HOUR, 4: 0, 5: NOW - 9 * HOUR };

  it('are current, lagging or unread if they are listed; the lag is that of the oldest watermark', () => {
    const status = statusOf({ experiments, watermarks });
    expect(status.experiments).toEqual([
      { experiment_id: '1', name: 'churn', state: 'current', watermark: NOW - HOUR },
      { experiment_id: '2', name: 'fraud', state: 'lagging', watermark: NOW - 5 * HOUR },
      { experiment_id: '3', name: 'new', state: 'unread', watermark: null },
      { experiment_id: '5', name: 'scratch', state: 'lagging', watermark: NOW - 9 * HOUR },
    ]);
    expect(countByState(status.experiments)).toEqual({ current: 1, lagging: 2, unread: 1 });
    expect(status.lagMs).toBe(9 * HOUR);
  });

  it('are ignored out of scope, except that their watermarks show how far MLflow was read', () => {
    const scope = { experiment_include: [], experiment_exclude: ['scratch', 'new', 'churn'] };
    const status = statusOf({ experiments, watermarks }, scope);
    expect(countByState(status.experiments)).toEqual({ current: 0, lagging: 1, unread: 0 });
    expect(status.lagMs).toBe(5 * HOUR);
  });

  it('have no lag without watermarks, and no negative lag if clocks differ', () => {
    expect(statusOf({ experiments }).lagMs).toBeNull();
    expect(statusOf({ experiments, watermarks: { 1: NOW + HOUR } }).lagMs).toBe(0);
  });

  it('are missing if they lag, or if they are unread because MLflow denies access', () => {
    const denied = [
      { experiment_id: '1', message: 'a transient denial' },
      { experiment_id: '3', message: 'no permission' },
    ];
    const scope = { experiment_include: [], experiment_exclude: ['scratch'] };
    const { experiments: statuses } = statusOf({ experiments, watermarks }, scope);
    expect(missingExperiments(statuses, denied)).toMatchObject([
      { experiment_id: '2', name: 'fraud', message: null },
      { experiment_id: '3', name: 'new', watermark: null, message: 'no permission' },
    ]);
    expect(missingExperiments(statuses, []).map(({ name }) => name)).toEqual(['fraud']);
    expect(missingExperiments(statusOf({ experiments }).experiments, [])).toEqual([]);
  });
});

describe('catalog', () => {
  const failed = (code: string, status: number | null, change: Partial<CatalogState> = {}): CatalogState => ({
    ...NEVER,
    last_success: NOW - HOUR,
    last_error: { at: NOW, code, message: 'details for the log', status },
    refused: 2,
    ...change,
  });

  it.each([
    ['catalog_busy', 503, 'the catalog is unavailable (HTTP 503)'],
    ['catalog_unreachable', null, 'the catalog is unavailable'],
    ['catalog_away', null, 'the catalog is unavailable'],
    ['catalog_refused', 401, 'the catalog rejects requests (HTTP 401)'],
    ['catalog_unreadable', null, 'the catalog cannot be read'],
    ['catalog_too_big', null, 'the catalog sends responses that are too large'],
  ])('is down after %s with HTTP status %p', (code, httpStatus, reason) => {
    expect(statusOf({ catalog: failed(code, httpStatus) }).catalog).toEqual({
      up: false,
      lastSuccess: NOW - HOUR,
      rejectedRows: 2,
      outage: { reason, message: 'details for the log', waiting: false },
    });
  });

  it('makes runs wait if it was never queried for them', () => {
    const catalog = failed('catalog_busy', 503, { last_success: null, awaited: true });
    expect(statusOf({ catalog }).catalog).toMatchObject({ lastSuccess: null, outage: { waiting: true } });
  });

  it('is up after a success, and unknown before the first query', () => {
    const catalog = failed('', null, { last_error: null });
    expect(statusOf({ catalog }).catalog).toMatchObject({ up: true, outage: null });
    expect(statusOf({}).catalog).toMatchObject({ up: null, outage: null });
  });
});
