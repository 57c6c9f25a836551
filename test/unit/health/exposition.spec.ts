import type { Light } from '../../../src/domain/model.js';
import type { DependencyResults } from '../../../src/health/dependencies.js';
import { type ScrapeContext, updateGauges } from '../../../src/health/exposition.js';
import type { QueueFacts, ServiceFacts } from '../../../src/health/facts.js';
import { createMetrics } from '../../../src/health/metrics.js';
import { type KindState } from '../../../src/state/kind-state.js';

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
  catalog: { version: 1, last_success: 500_000, last_error: null, awaited: false, refused: 3 },
};
const QUEUE: QueueFacts = {
  name: 'ingestion',
  jobs: { waiting: 2, prioritized: 0, delayed: 0, active: 1, failed: 0 },
  paused: true,
  oldestMs: 1_500,
};
const standing = (light: Light, pass_rate: number | null = null) => ({ light, pass_rate, coverage: 50 });
const WELL: DependencyResults = {
  store: { value: null },
  facts: { value: FACTS },
  queues: { value: [QUEUE] },
  lights: { value: { platform: standing('warning', 90), applications: [] } },
};
const SURROUNDINGS: ScrapeContext = {
  now: NOW,
  scope: { experiment_include: [], experiment_exclude: [] },
  catalogConfigured: true,
  mlflow: { up: false, lastSuccess: 800_000 },
  lastSuccess: { store: 999_000, queue: null },
};

let made: ReturnType<typeof createMetrics>;
beforeEach(() => {
  made = createMetrics();
});

/** All samples of the service's own metrics, without the prefix. */
async function exposed(
  seen: DependencyResults,
  surroundings: Partial<ScrapeContext> = {},
): Promise<string[]> {
  updateGauges(made.metrics, seen, { ...SURROUNDINGS, ...surroundings });
  return (await made.registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith('mlflow_monitor_'))
    .map((line) => line.slice('mlflow_monitor_'.length));
}

describe('what is exposed of the service', () => {
  it('is in base units: seconds since 1970, ages in seconds, ratios', async () => {
    const lines = await exposed(WELL);
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
      'platform_pass_ratio 0.9',
      'platform_coverage_ratio 0.5',
    ]) {
      expect(lines).toContain(line);
    }
    expect(lines.join('\n')).not.toMatch(/last_success_timestamp_seconds\{(kind="backup"|upstream="queue")/);
  });

  it('is absent where its source is away, and nothing old stays', async () => {
    await exposed(WELL);
    const away = { error: 'no answer within 1.5 s' };
    const lines = await exposed(
      { store: away, facts: away, queues: away, lights: away },
      { mlflow: undefined },
    );
    const text = lines.join('\n');
    expect(lines).toContain('upstream_up{upstream="store"} 0');
    expect(lines).toContain('upstream_up{upstream="queue"} 0');
    expect(text).not.toMatch(/upstream="(mlflow|catalog)"/);
    expect(text).not.toMatch(
      /^(pipeline_last|pipeline_runs_active|watermark|experiments|catalog|queue|platform|application)/m,
    );
    expect(await exposed(WELL)).toContain('watermark_lag_seconds 300');
  });

  it('has no catalog where none is configured, and none before it was asked', async () => {
    expect((await exposed(WELL, { catalogConfigured: false })).join('\n')).not.toContain('catalog');
    const catalog = { version: 1 as const, last_success: null, last_error: null, awaited: false, refused: 0 };
    const unasked = { ...WELL, facts: { value: { ...FACTS, catalog } } };
    expect((await exposed(unasked)).join('\n')).not.toContain('upstream="catalog"');
  });

  it('calls the catalog down while its last answer failed', async () => {
    const last_error = { at: 600_000, code: 'catalog_busy', message: 'busy', status: 503 };
    const lines = await exposed({
      ...WELL,
      facts: { value: { ...FACTS, catalog: { ...FACTS.catalog, last_error } } },
    });
    expect(lines).toContain('upstream_up{upstream="catalog"} 0');
    expect(lines).toContain('upstream_last_success_timestamp_seconds{upstream="catalog"} 500');
  });

  it('shows of each light whether it is on', async () => {
    const applications = [
      { application: 'churn', ...standing('critical', 40) },
      { application: 'fraud', ...standing('no_data') },
    ];
    const lines = await exposed({
      ...WELL,
      lights: { value: { platform: standing('critical'), applications } },
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

  it('has series of at most 200 applications, the worst of them, and counts all', async () => {
    const applications = Array.from({ length: 250 }, (_, i) => ({
      application: `app-${String(i).padStart(3, '0')}`,
      ...standing(i === 249 ? 'critical' : 'healthy', 100),
    }));
    const lines = await exposed({
      ...WELL,
      lights: { value: { platform: standing('healthy'), applications } },
    });
    const names = new Set(
      lines.flatMap((line) => /^application_light\{application="([^"]+)"/.exec(line)?.[1] ?? []),
    );
    expect(names.size).toBe(200);
    expect([names.has('app-249'), names.has('app-198'), names.has('app-199')]).toEqual([true, true, false]);
    expect(lines.filter((line) => line.startsWith('application_pass_ratio'))).toHaveLength(200);
    expect(lines).toContain('applications{light="healthy"} 249');
  });
});
