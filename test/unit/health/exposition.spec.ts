import type { Light } from '../../../src/domain/model.js';
import type { DependencyResults } from '../../../src/health/dependencies.js';
import { type ScrapeContext, updateGauges } from '../../../src/health/exposition.js';
import { createMetrics } from '../../../src/health/metrics.js';
import type { QueueFacts } from '../../../src/health/queue-facts.js';
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
    delta: kind({ last_finished: 940_500, active: ['delta-2'] }),
    historical: kind(),
    backup: kind(),
    backfill: kind(),
    bootstrap: kind(),
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
const HEALTHY: DependencyResults = {
  store: { value: null },
  facts: { value: FACTS },
  alerts: { value: null },
  queues: { value: [QUEUE] },
  lights: { value: { platform: current('warning', 90), applications: [], likely_soon: [] } },
};
const CONTEXT: ScrapeContext = {
  now: NOW,
  scope: { experiment_include: [], experiment_exclude: [] },
  deltaPeriodMs: 300_000,
  catalogConfigured: true,
  mlflow: { up: false, lastSuccess: 800_000 },
  lastSuccess: { store: 999_000, queue: null },
};

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
      'platform_pass_ratio 0.9',
      'platform_coverage_ratio 0.5',
    ]) {
      expect(lines).toContain(line);
    }
    expect(lines.join('\n')).not.toMatch(/last_success_timestamp_seconds\{(kind="backup"|upstream="queue")/);
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
    const quiet = Evaluations.quiet().newest;
    if (!quiet) throw new Error('one evaluation');
    const lines = await exposed({ ...HEALTHY, alerts: { value: { ...quiet, incidents } } });
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

  it('exposes a series per light, 1 for the current one', async () => {
    const applications = [
      { application: 'churn', ...current('critical', 40) },
      { application: 'fraud', ...current('no_data') },
    ];
    const lines = await exposed({
      ...HEALTHY,
      lights: { value: { platform: current('critical'), applications, likely_soon: [] } },
    });
    expect(lines.filter((line) => line.startsWith('platform_light'))).toEqual([
      'platform_light{light="no_data"} 0',
      'platform_light{light="critical"} 1',
      'platform_light{light="warning"} 0',
      'platform_light{light="unmonitored"} 0',
      'platform_light{light="healthy"} 0',
    ]);
    expect(lines).toContain('application_light{application="churn",light="critical"} 1');
    expect(lines).toContain('application_light{application="churn",light="healthy"} 0');
    expect(lines).toContain('applications{light="no_data"} 1');
    expect(lines.filter((line) => line.startsWith('application_pass_ratio'))).toEqual([
      'application_pass_ratio{application="churn"} 0.4',
    ]);
  });

  it('exposes series of the 200 worst applications, and counts all', async () => {
    const applications = Array.from({ length: 250 }, (_, i) => ({
      application: `app-${String(i).padStart(3, '0')}`,
      ...current(i === 249 ? 'critical' : 'healthy', 100),
    }));
    const lines = await exposed({
      ...HEALTHY,
      lights: { value: { platform: current('healthy'), applications, likely_soon: [] } },
    });
    const names = new Set(
      lines.flatMap((line) => /^application_light\{application="([^"]+)"/.exec(line)?.[1] ?? []),
    );
    expect(names.size).toBe(200);
    expect([names.has('app-249'), names.has('app-198'), names.has('app-199')]).toEqual([true, true, false]);
    expect(lines.filter((line) => line.startsWith('application_pass_ratio'))).toHaveLength(200);
    expect(lines).toContain('applications{light="healthy"} 249');
  });

  it('exposes the time until the soonest 100 breaches, never a negative one', async () => {
    const likely_soon = Array.from({ length: 120 }, (_, i) => ({
      application: `app-${i}`,
      metric: { name: 'recall' },
      next: i === 1 ? ('critical' as const) : ('warning' as const),
      expected: new Date(NOW + (i - 1) * 60_000).toISOString(),
    }));
    const lines = await exposed({
      ...HEALTHY,
      lights: { value: { platform: current('healthy'), applications: [], likely_soon } },
    });
    const breaches = lines.filter((line) => line.startsWith('seconds_to_breach'));
    expect(breaches).toHaveLength(100);
    expect(breaches.slice(0, 3)).toEqual([
      'seconds_to_breach{application="app-0",metric="recall",status="warning"} 0',
      'seconds_to_breach{application="app-1",metric="recall",status="critical"} 0',
      'seconds_to_breach{application="app-2",metric="recall",status="warning"} 60',
    ]);
  });
});
