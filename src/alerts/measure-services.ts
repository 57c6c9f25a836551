import type { Queue } from 'bullmq';
import type { PipelineActivity } from '../dashboard/pipeline-activity.js';
import type { ServiceHealth, ServiceMeasurements } from '../domain/alerts/service-signals.js';
import { errorMessage } from '../domain/errors.js';
import { subscribe } from '../observability/diagnostics.js';
import type { ServiceFacts } from '../state/service-facts.js';
import { missingExperiments, type StatusOptions, serviceStatus } from '../state/service-status.js';

const UNKNOWN: ServiceHealth = { up: null, reason: null, since: null };
const UP: ServiceHealth = { up: true, reason: null, since: null };

/** Errors of a pipeline run that mean: MLflow does not answer, or answers nothing of use. */
const MLFLOW_REASONS: Readonly<Record<string, string>> = {
  mlflow_unreachable: 'MLflow is unreachable.',
  mlflow_busy: 'MLflow is overloaded.',
  mlflow_not_json: 'MLflow sends responses that are not JSON.',
  mlflow_unauthorized: 'MLflow rejects the credentials.',
};

/** Of a request, besides: a pipeline run may fail because of a single refused one. */
const REQUEST_REASONS: Readonly<Record<string, string>> = {
  ...MLFLOW_REASONS,
  mlflow_refused: 'MLflow refuses requests.',
};

/** Whether something answers, as this process has seen it last. */
export class Watch {
  private failedSince: number | null = null;
  private asked = false;
  private reason: string | null = null;

  succeeded(): void {
    this.asked = true;
    this.failedSince = null;
    this.reason = null;
  }

  /** @param now ms */
  failed(now: number, reason: string): void {
    this.asked = true;
    this.failedSince ??= now;
    this.reason = reason;
  }

  get health(): ServiceHealth {
    if (!this.asked) return UNKNOWN;
    return this.failedSince === null ? UP : { up: false, reason: this.reason, since: this.failedSince };
  }
}

/** The requests of this process to MLflow. @returns a function that ends it */
export function watchMlflow(watch: Watch, clock: () => number): () => void {
  return subscribe((event) => {
    if (event.type !== 'request' || event.upstream !== 'mlflow') return;
    if (event.outcome === 'answered') watch.succeeded();
    else watch.failed(clock(), REQUEST_REASONS[event.error?.code ?? ''] ?? 'MLflow is unreachable.');
  });
}

const QUEUE_TIMEOUT_MS = 5_000;

/** Asks the queue for its jobs. Never throws. */
export async function probeQueue(
  queue: Pick<Queue, 'getJobCounts'>,
  watch: Watch,
  now: number,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no response')), QUEUE_TIMEOUT_MS);
  });
  try {
    await Promise.race([queue.getJobCounts('active'), timeout]);
    watch.succeeded();
  } catch (error) {
    watch.failed(now, `The queue does not answer (${errorMessage(error)}).`);
  } finally {
    clearTimeout(timer);
  }
}

export interface Watches {
  readonly mlflow: Watch;
  readonly queue: Watch;
}

/** @param store the last outage of the store, which nobody could record while it lasted @param now ms */
export function measureServices(
  facts: ServiceFacts,
  activity: Pick<PipelineActivity, 'newest' | 'newestDone'>,
  watches: Watches,
  store: ServiceHealth,
  options: StatusOptions,
  now: number,
): ServiceMeasurements {
  const { experiments, catalog } = serviceStatus(facts, options, now);
  const refused = missingExperiments(experiments, activity.newestDone?.refused ?? []);
  return {
    mlflow: mlflowHealth(activity, watches.mlflow.health),
    catalog: { up: catalog.up, reason: catalog.outage && `${sentence(catalog.outage.reason)}.`, since: null },
    store,
    queue: watches.queue.health,
    refused: refused.flatMap(({ experiment_id, name, message }) =>
      message === null ? [] : [{ experiment_id, name, message }],
    ),
  };
}

/** Other processes may read MLflow: their pipeline runs say whether it answers. */
function mlflowHealth({ newest }: Pick<PipelineActivity, 'newest'>, own: ServiceHealth): ServiceHealth {
  if (own.up === false) return own;
  const reason = newest?.status === 'failed' ? MLFLOW_REASONS[newest.error?.code ?? ''] : undefined;
  if (reason !== undefined) return { up: false, reason, since: newest?.created_at ?? null };
  return own.up === null && newest?.status === 'done' ? UP : own;
}

const sentence = (clause: string): string => `${clause.charAt(0).toUpperCase()}${clause.slice(1)}`;
