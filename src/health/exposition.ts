import type { Gauge } from 'prom-client';
import { ALERT_SEVERITIES, type AlertIncident } from '../domain/alerts/incident.js';
import { LIGHTS, PIPELINE_KINDS } from '../domain/model.js';
import { QUALITY_CHECKS, QUALITY_SEVERITIES } from '../domain/quality/checks.js';
import type { CurrentLights } from '../state/current-lights.js';
import { neverEndedRuns } from '../state/never-ended-runs.js';
import type { ServiceFacts } from '../state/service-facts.js';
import {
  type CatalogStatus,
  countByState,
  EXPERIMENT_STATES,
  type StatusOptions,
  serviceStatus,
} from '../state/service-status.js';
import { exposeApplicationAlerts, exposeApplications, isFiring, ownersOf } from './application-gauges.js';
import { resultValue } from './cached-probe.js';
import type { DependencyResults } from './dependencies.js';
import type { Metrics } from './metrics.js';
import type { UpstreamStatus } from './metrics-recorder.js';
import { JOB_STATES, type QueueFacts } from './queue-facts.js';
import { SERVICE_METRICS } from './service-metrics.js';

/** What a scrape needs apart from the results of the probes. Times in ms. */
export interface ScrapeContext extends StatusOptions {
  readonly now: number;
  readonly catalogConfigured: boolean;
  readonly mlflow: UpstreamStatus | undefined;
  /** The end of the last successful probe; null if there was none. */
  readonly lastSuccess: { readonly store: number | null; readonly queue: number | null };
}

const seconds = (ms: number): number => ms / 1000;

/** Sets the metrics of the whole service. Those of an unavailable dependency are removed, so that no old value is exposed. */
export function updateGauges(metrics: Metrics, results: DependencyResults, context: ScrapeContext): void {
  const { now, mlflow, lastSuccess } = context;
  for (const [name, { labels }] of Object.entries(SERVICE_METRICS)) {
    clear(metrics[name as keyof Metrics] as Gauge, labels.length > 0);
  }
  metrics.delta_period_seconds.set(seconds(context.deltaPeriodMs));
  exposeUpstream(metrics, 'store', 'value' in results.store, lastSuccess.store);
  exposeUpstream(metrics, 'queue', 'value' in results.queues, lastSuccess.queue);
  if (mlflow) exposeUpstream(metrics, 'mlflow', mlflow.up, mlflow.lastSuccess);
  const facts = resultValue(results.facts);
  if (facts) {
    const { catalog, experiments, lagMs } = serviceStatus(facts, context, now);
    exposeKinds(metrics, facts);
    const counts = countByState(experiments);
    for (const state of EXPERIMENT_STATES) metrics.experiments.set({ state }, counts[state]);
    exposeQuality(metrics, facts.quality);
    metrics.outdated_objects.set(facts.rewrite?.outdatedObjects ?? 0);
    metrics.never_ended_runs.set(neverEndedRuns(facts.openMlflowRuns, now).length);
    const [oldest] = facts.unfinishedMessages;
    metrics.alert_messages_unfinished.set(facts.unfinishedMessages.length);
    metrics.alert_oldest_message_age_seconds.set(
      oldest ? seconds(Math.max(0, now - Date.parse(oldest.sealed_at))) : 0,
    );
    if (lagMs !== null) metrics.watermark_lag_seconds.set(seconds(lagMs));
    if (context.catalogConfigured) exposeCatalog(metrics, catalog);
  }
  const incidents = resultValue(results.alerts)?.incidents;
  if (incidents) {
    exposeAlerts(metrics, incidents);
    exposeApplicationAlerts(metrics, incidents);
  }
  for (const queue of resultValue(results.queues) ?? []) exposeQueue(metrics, queue);
  const eviction = resultValue(results.eviction);
  if (eviction) {
    metrics.queue_may_evict.set(Number(eviction.mayEvict));
    metrics.queue_evicted_keys.set(eviction.evictedKeys);
  }
  const lights = results.lights && resultValue(results.lights);
  if (lights) {
    exposeLights(metrics, lights);
    exposeApplications(metrics, lights, ownersOf(incidents ?? []), now);
  }
}

/** `reset` alone would leave a 0 in a gauge without labels. */
function clear(gauge: Gauge, labelled: boolean): void {
  if (labelled) gauge.reset();
  else gauge.remove();
}

function exposeUpstream(metrics: Metrics, upstream: string, up: boolean, lastSuccess: number | null): void {
  metrics.upstream_up.set({ upstream }, Number(up));
  if (lastSuccess !== null) {
    metrics.upstream_last_success_timestamp_seconds.set({ upstream }, seconds(lastSuccess));
  }
}

function exposeCatalog(metrics: Metrics, { up, lastSuccess, rejectedRows }: CatalogStatus): void {
  if (up !== null) exposeUpstream(metrics, 'catalog', up, lastSuccess);
  metrics.catalog_refused_items.set(rejectedRows);
}

function exposeQuality(metrics: Metrics, findings: ServiceFacts['quality']): void {
  for (const check of QUALITY_CHECKS) {
    for (const severity of QUALITY_SEVERITIES) metrics.quality_failing.set({ check, severity }, 0);
  }
  for (const { check_name: check, severity } of findings) metrics.quality_failing.inc({ check, severity });
}

const isMuted = ({ state, muted }: AlertIncident): boolean =>
  (state === 'firing' || state === 'recovering') && muted !== null;

function exposeAlerts(metrics: Metrics, incidents: readonly AlertIncident[]): void {
  for (const severity of ALERT_SEVERITIES) {
    const own = incidents.filter((each) => each.severity === severity);
    const firing = own.filter(isFiring);
    metrics.alerts_firing.set({ severity }, firing.length);
    metrics.alerts_acknowledged.set(
      { severity },
      firing.filter(({ acknowledged }) => acknowledged !== null).length,
    );
    metrics.alerts_muted.set({ severity }, own.filter(isMuted).length);
  }
}

function exposeKinds(metrics: Metrics, { kinds }: ServiceFacts): void {
  for (const kind of PIPELINE_KINDS) {
    const { last_finished, last_nominal, active } = kinds[kind];
    metrics.pipeline_runs_active.set({ kind }, active.length);
    // The scheduled time of a bootstrap is always 0.
    if (last_nominal) {
      metrics.pipeline_last_scheduled_timestamp_seconds.set({ kind }, seconds(last_nominal));
    }
    if (last_finished !== null) {
      metrics.pipeline_last_success_timestamp_seconds.set({ kind }, seconds(last_finished));
    }
  }
}

function exposeQueue(
  metrics: Metrics,
  { name: queue, jobs, paused, oldestMs, oldestDeltaMs }: QueueFacts,
): void {
  for (const state of JOB_STATES) metrics.queue_jobs.set({ queue, state }, jobs[state]);
  metrics.queue_paused.set({ queue }, Number(paused));
  metrics.queue_oldest_job_age_seconds.set({ queue }, seconds(oldestMs));
  metrics.queue_oldest_delta_age_seconds.set({ queue }, seconds(oldestDeltaMs));
}

function exposeLights(metrics: Metrics, { platform, applications }: CurrentLights): void {
  for (const light of LIGHTS) {
    metrics.platform_light.set({ light }, Number(platform.light === light));
    metrics.applications.set({ light }, applications.filter((each) => each.light === light).length);
  }
  if (platform.pass_rate !== null) metrics.platform_pass_ratio.set(platform.pass_rate / 100);
  if (platform.coverage !== null) metrics.platform_coverage_ratio.set(platform.coverage / 100);
}
