import type { Settings } from '../config/settings.js';
import { domainSettings, queueBackendOf } from '../config/settings.js';
import { PIPELINE_KINDS, type PipelineKind } from '../domain/model.js';
import { resultError, resultValue } from './cached-probe.js';
import type { DependencyResults } from './dependencies.js';
import { type QueueFacts, type Reading, readingOf } from './facts.js';
import type { UpstreamStatus } from './metrics-recorder.js';

/** What this process knows of itself. Times in ms. */
export interface ProcessStatus {
  readonly version: string;
  readonly startedAt: number;
  readonly store: { readonly description: string; readonly singleWriter: boolean };
  readonly mlflow: UpstreamStatus | undefined;
  readonly lastSuccess: { readonly store: number | null; readonly queue: number | null };
  /** For how long its work has not moved on, and how long that may last. */
  readonly still: { readonly ms: number; readonly limitMs: number };
}

interface Part {
  /** null: this process cannot tell. */
  readonly up: boolean | null;
  readonly last_success: string | null;
  readonly error: string | null;
}

type QueueReport = Pick<QueueFacts, 'name' | 'jobs' | 'paused'> & { readonly oldest_job_age_seconds: number };

/** How the service stands, for people. Instants are ISO 8601 in UTC. */
export interface HealthReport {
  readonly status: 'ok' | 'degraded';
  /** What is not as it should be, a sentence each. */
  readonly problems: readonly string[];
  readonly version: string;
  readonly roles: readonly string[];
  readonly started_at: string;
  readonly store: Part & { readonly name: string; readonly single_writer: boolean };
  readonly queue: Part & { readonly backend: string; readonly queues: readonly QueueReport[] | null };
  readonly mlflow: Omit<Part, 'error'>;
  /** null: none is configured. */
  readonly catalog: (Part & { readonly refused_items: number }) | null;
  /** By kind of pipeline run. null: the store does not tell. */
  readonly last_success: Readonly<Record<PipelineKind, string | null>> | null;
  readonly active: readonly string[] | null;
  readonly watermark: {
    readonly lag_seconds: number | null;
    readonly experiments: Reading['experiments'];
  } | null;
}

const iso = (ms: number | null | undefined): string | null =>
  typeof ms === 'number' ? new Date(ms).toISOString() : null;

export function describeHealth(
  seen: DependencyResults,
  self: ProcessStatus,
  settings: Settings,
  now: number,
): HealthReport {
  const facts = resultValue(seen.facts);
  const reading = facts && readingOf(facts, domainSettings(settings), now);
  const { mlflow, store, still, lastSuccess } = self;
  const configured = settings.METRICS_API_URL !== undefined || settings.THRESHOLDS_API_URL !== undefined;
  const catalog = facts?.catalog;
  const read = Math.max(facts?.kinds.delta.last_finished ?? 0, facts?.kinds.bootstrap.last_finished ?? 0);
  const stale = now - read > 3 * settings.DELTA_SCHEDULE_MINUTES * 60_000;
  const problems = [
    'error' in seen.store && `The store does not answer: ${seen.store.error}.`,
    'value' in seen.store &&
      'error' in seen.facts &&
      `The state in the store cannot be read: ${seen.facts.error}.`,
    'error' in seen.queues && `The queue does not answer: ${seen.queues.error}.`,
    mlflow?.up === false && 'MLflow did not answer the last request.',
    catalog?.last_error && `The catalog is away: ${catalog.last_error.message}.`,
    facts && stale && (read ? `Nothing was published since ${iso(read)}.` : 'Nothing is published yet.'),
    reading && reading.experiments.lagging > 0 && lagging(reading.experiments.lagging),
    still.ms > still.limitMs && `A job has not moved on for ${Math.round(still.ms / 60_000)} minutes.`,
    store.singleWriter && 'The conditional writes of the store do not hold: exactly one process may use it.',
    ...(resultValue(seen.queues) ?? []).map(({ name, paused }) => paused && `The queue ${name} is paused.`),
  ].filter((problem) => typeof problem === 'string');
  return {
    status: problems.length === 0 ? 'ok' : 'degraded',
    problems,
    version: self.version,
    roles: settings.ROLES,
    started_at: new Date(self.startedAt).toISOString(),
    store: {
      up: 'value' in seen.store,
      last_success: iso(lastSuccess.store),
      error: resultError(seen.store) ?? resultError(seen.facts),
      name: store.description,
      single_writer: store.singleWriter,
    },
    queue: {
      up: 'value' in seen.queues,
      last_success: iso(lastSuccess.queue),
      error: resultError(seen.queues),
      backend: queueBackendOf(settings),
      queues:
        resultValue(seen.queues)?.map(({ oldestMs, ...queue }) => ({
          ...queue,
          oldest_job_age_seconds: oldestMs / 1000,
        })) ?? null,
    },
    mlflow: { up: mlflow?.up ?? null, last_success: iso(mlflow?.lastSuccess) },
    catalog: configured
      ? {
          up:
            catalog && (catalog.last_error || catalog.last_success !== null)
              ? catalog.last_error === null
              : null,
          last_success: iso(catalog?.last_success),
          error: catalog?.last_error?.message ?? null,
          refused_items: catalog?.refused ?? 0,
        }
      : null,
    last_success: facts
      ? (Object.fromEntries(
          PIPELINE_KINDS.map((kind) => [kind, iso(facts.kinds[kind].last_finished)]),
        ) as Record<PipelineKind, string | null>)
      : null,
    active: facts ? PIPELINE_KINDS.flatMap((kind) => facts.kinds[kind].active) : null,
    watermark: reading
      ? {
          lag_seconds: reading.lagMs === null ? null : reading.lagMs / 1000,
          experiments: reading.experiments,
        }
      : null,
  };
}

const lagging = (n: number): string =>
  n === 1 ? '1 experiment lags behind the others.' : `${n} experiments lag behind the others.`;
