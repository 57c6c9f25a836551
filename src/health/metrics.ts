import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export const PREFIX = 'mlflow_monitor_';

interface Spec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** `service`: the same in every process, read from store and queue at scrape time; `process`: of this process. */
  readonly of: 'service' | 'process';
  readonly labels: readonly string[];
  readonly help: string;
}

/** The metrics apart from those of Node.js, without the prefix. Names contain the unit. */
export const METRICS = {
  build_info: {
    type: 'gauge',
    of: 'process',
    labels: ['version', 'node', 'roles'],
    help: 'Always 1. The labels are the version, the Node.js version and the roles of the process.',
  },
  upstream_up: {
    type: 'gauge',
    of: 'service',
    labels: ['upstream'],
    help: 'Whether the upstream is available (1) or not (0). store, queue: probed at scrape time. mlflow: the last request of this process, absent before the first. catalog: the last request of any process, absent before the first and if no catalog is configured.',
  },
  upstream_last_success_timestamp_seconds: {
    type: 'gauge',
    of: 'service',
    labels: ['upstream'],
    help: 'Time of the last successful request; absent if there was none.',
  },
  upstream_requests_total: {
    type: 'counter',
    of: 'process',
    labels: ['upstream', 'outcome'],
    help: 'Requests to mlflow, catalog and store (a bucket) by outcome: answered or failed. Most failed requests are retried.',
  },
  pipeline_last_success_timestamp_seconds: {
    type: 'gauge',
    of: 'service',
    labels: ['kind'],
    help: 'End of the last successful pipeline run of this kind; absent if there was none.',
  },
  pipeline_runs_active: {
    type: 'gauge',
    of: 'service',
    labels: ['kind'],
    help: 'Unfinished pipeline runs.',
  },
  pipeline_runs_total: {
    type: 'counter',
    of: 'process',
    labels: ['kind', 'status'],
    help: 'Pipeline runs finished by this process, by status: done, failed, cancelled.',
  },
  stage_duration_seconds: {
    type: 'histogram',
    of: 'process',
    labels: ['stage', 'outcome'],
    help: 'Duration of stages by outcome: done, failed, retried (will be retried), waiting (until the catalog is available).',
  },
  runs_in_total: {
    type: 'counter',
    of: 'process',
    labels: [],
    help: 'Runs received from MLflow; a run that is fetched again counts again.',
  },
  runs_published_total: {
    type: 'counter',
    of: 'process',
    labels: ['change'],
    help: 'MLflow runs whose facts were new (inserted) or changed (updated), counted after their day was judged.',
  },
  runs_quarantined_total: {
    type: 'counter',
    of: 'process',
    labels: [],
    help: 'MLflow runs that cannot be parsed; counted each time MLflow returns them.',
  },
  ledger_imbalance_records: {
    type: 'gauge',
    of: 'process',
    labels: [],
    help: 'Records of MLflow that this process has received and did not count exactly once as inserted, updated, unchanged, superseded, undated, expired or quarantined. Must be 0; the log names the experiment.',
  },
  missed_by_delta_total: {
    type: 'counter',
    of: 'process',
    labels: [],
    help: 'Ended MLflow runs that a historical or backup run found new or changed although deltas had read their time before: late changes of tags, params or metrics, and what deltas missed.',
  },
  partitions_written_total: {
    type: 'counter',
    of: 'process',
    labels: ['stage'],
    help: 'Published objects that were created or replaced.',
  },
  downloaded_bytes_total: {
    type: 'counter',
    of: 'process',
    labels: [],
    help: 'Size of the run pages downloaded from MLflow.',
  },
  watermark_lag_seconds: {
    type: 'gauge',
    of: 'service',
    labels: [],
    help: 'Age of the oldest watermark of the monitored experiments: everything that MLflow stored before it is published. Absent if there is no watermark.',
  },
  experiments: {
    type: 'gauge',
    of: 'service',
    labels: ['state'],
    help: 'Monitored experiments by state: current, lagging behind the others, or unread (nothing is published yet).',
  },
  never_ended_runs: {
    type: 'gauge',
    of: 'service',
    labels: [],
    help: 'MLflow runs that started more than 3 days ago and have not ended. `/health` names the oldest.',
  },
  outdated_objects: {
    type: 'gauge',
    of: 'service',
    labels: [],
    help: 'Published objects that are not rewritten yet after the rules or schema version was raised.',
  },
  quality_failing: {
    type: 'gauge',
    of: 'service',
    labels: ['check', 'severity'],
    help: 'How often a check of data quality fails: for all applications together, and for single applications.',
  },
  catalog_refused_items: {
    type: 'gauge',
    of: 'service',
    labels: [],
    help: 'Rows of the last catalog response that cannot be used.',
  },
  queue_jobs: {
    type: 'gauge',
    of: 'service',
    labels: ['queue', 'state'],
    help: 'Jobs by state: waiting, prioritized (behind the waiting ones), delayed, active, failed (kept for 14 days).',
  },
  queue_paused: {
    type: 'gauge',
    of: 'service',
    labels: ['queue'],
    help: 'Whether the queue is paused (1).',
  },
  queue_oldest_job_age_seconds: {
    type: 'gauge',
    of: 'service',
    labels: ['queue'],
    help: 'Age of the oldest of the next 200 jobs that are ready to be processed; 0 if there is none.',
  },
  queue_oldest_delta_age_seconds: {
    type: 'gauge',
    of: 'service',
    labels: ['queue'],
    help: 'Like queue_oldest_job_age_seconds, for jobs of deltas alone. For autoscaling: other pipeline runs may wait.',
  },
  held_job_idle_seconds: {
    type: 'gauge',
    of: 'process',
    labels: [],
    help: 'Time since the last progress of the active job that has been idle longest; 0 if no job is active.',
  },
  store_single_writer: {
    type: 'gauge',
    of: 'process',
    labels: [],
    help: 'Whether the store does not enforce conditional writes (1), so that only one process may use it.',
  },
  store_conflicts_total: {
    type: 'counter',
    of: 'process',
    labels: ['object'],
    help: 'Conditional writes lost to another writer, by object: dataset or state. Each is repeated on top of the other write.',
  },
  store_unclear_answers_total: {
    type: 'counter',
    of: 'process',
    labels: [],
    help: 'Writes for which the store returned no clear outcome; each is verified with a request.',
  },
  alerts_firing: {
    type: 'gauge',
    of: 'service',
    labels: ['severity'],
    help: 'Incidents that fire, also those that are recovering, by severity. Without those that are muted or part of another alert. Absent before the first evaluation.',
  },
  alerts_acknowledged: {
    type: 'gauge',
    of: 'service',
    labels: ['severity'],
    help: 'Those of alerts_firing that are acknowledged.',
  },
  alerts_muted: {
    type: 'gauge',
    of: 'service',
    labels: ['severity'],
    help: 'Incidents that fire and are muted. None of them is in alerts_firing.',
  },
  alert_delivery_attempts_total: {
    type: 'counter',
    of: 'process',
    labels: ['channel', 'outcome'],
    help: 'Attempts to deliver messages of alerts, by channel (slack, webhook, email) and outcome: delivered, retry (another attempt follows), failed, gone (the receiver wants no more messages).',
  },
  alert_messages_unfinished: {
    type: 'gauge',
    of: 'service',
    labels: [],
    help: 'Messages of alerts that are neither delivered nor failed.',
  },
  alert_oldest_message_age_seconds: {
    type: 'gauge',
    of: 'service',
    labels: [],
    help: 'Age of the oldest message of alerts that is neither delivered nor failed; 0 if there is none.',
  },
  platform_light: {
    type: 'gauge',
    of: 'service',
    labels: ['light'],
    help: 'Current light of the platform: 1 for the current one, 0 for the others. Only processes with the role api expose lights.',
  },
  platform_pass_ratio: {
    type: 'gauge',
    of: 'service',
    labels: [],
    help: 'Share of the evaluated runs that are neither critical nor invalid; absent if no run is evaluated.',
  },
  platform_coverage_ratio: {
    type: 'gauge',
    of: 'service',
    labels: [],
    help: 'Share of the runs that are evaluated; absent if there are no runs.',
  },
  applications: {
    type: 'gauge',
    of: 'service',
    labels: ['light'],
    help: 'Number of applications by current light.',
  },
  application_light: {
    type: 'gauge',
    of: 'service',
    labels: ['application', 'light'],
    help: 'Current light of an application, like platform_light. At most 200 applications: worst light first, then by name.',
  },
  application_pass_ratio: {
    type: 'gauge',
    of: 'service',
    labels: ['application'],
    help: 'Like platform_pass_ratio, for the same applications as application_light.',
  },
  seconds_to_breach: {
    type: 'gauge',
    of: 'service',
    labels: ['application', 'metric', 'status'],
    help: 'Time until the level of a metric is expected to cross its limit for status (warning or critical), for the metric of each application that is expected to do so first. Absent if no breach is likely. At most 100 applications: soonest first.',
  },
} as const satisfies Record<string, Spec>;

type Name = keyof typeof METRICS;
type Label<N extends Name> = (typeof METRICS)[N]['labels'][number];
interface MetricOf<L extends string> {
  readonly counter: Counter<L>;
  readonly gauge: Gauge<L>;
  readonly histogram: Histogram<L>;
}
export type Metrics = { readonly [N in Name]: MetricOf<Label<N>>[(typeof METRICS)[N]['type']] };

/** From stages without work to the download of a day of a large company. */
const BUCKETS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];

/** A new registry with these metrics and those of Node.js. */
export function createMetrics(): { readonly registry: Registry; readonly metrics: Metrics } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: PREFIX });
  const created = Object.entries(METRICS).map(([name, { type, help, labels }]) => {
    const options = { name: PREFIX + name, help, labelNames: [...labels], registers: [registry] };
    if (type === 'counter') return [name, new Counter(options)];
    if (type === 'gauge') return [name, new Gauge(options)];
    return [name, new Histogram({ ...options, buckets: BUCKETS_SECONDS })];
  });
  return { registry, metrics: Object.fromEntries(created) as Metrics };
}
