import { EventEmitter } from 'node:events';
import { ALERT_CHANGES, ALERT_SEVERITIES } from '../../../src/domain/alerts/incident.js';
import { createMetrics } from '../../../src/health/metrics.js';
import { MetricsRecorder } from '../../../src/health/metrics-recorder.js';
import { ATTEMPT_OUTCOMES, publish } from '../../../src/observability/diagnostics.js';
import type { Engine } from '../../../src/pipeline/engine.js';
import type { StageEnd } from '../../../src/pipeline/stage-execution.js';
import { QUEUES } from '../../../src/queue/queue-names.js';

const ENRICHED = {
  touched_days: [],
  runs: 9,
  metrics: 20,
  inserted: 4,
  updated: 3,
  unchanged: 2,
  superseded: 1,
  quarantined: 5,
  closed: [],
  partitions_written: 6,
  partitions_unchanged: 1,
};

let recorder: MetricsRecorder;
let events: EventEmitter;
let created: ReturnType<typeof createMetrics>;
let now: number;
beforeEach(() => {
  now = 10;
  events = new EventEmitter();
  created = createMetrics();
  recorder = new MetricsRecorder(created.metrics, { events } as unknown as Engine, () => now);
});
afterEach(() => recorder.stop());

/** The samples of a metric without its name, as in a scrape. */
async function samples(name: string): Promise<string[]> {
  const text = await created.registry.getSingleMetricAsString(`mlflow_monitor_${name}`);
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.slice('mlflow_monitor_'.length + name.length));
}

describe('MetricsRecorder', () => {
  it('adds up the results of stages', async () => {
    const end = (stage: Partial<StageEnd>) => events.emit('stage', { outcome: 'done', seconds: 1, ...stage });
    end({ stage: 'enrich', result: ENRICHED });
    end({ stage: 'enrich', result: ENRICHED });
    end({ stage: 'fetch', result: { pages: [], gone: [], answered: [], refused: [], bytes: 700 } });
    end({ stage: 'publish', result: { days: [], partitions_written: 2, partitions_unchanged: 0 } });
    expect(await samples('runs_in_total')).toEqual([' 30']);
    expect(await samples('runs_published_total')).toEqual(['{change="inserted"} 8', '{change="updated"} 6']);
    expect(await samples('runs_quarantined_total')).toEqual([' 10']);
    expect(await samples('downloaded_bytes_total')).toEqual([' 700']);
    expect(await samples('partitions_written_total')).toEqual(['{stage="enrich"} 12', '{stage="publish"} 2']);
  });

  it('measures every stage, and counts no result of a failed one', async () => {
    events.emit('stage', { stage: 'enrich', outcome: 'failed', seconds: 3, result: null });
    const lines = await samples('stage_duration_seconds');
    expect(lines).toContain('_count{stage="enrich",outcome="failed"} 1');
    expect(lines).toContain('_bucket{le="2.5",stage="enrich",outcome="failed"} 0');
    expect(lines).toContain('_bucket{le="5",stage="enrich",outcome="failed"} 1');
    expect(await samples('runs_in_total')).toEqual([' 0']);
  });

  it('counts a pipeline run in the process that finished it, and exposes zeros before', async () => {
    expect(await samples('pipeline_runs_total')).toContain('{kind="delta",status="failed"} 0');
    events.emit('finished', { kind: 'delta', status: 'failed' }, true);
    events.emit('finished', { kind: 'delta', status: 'failed' }, false);
    expect(await samples('pipeline_runs_total')).toContain('{kind="delta",status="failed"} 1');
  });

  it('counts diagnostics events', async () => {
    publish({ type: 'store_conflict', object: 'dataset' });
    publish({ type: 'store_conflict', object: 'dataset' });
    publish({ type: 'store_unclear' });
    publish({ type: 'request', upstream: 'catalog', outcome: 'failed' });
    expect(await samples('store_conflicts_total')).toEqual(['{object="dataset"} 2', '{object="state"} 0']);
    expect(await samples('store_unclear_answers_total')).toEqual([' 1']);
    expect(await samples('upstream_requests_total')).toContain('{upstream="catalog",outcome="failed"} 1');
    publish({ type: 'denied', upstream: 'mlflow' });
    expect(await samples('upstream_requests_denied_total')).toContain('{upstream="mlflow"} 1');
    publish({ type: 'job_stalled', queue: 'ingestion' });
    expect(await samples('stalled_jobs_total')).toContain('{queue="ingestion"} 1');
    publish({ type: 'alert_transition', change: 'fired', severity: 'critical' });
    expect(await samples('alert_transitions_total')).toContain('{change="fired",severity="critical"} 1');
    publish({ type: 'alert_attempt', channel: 'slack', outcome: 'gone' });
    expect(await samples('alert_delivery_attempts_total')).toContain('{channel="slack",outcome="gone"} 1');
  });

  it('exposes zeros before the first event, since a series that appears with it shows no increase', async () => {
    publish({ type: 'alert_channel', channel: 'slack' });
    expect(await samples('alert_delivery_attempts_total')).toEqual(
      ATTEMPT_OUTCOMES.map((outcome) => `{channel="slack",outcome="${outcome}"} 0`),
    );
    for (const [name, count] of [
      ['upstream_requests_total', 6],
      ['upstream_requests_denied_total', 3],
      ['stalled_jobs_total', QUEUES.length],
      ['alert_transitions_total', ALERT_CHANGES.length * ALERT_SEVERITIES.length],
    ] as const) {
      const lines = await samples(name);
      expect([name, lines.length]).toEqual([name, count]);
      expect(lines.filter((line) => !line.endsWith(' 0'))).toEqual([]);
    }
  });

  it('takes the status of MLflow from its last request', () => {
    expect(recorder.mlflow).toBeUndefined();
    publish({ type: 'request', upstream: 'mlflow', outcome: 'answered' });
    now = 20;
    publish({ type: 'request', upstream: 'mlflow', outcome: 'failed', error: { code: 'a', message: 'no' } });
    publish({ type: 'request', upstream: 'store', outcome: 'answered' });
    expect(recorder.mlflow).toEqual({ up: false, lastSuccess: 10, error: 'no' });
  });

  it('stops', async () => {
    recorder.stop();
    publish({ type: 'store_unclear' });
    events.emit('stage', { stage: 'enrich', outcome: 'done', seconds: 1, result: ENRICHED });
    expect(await samples('store_unclear_answers_total')).toEqual([' 0']);
    expect(await samples('runs_in_total')).toEqual([' 0']);
  });
});
