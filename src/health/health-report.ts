import { domainSettings, queueBackendOf, ruleSettings, type Settings } from '../config/settings.js';
import { PIPELINE_KINDS, type PipelineKind } from '../domain/model.js';
import { MS_PER_DAY } from '../domain/time.js';
import { describeDifference } from '../state/judging-settings.js';
import { type NeverEndedRun, neverEndedRuns } from '../state/never-ended-runs.js';
import type { ServiceFacts } from '../state/service-facts.js';
import {
  countByState,
  type ExperimentState,
  type ServiceStatus,
  serviceStatus,
  statusOptions,
} from '../state/service-status.js';
import { describeVersions, supports, type Versions } from '../state/versions.js';
import { resultError, resultValue } from './cached-probe.js';
import type { DependencyResults } from './dependencies.js';
import type { UpstreamStatus } from './metrics-recorder.js';
import type { QueueFacts } from './queue-facts.js';

/** The status of this process. Times in ms. */
export interface ProcessStatus {
  readonly version: string;
  readonly startedAt: number;
  readonly supported: Versions;
  readonly store: { readonly description: string; readonly singleWriter: boolean };
  readonly mlflow: UpstreamStatus | undefined;
  readonly lastSuccess: { readonly store: number | null; readonly queue: number | null };
  /** How long the job that has been idle longest has made no progress, and how long it may. */
  readonly idle: { readonly ms: number; readonly timeoutMs: number };
}

interface Part {
  /** null if unknown to this process. */
  readonly up: boolean | null;
  readonly last_success: string | null;
  readonly error: string | null;
}

type QueueReport = Pick<QueueFacts, 'name' | 'jobs' | 'paused'> & { readonly oldest_job_age_seconds: number };

/** How far the stored days are rewritten to raised versions; null if all of them are. */
interface Rewrite {
  readonly days: number;
  /** Days with an outdated object. */
  readonly outdated_days: number;
  /** Derived objects. */
  readonly objects: number;
  readonly outdated_objects: number;
}

/** The response of `/health`, for people. Instants are ISO 8601 in UTC. */
export interface HealthReport {
  readonly status: 'ok' | 'degraded';
  /** A sentence for each problem. */
  readonly problems: readonly string[];
  readonly version: string;
  readonly roles: readonly string[];
  readonly started_at: string;
  readonly store: Part & { readonly name: string; readonly single_writer: boolean };
  readonly queue: Part & { readonly backend: string; readonly queues: readonly QueueReport[] | null };
  readonly mlflow: Part;
  /** null if none is configured. */
  readonly catalog: (Part & { readonly refused_items: number }) | null;
  /** By kind of pipeline run; null if the state cannot be read. */
  readonly last_success: Readonly<Record<PipelineKind, string | null>> | null;
  readonly active: readonly string[] | null;
  readonly watermark: {
    readonly lag_seconds: number | null;
    readonly experiments: Readonly<Record<ExperimentState, number>>;
  } | null;
  /** The versions in force and those that this process supports. */
  readonly versions: (Versions & { readonly supported: Versions; readonly rewrite: Rewrite | null }) | null;
  /** MLflow runs that should have ended long ago: their processes have probably died. */
  readonly never_ended_runs: { readonly count: number; readonly oldest: readonly NeverEndedRun[] } | null;
}

/** Never-ended runs that `/health` names. */
const NAMED_RUNS = 20;

export const isCatalogConfigured = (settings: Settings): boolean =>
  settings.METRICS_API_URL !== undefined || settings.THRESHOLDS_API_URL !== undefined;

export const storeProblem = (error: string): string => `The store is unavailable: ${error}.`;
export const queueProblem = (error: string): string => `The queue is unavailable: ${error}.`;
const mlflowProblem = (error: string | null): string =>
  `The last request to MLflow failed${error ? `: ${error}` : ''}.`;
export const stallProblem = (idleMs: number): string =>
  `A job has made no progress for ${Math.round(idleMs / 60_000)} minutes.`;

const iso = (ms: number | null | undefined): string | null =>
  typeof ms === 'number' ? new Date(ms).toISOString() : null;

/** @param now ms */
export function describeHealth(
  results: DependencyResults,
  self: ProcessStatus,
  settings: Settings,
  now: number,
): HealthReport {
  const facts = resultValue(results.facts);
  const status = facts && serviceStatus(facts, statusOptions(settings), now);
  const problems = [
    ...findProblems(results, self, status),
    ...differentSettings(facts, settings),
    ...(facts && !supports(self.supported, facts.versions)
      ? [olderProblem(facts.versions, self.supported)]
      : []),
    ...(facts ? findUnreadable(facts, now) : []),
  ];
  const { mlflow, store, lastSuccess } = self;
  return {
    status: problems.length === 0 ? 'ok' : 'degraded',
    problems,
    version: self.version,
    roles: settings.ROLES,
    started_at: new Date(self.startedAt).toISOString(),
    store: {
      up: 'value' in results.store,
      last_success: iso(lastSuccess.store),
      error: resultError(results.store) ?? resultError(results.facts),
      name: store.description,
      single_writer: store.singleWriter,
    },
    queue: {
      up: 'value' in results.queues,
      last_success: iso(lastSuccess.queue),
      error: resultError(results.queues),
      backend: queueBackendOf(settings),
      queues:
        resultValue(results.queues)?.map(({ oldestMs, oldestDeltaMs: _, ...queue }) => ({
          ...queue,
          oldest_job_age_seconds: oldestMs / 1000,
        })) ?? null,
    },
    mlflow: { up: mlflow?.up ?? null, last_success: iso(mlflow?.lastSuccess), error: mlflow?.error ?? null },
    catalog: isCatalogConfigured(settings)
      ? {
          up: status?.catalog.up ?? null,
          last_success: iso(status?.catalog.lastSuccess),
          error: status?.catalog.outage?.message ?? null,
          refused_items: status?.catalog.rejectedRows ?? 0,
        }
      : null,
    last_success: facts
      ? (Object.fromEntries(
          PIPELINE_KINDS.map((kind) => [kind, iso(facts.kinds[kind].last_finished)]),
        ) as Record<PipelineKind, string | null>)
      : null,
    active: facts ? PIPELINE_KINDS.flatMap((kind) => facts.kinds[kind].active) : null,
    watermark: status
      ? {
          lag_seconds: status.lagMs === null ? null : status.lagMs / 1000,
          experiments: countByState(status.experiments),
        }
      : null,
    versions: facts
      ? {
          rules: facts.versions.rules,
          schema: facts.versions.schema,
          supported: self.supported,
          rewrite: facts.rewrite && {
            days: facts.rewrite.days,
            outdated_days: facts.rewrite.outdatedDays,
            objects: facts.rewrite.objects,
            outdated_objects: facts.rewrite.outdatedObjects,
          },
        }
      : null,
    never_ended_runs: facts ? describeNeverEnded(facts, now) : null,
  };
}

function describeNeverEnded({ openMlflowRuns }: ServiceFacts, now: number): HealthReport['never_ended_runs'] {
  const runs = neverEndedRuns(openMlflowRuns, now);
  return { count: runs.length, oldest: runs.slice(0, NAMED_RUNS) };
}

const olderProblem = (inForce: Versions, supported: Versions): string =>
  `A newer release writes this store by ${describeVersions(inForce)}; this process supports ${describeVersions(supported)}. ` +
  'It stores what MLflow has, but publishes nothing: start the newer release again.';

function differentSettings(facts: ServiceFacts | undefined, settings: Settings): string[] {
  const difference =
    facts?.judging && describeDifference(facts.judging, domainSettings(settings), ruleSettings(settings));
  return difference ? [difference] : [];
}

/** How long `/health` reports a pipeline run that failed because of an invalid document, unless one of its kind succeeds. */
const UNREADABLE_SHOWN_MS = MS_PER_DAY;

function findUnreadable({ broken, kinds }: ServiceFacts, now: number): string[] {
  const runs = PIPELINE_KINDS.flatMap((kind) => {
    const { unreadable } = kinds[kind];
    if (!unreadable || now - unreadable.at > UNREADABLE_SHOWN_MS) return [];
    return `${unreadable.run} failed: ${unreadable.message}.`;
  });
  return [...broken.map((message) => `${message}.`), ...runs];
}

/** @param status `undefined` if the state in the store cannot be read */
function findProblems(
  { store, facts, queues }: DependencyResults,
  self: ProcessStatus,
  status: ServiceStatus | undefined,
): string[] {
  const lagging = status ? countByState(status.experiments).lagging : 0;
  const outage = status?.catalog.outage;
  const problems = [
    'error' in store && storeProblem(store.error),
    'value' in store && 'error' in facts && `The state in the store cannot be read: ${facts.error}.`,
    'error' in queues && queueProblem(queues.error),
    self.mlflow?.up === false && mlflowProblem(self.mlflow.error),
    outage && `The catalog is unavailable: ${outage.message}.`,
    status?.stale &&
      (status.lastFinished === null
        ? 'No delta or bootstrap has succeeded yet.'
        : `The data is stale: the last successful delta or bootstrap ended at ${iso(status.lastFinished)}.`),
    lagging > 0 &&
      (lagging === 1
        ? '1 experiment lags behind the others.'
        : `${lagging} experiments lag behind the others.`),
    self.idle.ms > self.idle.timeoutMs && stallProblem(self.idle.ms),
    self.store.singleWriter && 'The store does not enforce conditional writes: only one process may use it.',
    ...(resultValue(queues) ?? []).map(({ name, paused }) => paused && `The queue ${name} is paused.`),
  ];
  return problems.filter((problem) => typeof problem === 'string');
}
