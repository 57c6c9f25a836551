import type { AlertIncident } from '../../../src/domain/alerts/incident.js';
import type { Light } from '../../../src/domain/model.js';
import { APPLICATION_FAMILIES } from '../../../src/health/application-gauges.js';
import type { DependencyResults } from '../../../src/health/dependencies.js';
import { type ScrapeContext, updateGauges } from '../../../src/health/exposition.js';
import { createMetrics } from '../../../src/health/metrics.js';
import { PROCESS_METRICS } from '../../../src/health/process-metrics.js';
import type { QueueFacts } from '../../../src/health/queue-facts.js';
import { SERVICE_METRICS } from '../../../src/health/service-metrics.js';
import type { CurrentLights } from '../../../src/state/current-lights.js';
import type { KindState } from '../../../src/state/kind-state.js';
import type { ServiceFacts } from '../../../src/state/service-facts.js';
import { FIRST_VERSIONS } from '../../../src/state/versions.js';
import { incident } from '../domain/alerts/incidents.js';
import { Evaluations } from '../domain/alerts/signals.js';

const NOW = 1_000_000;
const kind = (state: Partial<KindState> = {}): KindState => ({
  version: 1,
  sequence: 0,
  last_nominal: null,
  last_finished: null,
  active: [],
  windows: {},
  ...state,
});
const FACTS: ServiceFacts = {
  kinds: {
    delta: kind({ last_finished: 940_500, last_nominal: 900_000, active: ['delta-2'] }),
    historical: kind(),
    backup: kind(),
    backfill: kind(),
    bootstrap: kind({ last_nominal: 0 }),
    reevaluation: kind(),
  },
  experiments: {
    7: { name: 'churn', lifecycle_stage: 'active', tags: {}, listed: true, observed_at: 0, swept: true },
  },
  watermarks: { 7: 700_000 },
  openMlflowRuns: [],
  judging: null,
  quality: [],
  versions: FIRST_VERSIONS,
  rewrite: null,
  unfinishedMessages: [],
  broken: [],
  catalog: { version: 1, last_success: 500_000, last_error: null, awaited: false, refused: 3 },
};
const QUEUE: QueueFacts = {
  name: 'ingestion',
  jobs: { waiting: 2, prioritized: 0, delayed: 0, active: 1, failed: 0 },
  paused: true,
  oldestMs: 1_500,
  oldestDeltaMs: 500,
};
const current = (light: Light, pass_rate: number | null = null) => ({ light, pass_rate, coverage: 50 });
const application = (
  name: string,
  light: Light,
  pass_rate: number | null = null,
  owner: string | null = null,
) => ({
  application: name,
  owner,
  needs_attention: light === 'critical' || light === 'warning',
  ...current(light, pass_rate),
});
const lightsOf = (
  applications: CurrentLights['applications'],
  likely_soon: CurrentLights['likely_soon'] = [],
) => ({
  ...HEALTHY,
  lights: { value: { platform: current('critical'), applications, likely_soon } },
});
const HEALTHY: DependencyResults = {
  store: { value: null },
  facts: { value: FACTS },
  alerts: { value: null },
  queues: { value: [QUEUE] },
  eviction: { value: { mayEvict: false, evictedKeys: 7 } },
  lights: { value: { platform: current('warning', 90), applications: [], likely_soon: [] } },
};
const CONTEXT: ScrapeContext = {
  now: NOW,
  scope: { experiment_include: [], experiment_exclude: [] },
  deltaPeriodMs: 300_000,
  catalogConfigured: true,
  mlflow: { up: false, lastSuccess: 800_000, error: null },
  lastSuccess: { store: 999_000, queue: null },
};

const breach = (application: string, seconds: number) => ({
  application,
  metric: { name: 'recall' },
  next: 'warning' as const,
  expected: new Date(NOW + seconds * 1000).toISOString(),
});
const subjectOf = (application: string) => ({
  scope: 'application' as const,
  application,
  metric: null,
  item: null,
});
function alertsOf(incidents: readonly AlertIncident[]): Pick<DependencyResults, 'alerts'> {
  const quiet = Evaluations.quiet().newest;
  if (!quiet) throw new Error('one evaluation');
  return { alerts: { value: { ...quiet, incidents } } };
}

let created: ReturnType<typeof createMetrics>;
beforeEach(() => {
  created = createMetrics();
});

/** All samples of the metrics of this service, without the prefix. */
async function exposed(results: DependencyResults, context: Partial<ScrapeContext> = {}): Promise<string[]> {
  updateGauges(created.metrics, results, { ...CONTEXT, ...context });
  return (await created.registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith('mlflow_monitor_'))
    .map((line) => line.slice('mlflow_monitor_'.length));
}

describe('updateGauges', () => {
  it('exposes base units: seconds since 1970, ages in seconds, ratios', async () => {
    const lines = await exposed(HEALTHY);
    for (const line of [
      'upstream_up{upstream="store"} 1',
      'upstream_up{upstream="queue"} 1',
      'upstream_up{upstream="mlflow"} 0',
      'upstream_up{upstream="catalog"} 1',
      'upstream_last_success_timestamp_seconds{upstream="mlflow"} 800',
      'upstream_last_success_timestamp_seconds{upstream="store"} 999',
      'pipeline_last_success_timestamp_seconds{kind="delta"} 940.5',
      'pipeline_runs_active{kind="delta"} 1',
      'pipeline_runs_active{kind="backup"} 0',
      'watermark_lag_seconds 300',
      'experiments{state="current"} 1',
      'experiments{state="lagging"} 0',
      'catalog_refused_items 3',
      'queue_jobs{queue="ingestion",state="waiting"} 2',
      'queue_paused{queue="ingestion"} 1',
      'queue_oldest_job_age_seconds{queue="ingestion"} 1.5',
      'queue_oldest_delta_age_seconds{queue="ingestion"} 0.5',
      'queue_may_evict 0',
      'queue_evicted_keys 7',
      'delta_period_seconds 300',
      'pipeline_last_scheduled_timestamp_seconds{kind="delta"} 900',
      'platform_pass_ratio 0.9',
      'platform_coverage_ratio 0.5',
    ]) {
      expect(lines).toContain(line);
    }
    expect(lines.join('\n')).not.toMatch(/last_success_timestamp_seconds\{(kind="backup"|upstream="queue")/);
    expect(lines.join('\n')).not.toMatch(/last_scheduled_timestamp_seconds\{kind="(backup|bootstrap)"/);
  });

  it('removes the metrics of unavailable dependencies', async () => {
    await exposed(HEALTHY);
    const unavailable = { error: 'no response within 1.5 s' };
    const lines = await exposed(
      {
        store: unavailable,
        facts: unavailable,
        alerts: unavailable,
        queues: unavailable,
        eviction: unavailable,
        lights: unavailable,
      },
      { mlflow: undefined },
    );
    const text = lines.join('\n');
    expect(lines).toContain('upstream_up{upstream="store"} 0');
    expect(lines).toContain('upstream_up{upstream="queue"} 0');
    expect(text).not.toMatch(/upstream="(mlflow|catalog)"/);
    expect(text).not.toMatch(
      /^(pipeline_last|pipeline_runs_active|watermark|experiments|catalog|queue|platform|application)/m,
    );
    expect(await exposed(HEALTHY)).toContain('watermark_lag_seconds 300');
  });

  it('exposes no catalog if none is configured, and no status before the first query', async () => {
    expect((await exposed(HEALTHY, { catalogConfigured: false })).join('\n')).not.toMatch(
      /catalog_refused|upstream="catalog"/,
    );
    const catalog = { version: 1 as const, last_success: null, last_error: null, awaited: false, refused: 0 };
    const neverQueried = { ...HEALTHY, facts: { value: { ...FACTS, catalog } } };
    expect((await exposed(neverQueried)).join('\n')).not.toContain('upstream="catalog"');
  });

  it('exposes the catalog as down if its last response was an error', async () => {
    const last_error = { at: 600_000, code: 'catalog_busy', message: 'busy', status: 503 };
    const lines = await exposed({
      ...HEALTHY,
      facts: { value: { ...FACTS, catalog: { ...FACTS.catalog, last_error } } },
    });
    expect(lines).toContain('upstream_up{upstream="catalog"} 0');
    expect(lines).toContain('upstream_last_success_timestamp_seconds{upstream="catalog"} 500');
  });

  it('counts the failing checks of data quality by check and severity', async () => {
    const finding = {
      measured: 1,
      limit: 0,
      affected_rows: 1,
      meaning: '',
      next_step: '',
      sample: '[]',
      since: '',
    };
    const volume = { ...finding, check_name: 'volume' as const, severity: 'warning' as const };
    const quality = [
      { ...volume, application: null },
      { ...volume, application: 'churn' },
    ];
    const lines = await exposed({ ...HEALTHY, facts: { value: { ...FACTS, quality } } });
    expect(lines).toContain('quality_failing{check="volume",severity="warning"} 2');
    expect(lines).toContain('quality_failing{check="volume",severity="error"} 0');
  });

  it('counts what fires, is acknowledged and is muted by severity, and nothing before the first evaluation', async () => {
    const muted = { until: '2026-12-01T00:00:00.000Z', by: 'ana', reason: 'retraining' };
    const acknowledged = { at: '2026-11-28T09:50:00.000Z', by: 'ben' };
    const incidents = [
      incident(),
      incident({ state: 'recovering', acknowledged }),
      incident({ muted, acknowledged }),
      incident({ inhibited_by: 'another' }),
      incident({ state: 'pending' }),
      incident({ state: 'no_data' }),
      incident({ severity: 'warning', muted }),
    ];
    const lines = await exposed({ ...HEALTHY, ...alertsOf(incidents) });
    expect(lines.filter((line) => /^alerts_/.test(line))).toEqual([
      'alerts_firing{severity="critical"} 2',
      'alerts_firing{severity="warning"} 0',
      'alerts_acknowledged{severity="critical"} 1',
      'alerts_acknowledged{severity="warning"} 0',
      'alerts_muted{severity="critical"} 1',
      'alerts_muted{severity="warning"} 1',
    ]);
    expect((await exposed(HEALTHY)).filter((line) => /^alerts_/.test(line))).toEqual([]);
  });

  it('exposes the light of the platform as a series per light, and that of an application as a label', async () => {
    const lines = await exposed(
      lightsOf([application('churn', 'critical', 40, 'risk'), application('fraud', 'no_data')]),
    );
    expect(lines.filter((line) => line.startsWith('platform_light'))).toEqual([
      'platform_light{light="no_data"} 0',
      'platform_light{light="critical"} 1',
      'platform_light{light="warning"} 0',
      'platform_light{light="unmonitored"} 0',
      'platform_light{light="healthy"} 0',
    ]);
    expect(lines.filter((line) => line.startsWith('application_light'))).toEqual([
      'application_light{application="churn",owner="risk",light="critical"} 1',
      'application_light{application="fraud",owner="",light="no_data"} 1',
    ]);
    expect(lines).toContain('applications{light="no_data"} 1');
    expect(lines.filter((line) => line.startsWith('application_pass_ratio'))).toEqual([
      'application_pass_ratio{application="churn"} 0.4',
    ]);
  });

  it('takes the owner of an incident before that of the tags, for owners.yaml overrides tags', async () => {
    const incidents = [incident({ owner: 'fraud-team', subject: subjectOf('churn') })];
    const lines = await exposed({
      ...lightsOf([application('churn', 'critical', 40, 'risk')]),
      ...alertsOf(incidents),
    });
    expect(lines).toContain('application_light{application="churn",owner="fraud-team",light="critical"} 1');
  });

  it('counts the alerts of an application that people are notified of, by their worst severity', async () => {
    const lines = await exposed({
      ...HEALTHY,
      ...alertsOf([
        incident({ subject: subjectOf('churn'), severity: 'warning', owner: 'risk' }),
        incident({ subject: subjectOf('churn'), owner: 'risk' }),
        incident({ subject: subjectOf('fraud'), digest_only: true }),
        incident({ subject: subjectOf('fraud'), inhibited_by: 'another' }),
        incident({ subject: subjectOf('fraud'), state: 'pending' }),
        incident({ subject: { ...subjectOf('x'), scope: 'service', application: null } }),
      ]),
    });
    expect(lines.filter((line) => line.startsWith('application_alerts_firing'))).toEqual([
      'application_alerts_firing{application="churn",owner="risk",severity="critical"} 2',
    ]);
  });

  it('removes the series of applications that have vanished', async () => {
    await exposed({
      ...lightsOf([application('churn', 'critical', 40)], [breach('churn', 60)]),
      ...alertsOf([incident({ subject: subjectOf('churn') })]),
    });
    const lines = await exposed({ ...lightsOf([application('fraud', 'healthy', 100)]), ...alertsOf([]) });
    expect(lines.join('\n')).not.toContain('churn');
    expect(lines).toContain('application_light{application="fraud",owner="",light="healthy"} 1');
  });

  it('never exposes a negative time to a breach', async () => {
    const lines = await exposed(lightsOf([], [breach('churn', -60), breach('fraud', 60)]));
    expect(lines.filter((line) => line.startsWith('seconds_to_breach'))).toEqual([
      'seconds_to_breach{application="churn",owner="",metric="recall",status="warning"} 0',
      'seconds_to_breach{application="fraud",owner="",metric="recall",status="warning"} 60',
    ]);
  });
});

describe('with 1,000 applications', () => {
  const names = Array.from({ length: 1_000 }, (_, i) => `app-${String(i).padStart(4, '0')}`);
  const lightOf = (i: number): Light => (i === 999 ? 'critical' : i === 998 ? 'no_data' : 'healthy');
  const many = {
    ...lightsOf(
      names.map((name, i) => application(name, lightOf(i), i === 500 ? 40 : 100)),
      names.map((name, i) => breach(name, 60 + i)),
    ),
    ...alertsOf(
      names.map((name, i) =>
        incident({ subject: subjectOf(name), owner: null, severity: i < 5 ? 'critical' : 'warning' }),
      ),
    ),
  };
  const seriesOf = (lines: readonly string[], name: string) =>
    lines.filter((line) => line.startsWith(`${name}{`));

  it('no metric has more than 101 series, and every metric of applications says how many it folds', async () => {
    const lines = await exposed(many);
    const names = Object.entries(SERVICE_METRICS).filter(([, { labels }]) =>
      (labels as readonly string[]).some((label) => ['application', 'metric'].includes(label)),
    );
    expect(names.map(([name]) => name).sort()).toEqual([...APPLICATION_FAMILIES].sort());
    for (const [name] of names) {
      expect([name, seriesOf(lines, name).length]).toEqual([name, 101]);
      expect(lines).toContain(`folded_applications{family="${name}"} 900`);
    }
    const counts = new Map<string, number>();
    for (const line of lines) {
      const [name = ''] = line.split(/[{ ]/);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect([...counts].filter(([, count]) => count > 101)).toEqual([]);
  });

  it('no process metric is about an application', () => {
    const labels = Object.values(PROCESS_METRICS).flatMap(({ labels }): readonly string[] => labels);
    expect(labels).not.toContain('application');
    expect(labels).not.toContain('metric');
  });

  it('those that need attention have series of their own, and the rest the worst value of all', async () => {
    const lines = await exposed(many);
    expect(seriesOf(lines, 'application_light').slice(0, 4)).toEqual([
      'application_light{application="app-0999",owner="",light="critical"} 1',
      'application_light{application="app-0998",owner="",light="no_data"} 1',
      'application_light{application="app-0500",owner="",light="healthy"} 1',
      'application_light{application="app-0000",owner="",light="healthy"} 1',
    ]);
    expect(lines).toContain('application_light{application="__other__",owner="",light="healthy"} 1');
    expect(lines).toContain('application_pass_ratio{application="__other__"} 1');
    expect(lines).toContain(
      'seconds_to_breach{application="__other__",owner="",metric="__other__",status="warning"} 160',
    );
    expect(lines).toContain(
      'application_alerts_firing{application="app-0004",owner="",severity="critical"} 1',
    );
    expect(lines).toContain(
      'application_alerts_firing{application="__other__",owner="",severity="warning"} 900',
    );
    expect(lines).toContain('applications{light="healthy"} 998');
  });

  it('an application that is called like the rest belongs to the rest', async () => {
    const lines = await exposed(
      lightsOf([application('__other__', 'critical', 10), application('churn', 'healthy', 100)]),
    );
    expect(seriesOf(lines, 'application_light')).toEqual([
      'application_light{application="churn",owner="",light="healthy"} 1',
      'application_light{application="__other__",owner="",light="critical"} 1',
    ]);
    expect(lines).toContain('folded_applications{family="application_light"} 1');
  });
});
