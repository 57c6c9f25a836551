import type { Gauge } from 'prom-client';
import { type DomainSettings, LIGHTS, PIPELINE_KINDS } from '../domain/model.js';
import type { CurrentLights } from '../state/current-lights.js';
import { resultValue } from './cached-probe.js';
import type { DependencyResults } from './dependencies.js';
import { EXPERIMENT_STATES, JOB_STATES, type QueueFacts, readingOf, type ServiceFacts } from './facts.js';
import { METRICS, type Metrics } from './metrics.js';
import type { UpstreamStatus } from './metrics-recorder.js';

/** What stands beside the sources when metrics are asked for. */
export interface ScrapeContext {
  readonly now: number;
  readonly scope: Pick<DomainSettings, 'experiment_include' | 'experiment_exclude'>;
  readonly catalogConfigured: boolean;
  readonly mlflow: UpstreamStatus | undefined;
  /** When they answered last, ms; null: never. */
  readonly lastSuccess: { readonly store: number | null; readonly queue: number | null };
}

/** Applications with series of their own. */
const MOST_APPLICATIONS = 200;

const seconds = (ms: number): number => ms / 1000;

/** Sets the metrics of the whole service; those of a source that is away are absent, never old. */
export function updateGauges(metrics: Metrics, seen: DependencyResults, surroundings: ScrapeContext): void {
  const { now, scope, catalogConfigured, mlflow, lastSuccess } = surroundings;
  for (const [name, { of, labels }] of Object.entries(METRICS)) {
    if (of === 'service') clear(metrics[name as keyof Metrics] as Gauge, labels.length > 0);
  }
  const facts = resultValue(seen.facts);
  const upstream = (name: string, up: boolean, last: number | null) => {
    metrics.upstream_up.set({ upstream: name }, Number(up));
    if (last !== null) metrics.upstream_last_success_timestamp_seconds.set({ upstream: name }, seconds(last));
  };
  upstream('store', 'value' in seen.store, lastSuccess.store);
  upstream('queue', 'value' in seen.queues, lastSuccess.queue);
  if (mlflow) upstream('mlflow', mlflow.up, mlflow.lastSuccess);
  if (facts && catalogConfigured) {
    const { last_error, last_success, refused } = facts.catalog;
    if (last_error || last_success !== null) upstream('catalog', last_error === null, last_success);
    metrics.catalog_refused_items.set(refused);
  }
  if (facts) exposeFacts(metrics, facts, readingOf(facts, scope, now));
  for (const queue of resultValue(seen.queues) ?? []) exposeQueue(metrics, queue);
  const lights = seen.lights && resultValue(seen.lights);
  if (lights) exposeLights(metrics, lights);
}

/** Without labels, a reset would leave a 0. */
function clear(gauge: Gauge, labelled: boolean): void {
  if (labelled) gauge.reset();
  else gauge.remove();
}

function exposeFacts(
  metrics: Metrics,
  { kinds }: ServiceFacts,
  { experiments, lagMs }: ReturnType<typeof readingOf>,
): void {
  for (const kind of PIPELINE_KINDS) {
    const { last_finished, active } = kinds[kind];
    metrics.pipeline_runs_active.set({ kind }, active.length);
    if (last_finished !== null) {
      metrics.pipeline_last_success_timestamp_seconds.set({ kind }, seconds(last_finished));
    }
  }
  for (const state of EXPERIMENT_STATES) metrics.experiments.set({ state }, experiments[state]);
  if (lagMs !== null) metrics.watermark_lag_seconds.set(seconds(lagMs));
}

function exposeQueue(metrics: Metrics, { name: queue, jobs, paused, oldestMs }: QueueFacts): void {
  for (const state of JOB_STATES) metrics.queue_jobs.set({ queue, state }, jobs[state]);
  metrics.queue_paused.set({ queue }, Number(paused));
  metrics.queue_oldest_job_age_seconds.set({ queue }, seconds(oldestMs));
}

function exposeLights(metrics: Metrics, { platform, applications }: CurrentLights): void {
  for (const light of LIGHTS) {
    metrics.platform_light.set({ light }, Number(platform.light === light));
    metrics.applications.set({ light }, applications.filter((each) => each.light === light).length);
  }
  if (platform.pass_rate !== null) metrics.platform_pass_ratio.set(platform.pass_rate / 100);
  if (platform.coverage !== null) metrics.platform_coverage_ratio.set(platform.coverage / 100);
  const worst = [...applications].sort(
    (a, b) => rank(a.light) - rank(b.light) || (a.application < b.application ? -1 : 1),
  );
  for (const { application, light: current, pass_rate } of worst.slice(0, MOST_APPLICATIONS)) {
    for (const light of LIGHTS) {
      metrics.application_light.set({ application, light }, Number(current === light));
    }
    if (pass_rate !== null) metrics.application_pass_ratio.set({ application }, pass_rate / 100);
  }
}

const WORST_FIRST: readonly string[] = ['critical', 'warning', 'no_data', 'unmonitored', 'healthy'];
const rank = (light: string): number => WORST_FIRST.indexOf(light);
