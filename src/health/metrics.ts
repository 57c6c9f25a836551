import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export const PREFIX = 'mlflow_monitor_';

interface Spec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** `service`: the same in every process, read from store and queue when it is asked for; `process`: counted by this one. */
  readonly of: 'service' | 'process';
  readonly labels: readonly string[];
  readonly help: string;
}

/** Every metric of its own, without the prefix. The unit is in the name. */
export const METRICS = {
  build_info: {
    type: 'gauge',
    of: 'process',
    labels: ['version', 'node', 'roles'],
    help: 'Always 1: which version runs on which Node.js in which roles.',
  },
  upstream_up: {
    type: 'gauge',
    of: 'service',
    labels: ['upstream'],
    help: 'Whether it answers (1) or not (0): store and queue are asked now, mlflow by the last request of this process (absent: it asks none), catalog by the last one of any process (absent: none is configured).',
  },
  upstream_last_success_timestamp_seconds: {
    type: 'gauge',
    of: 'service',
    labels: ['upstream'],
    help: 'When it answered last; absent: never.',
  },
  upstream_requests_total: {
    type: 'counter',
    of: 'process',
    labels: ['upstream', 'outcome'],
    help: 'Requests to mlflow, catalog and store (a bucket): answered, or failed, after which most are tried again.',
  },
  pipeline_last_success_timestamp_seconds: {
    type: 'gauge',
    of: 'service',
    labels: ['kind'],
    help: 'When a pipeline run of this kind was last published to its end; absent: never.',
  },
  pipeline_runs_active: {
    type: 'gauge',
    of: 'service',
    labels: ['kind'],
    help: 'Pipeline runs that are not finished.',
  },
  pipeline_runs_total: {
    type: 'counter',
    of: 'process',
    labels: ['kind', 'status'],
    help: 'Pipeline runs that this process finished: done, failed, cancelled.',
  },
  stage_duration_seconds: {
    type: 'histogram',
    of: 'process',
    labels: ['stage', 'outcome'],
    help: 'How long stages took that were done, failed, retried (they are tried again), or found that they are waiting for the catalog.',
  },
  runs_in_total: {
    type: 'counter',
    of: 'process',
    labels: [],
    help: 'Runs in the answers of MLflow; a run that is asked again counts again.',
  },
  runs_published_total: {
    type: 'counter',
    of: 'process',
    labels: ['change'],
    help: 'Runs whose facts were new (inserted) or others than before (updated), after their day was judged.',
  },
  runs_quarantined_total: {
    type: 'counter',
    of: 'process',
    labels: [],
    help: 'Runs that could not be read; one that MLflow goes on sending counts each time.',
  },
  partitions_written_total: {
    type: 'counter',
    of: 'process',
    labels: ['stage'],
    help: 'Published objects that were replaced.',
  },
  downloaded_bytes_total: {
    type: 'counter',
    of: 'process',
    labels: [],
    help: 'Pages of runs from MLflow.',
  },
  watermark_lag_seconds: {
    type: 'gauge',
    of: 'service',
    labels: [],
    help: 'How long ago the oldest watermark of a watched experiment is: all that MLflow knew before it is published. Absent: there is none.',
  },
  experiments: {
    type: 'gauge',
    of: 'service',
    labels: ['state'],
    help: 'Watched experiments: current, lagging behind the others, or unread (nothing of it is published yet).',
  },
  catalog_refused_items: {
    type: 'gauge',
    of: 'service',
    labels: [],
    help: 'Items of the last answer of the catalog that cannot be used.',
  },
  queue_jobs: {
    type: 'gauge',
    of: 'service',
    labels: ['queue', 'state'],
    help: 'Jobs: waiting, prioritized (waiting behind those), delayed, active, failed (kept for 14 days).',
  },
  queue_paused: {
    type: 'gauge',
    of: 'service',
    labels: ['queue'],
    help: 'Whether somebody paused it (1).',
  },
  queue_oldest_job_age_seconds: {
    type: 'gauge',
    of: 'service',
    labels: ['queue'],
    help: 'Age of the oldest job that waits for its turn, of the next 200; 0 without any.',
  },
  held_job_idle_seconds: {
    type: 'gauge',
    of: 'process',
    labels: [],
    help: 'For how long the work of this process has not moved on, where that is longest; 0 without any.',
  },
  store_single_writer: {
    type: 'gauge',
    of: 'process',
    labels: [],
    help: 'Whether the conditional writes of the store do not hold (1), so that exactly one process may use it.',
  },
  store_conflicts_total: {
    type: 'counter',
    of: 'process',
    labels: ['object'],
    help: 'Conditional writes that another writer won (dataset, state); each is made again from what won.',
  },
  store_unclear_answers_total: {
    type: 'counter',
    of: 'process',
    labels: [],
    help: 'Writes of which the store did not say whether they were carried out; each is looked up.',
  },
  platform_light: {
    type: 'gauge',
    of: 'service',
    labels: ['light'],
    help: 'Current light of the platform: 1 for the one that is on, 0 for the others. Of processes with the role api, as all lights.',
  },
  platform_pass_ratio: {
    type: 'gauge',
    of: 'service',
    labels: [],
    help: 'Runs that are not critical and not invalid, of those evaluated; absent: none is.',
  },
  platform_coverage_ratio: {
    type: 'gauge',
    of: 'service',
    labels: [],
    help: 'Runs that were evaluated, of all; absent: there is none.',
  },
  applications: {
    type: 'gauge',
    of: 'service',
    labels: ['light'],
    help: 'Applications by their current light: all of them.',
  },
  application_light: {
    type: 'gauge',
    of: 'service',
    labels: ['application', 'light'],
    help: 'Current light of an application, as platform_light. At most 200 applications: the worst, then by name.',
  },
  application_pass_ratio: {
    type: 'gauge',
    of: 'service',
    labels: ['application'],
    help: 'As platform_pass_ratio, of the same applications as application_light.',
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

/** From what is done at once to the download of a day of a large company. */
const BUCKETS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600];

/** A registry of its own, with these and those of the process, and nothing counted yet. */
export function createMetrics(): { readonly registry: Registry; readonly metrics: Metrics } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: PREFIX });
  const made = Object.entries(METRICS).map(([name, { type, help, labels }]) => {
    const options = { name: PREFIX + name, help, labelNames: [...labels], registers: [registry] };
    if (type === 'counter') return [name, new Counter(options)];
    if (type === 'gauge') return [name, new Gauge(options)];
    return [name, new Histogram({ ...options, buckets: BUCKETS_SECONDS })];
  });
  return { registry, metrics: Object.fromEntries(made) as Metrics };
}
