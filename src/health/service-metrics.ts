import type { MetricSpec } from './process-metrics.js';

/** The same in every process, read from store and queue at scrape time; without the prefix. Names contain the unit. */
export const SERVICE_METRICS = {
  upstream_up: {
    type: 'gauge',
    labels: ['upstream'],
    help: 'Whether the upstream is available (1) or not (0). store, queue: probed at scrape time. mlflow: the last request of this process, absent before the first. catalog: the last request of any process, absent before the first and if no catalog is configured.',
  },
  upstream_last_success_timestamp_seconds: {
    type: 'gauge',
    labels: ['upstream'],
    help: 'Time of the last successful request; absent if there was none.',
  },
  pipeline_last_success_timestamp_seconds: {
    type: 'gauge',
    labels: ['kind'],
    help: 'End of the last successful pipeline run of this kind; absent if there was none.',
  },
  pipeline_last_scheduled_timestamp_seconds: {
    type: 'gauge',
    labels: ['kind'],
    help: 'Newest scheduled time for which a scheduler has created a pipeline run of this kind, or found one waiting; absent if there is none.',
  },
  delta_period_seconds: {
    type: 'gauge',
    labels: [],
    help: 'DELTA_SCHEDULE_MINUTES in seconds.',
  },
  pipeline_runs_active: {
    type: 'gauge',
    labels: ['kind'],
    help: 'Unfinished pipeline runs.',
  },
  watermark_lag_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Age of the oldest watermark of the monitored experiments: everything that MLflow stored before it is published. Absent if there is no watermark.',
  },
  experiments: {
    type: 'gauge',
    labels: ['state'],
    help: 'Monitored experiments by state: current, lagging behind the others, or unread (nothing is published yet).',
  },
  never_ended_runs: {
    type: 'gauge',
    labels: [],
    help: 'MLflow runs that started more than 3 days ago and have not ended. `/health` names the oldest.',
  },
  outdated_objects: {
    type: 'gauge',
    labels: [],
    help: 'Published objects that are not rewritten yet after the rules or schema version was raised.',
  },
  quality_failing: {
    type: 'gauge',
    labels: ['check', 'severity'],
    help: 'How often a check of data quality fails: for all applications together, and for single applications.',
  },
  catalog_refused_items: {
    type: 'gauge',
    labels: [],
    help: 'Rows of the last catalog response that cannot be used.',
  },
  queue_jobs: {
    type: 'gauge',
    labels: ['queue', 'state'],
    help: 'Jobs by state: waiting, prioritized (behind the waiting ones), delayed, active, failed (kept for 14 days).',
  },
  queue_paused: {
    type: 'gauge',
    labels: ['queue'],
    help: 'Whether the queue is paused (1).',
  },
  queue_oldest_job_age_seconds: {
    type: 'gauge',
    labels: ['queue'],
    help: 'Age of the oldest of the next 200 jobs that are ready to be processed; 0 if there is none.',
  },
  queue_oldest_delta_age_seconds: {
    type: 'gauge',
    labels: ['queue'],
    help: 'Like queue_oldest_job_age_seconds, for jobs of deltas alone. For autoscaling: other pipeline runs may wait.',
  },
  queue_may_evict: {
    type: 'gauge',
    labels: [],
    help: 'Whether Redis may delete jobs when its memory is full (1): maxmemory-policy is not noeviction. Absent with the embedded queue.',
  },
  queue_evicted_keys: {
    type: 'gauge',
    labels: [],
    help: 'Keys that Redis has deleted since its start because its memory was full, also those of other programs. Absent with the embedded queue.',
  },
  alerts_firing: {
    type: 'gauge',
    labels: ['severity'],
    help: 'Incidents that fire, also those that are recovering, by severity. Without those that are muted or part of another alert. Absent before the first evaluation.',
  },
  alerts_acknowledged: {
    type: 'gauge',
    labels: ['severity'],
    help: 'Those of alerts_firing that are acknowledged.',
  },
  alerts_muted: {
    type: 'gauge',
    labels: ['severity'],
    help: 'Incidents that fire and are muted. None of them is in alerts_firing.',
  },
  application_alerts_firing: {
    type: 'gauge',
    labels: ['application', 'owner', 'severity'],
    help: 'Alerts of an application that fire, by their worst severity. Only those that people are notified of: without those that are muted, part of another alert or told by the digest alone. Most severe first, then most alerts; `__other__` adds up the rest.',
  },
  alert_messages_unfinished: {
    type: 'gauge',
    labels: [],
    help: 'Messages of alerts that are neither delivered nor failed.',
  },
  alert_oldest_message_age_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Age of the oldest message of alerts that is neither delivered nor failed; 0 if there is none.',
  },
  platform_light: {
    type: 'gauge',
    labels: ['light'],
    help: 'Current light of the platform: 1 for the current one, 0 for the others. Only processes with the role api expose lights.',
  },
  platform_pass_ratio: {
    type: 'gauge',
    labels: [],
    help: 'Share of the evaluated runs that are neither critical nor invalid; absent if no run is evaluated.',
  },
  platform_coverage_ratio: {
    type: 'gauge',
    labels: [],
    help: 'Share of the runs that are evaluated; absent if there are no runs.',
  },
  applications: {
    type: 'gauge',
    labels: ['light'],
    help: 'Number of applications by current light.',
  },
  application_light: {
    type: 'gauge',
    labels: ['application', 'owner', 'light'],
    help: 'Always 1: the label light is the current light of the application. Applications that need attention first, then the worst light, the lowest pass rate, the name; `__other__` has the worst light of the rest.',
  },
  application_pass_ratio: {
    type: 'gauge',
    labels: ['application'],
    help: 'Like platform_pass_ratio, in the order of application_light; `__other__` has the lowest of the rest.',
  },
  seconds_to_breach: {
    type: 'gauge',
    labels: ['application', 'owner', 'metric', 'status'],
    help: 'Time until the level of a metric is expected to cross its limit for status (warning or critical), for the metric of each application that is expected to do so first. Absent if no breach is likely. Soonest first; `__other__` has the soonest of the rest.',
  },
  folded_applications: {
    type: 'gauge',
    labels: ['family'],
    help: 'Applications that have no series of their own in a metric: beyond 100, the rest is in the series with the application `__other__`.',
  },
} as const satisfies Record<string, MetricSpec>;
