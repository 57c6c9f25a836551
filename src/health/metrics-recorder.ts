import { type Clock } from '../config/runtime.js';
import { ALERT_CHANGES, ALERT_SEVERITIES } from '../domain/alerts/incident.js';
import { imbalanceOf } from '../domain/ledger.js';
import { PIPELINE_KINDS } from '../domain/model.js';
import { ATTEMPT_OUTCOMES, type DiagnosticsEvent, subscribe } from '../observability/diagnostics.js';
import type { Engine } from '../pipeline/engine.js';
import type { PipelineRun } from '../pipeline/pipeline-run.js';
import type { StageEnd } from '../pipeline/stage-execution.js';
import { QUEUES } from '../queue/queue-names.js';
import type { Metrics } from './metrics.js';

/** The status of an upstream by the requests of this process; times in ms. */
export interface UpstreamStatus {
  readonly up: boolean;
  readonly lastSuccess: number | null;
  /** Why the last request failed, with what to do; null if it did not. */
  readonly error: string | null;
}

/** Counts the work and the requests of this process. */
export class MetricsRecorder {
  /** `undefined` before the first request to MLflow. */
  mlflow: UpstreamStatus | undefined;
  readonly stop: () => void;

  constructor(
    private readonly metrics: Metrics,
    engine: Engine,
    private readonly clock: Clock,
  ) {
    // A series that appears with its first failure shows no increase.
    for (const kind of PIPELINE_KINDS) {
      for (const status of ['done', 'failed', 'cancelled'])
        metrics.pipeline_runs_total.inc({ kind, status }, 0);
    }
    for (const object of ['dataset', 'state']) metrics.store_conflicts_total.inc({ object }, 0);
    for (const change of ['inserted', 'updated']) metrics.runs_published_total.inc({ change }, 0);
    for (const upstream of ['mlflow', 'catalog', 'store']) {
      for (const outcome of ['answered', 'failed'])
        metrics.upstream_requests_total.inc({ upstream, outcome }, 0);
      metrics.upstream_requests_denied_total.inc({ upstream }, 0);
    }
    for (const queue of QUEUES) metrics.stalled_jobs_total.inc({ queue }, 0);
    for (const change of ALERT_CHANGES) {
      for (const severity of ALERT_SEVERITIES) metrics.alert_transitions_total.inc({ change, severity }, 0);
    }
    const onStage = (end: StageEnd) => this.recordStage(end);
    const onFinished = ({ kind, status }: PipelineRun, here: boolean) => {
      if (here) metrics.pipeline_runs_total.inc({ kind, status });
    };
    engine.events.on('stage', onStage).on('finished', onFinished);
    const unsubscribe = subscribe((event) => this.recordEvent(event));
    this.stop = () => {
      engine.events.off('stage', onStage).off('finished', onFinished);
      unsubscribe();
    };
  }

  private recordStage({ stage, outcome, seconds, result }: StageEnd): void {
    const { metrics } = this;
    metrics.stage_duration_seconds.observe({ stage, outcome }, seconds);
    if (!result) return;
    if ('partitions_written' in result) {
      metrics.partitions_written_total.inc({ stage }, result.partitions_written);
    }
    if ('bytes' in result) metrics.downloaded_bytes_total.inc(result.bytes);
    if ('inserted' in result) {
      const { inserted, updated, unchanged, superseded, quarantined } = result;
      metrics.runs_in_total.inc(inserted + updated + unchanged + superseded + quarantined);
      metrics.runs_published_total.inc({ change: 'inserted' }, inserted);
      metrics.runs_published_total.inc({ change: 'updated' }, updated);
      metrics.runs_quarantined_total.inc(quarantined);
      for (const entry of result.ledger ?? []) metrics.ledger_imbalance_records.inc(imbalanceOf(entry));
      metrics.missed_by_delta_total.inc(result.missed ?? 0);
    }
  }

  private recordEvent(event: DiagnosticsEvent): void {
    const { metrics } = this;
    if (event.type === 'request') {
      this.recordRequest(event.upstream, event.outcome, event.error?.message);
    } else if (event.type === 'denied') {
      metrics.upstream_requests_denied_total.inc({ upstream: event.upstream });
    } else if (event.type === 'store_conflict') {
      metrics.store_conflicts_total.inc({ object: event.object });
    } else if (event.type === 'store_unclear') {
      metrics.store_unclear_answers_total.inc();
    } else if (event.type === 'job_stalled') {
      metrics.stalled_jobs_total.inc({ queue: event.queue });
    } else if (event.type === 'alert_transition') {
      metrics.alert_transitions_total.inc({ change: event.change, severity: event.severity });
    } else if (event.type === 'alert_attempt' || event.type === 'alert_channel') {
      const { channel } = event;
      for (const outcome of ATTEMPT_OUTCOMES)
        metrics.alert_delivery_attempts_total.inc({ channel, outcome }, 0);
      if (event.type === 'alert_attempt')
        metrics.alert_delivery_attempts_total.inc({ channel, outcome: event.outcome });
    }
  }

  private recordRequest(upstream: string, outcome: 'answered' | 'failed', error?: string): void {
    this.metrics.upstream_requests_total.inc({ upstream, outcome });
    if (upstream !== 'mlflow') return;
    const up = outcome === 'answered';
    const lastSuccess = up ? this.clock() : (this.mlflow?.lastSuccess ?? null);
    this.mlflow = { up, lastSuccess, error: error ?? null };
  }
}
