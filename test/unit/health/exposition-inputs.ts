import type { AlertIncident } from '../../../src/domain/alerts/incident.js';
import type { Light } from '../../../src/domain/model.js';
import type { DependencyResults } from '../../../src/health/dependencies.js';
import { type ScrapeContext, updateGauges } from '../../../src/health/exposition.js';
import { createMetrics } from '../../../src/health/metrics.js';
import type { QueueFacts } from '../../../src/health/queue-facts.js';
import type { CurrentLights } from '../../../src/state/current-lights.js';
import type { KindState } from '../../../src/state/kind-state.js';
import type { ServiceFacts } from '../../../src/state/service-facts.js';
import { FIRST_VERSIONS } from '../../../src/state/versions.js';
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
export const FACTS: ServiceFacts = {
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
const current = (light: Light, pass_rate: number | null = null) => ({
  light,
  pass_rate,
  coverage: 50,
});
export const application = (
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
export const lightsOf = (
  applications: CurrentLights['applications'],
  likely_soon: CurrentLights['likely_soon'] = [],
) => ({
  ...HEALTHY,
  lights: { value: { platform: current('critical'), applications, likely_soon } },
});
export const HEALTHY: DependencyResults = {
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

export const breach = (application: string, seconds: number) => ({
  application,
  metric: { name: 'recall' },
  next: 'warning' as const,
  expected: new Date(NOW + seconds * 1000).toISOString(),
});
export const subjectOf = (application: string) => ({
  scope: 'application' as const,
  application,
  metric: null,
  item: null,
});
export function alertsOf(incidents: readonly AlertIncident[]): Pick<DependencyResults, 'alerts'> {
  const quiet = Evaluations.quiet().newest;
  if (!quiet) throw new Error('one evaluation');
  return { alerts: { value: { ...quiet, incidents } } };
}

/** A new registry: the function updates its gauges. @returns all samples of the metrics of this service, without the prefix */
export function newExposition() {
  const { metrics, registry } = createMetrics();
  return async (results: DependencyResults, context: Partial<ScrapeContext> = {}): Promise<string[]> => {
    updateGauges(metrics, results, { ...CONTEXT, ...context });
    return (await registry.metrics())
      .split('\n')
      .filter((line) => line.startsWith('mlflow_monitor_'))
      .map((line) => line.slice('mlflow_monitor_'.length));
  };
}
