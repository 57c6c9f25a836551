export interface MetricSpec {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

/** Of one process; without the prefix. Names contain the unit. */
export const PROCESS_METRICS = {
  build_info: {
    type: 'gauge',
    labels: ['version', 'node', 'roles'],
    help: 'Always 1. The labels are the version, the Node.js version and the roles of the process.',
  },
  upstream_requests_total: {
    type: 'counter',
    labels: ['upstream', 'outcome'],
    help: 'Requests to mlflow, catalog and store (a bucket) by outcome: answered or failed. Most failed requests are retried.',
  },
  upstream_requests_denied_total: {
    type: 'counter',
    labels: ['upstream'],
    help: 'Requests to mlflow, catalog and store (a bucket) that were denied: HTTP 401 or 403.',
  },
  pipeline_runs_total: {
    type: 'counter',
    labels: ['kind', 'status'],
    help: 'Pipeline runs finished by this process, by status: done, failed, cancelled.',
  },
  stage_duration_seconds: {
    type: 'histogram',
    labels: ['stage', 'outcome'],
    help: 'Duration of stages by outcome: done, failed, retried (will be retried), waiting (until the catalog is available).',
  },
  runs_in_total: {
    type: 'counter',
    labels: [],
    help: 'Runs received from MLflow; a run that is fetched again counts again.',
  },
  runs_published_total: {
    type: 'counter',
    labels: ['change'],
    help: 'MLflow runs whose facts were new (inserted) or changed (updated), counted after their day was judged.',
  },
  runs_quarantined_total: {
    type: 'counter',
    labels: [],
    help: 'MLflow runs that cannot be parsed; counted each time MLflow returns them.',
  },
  ledger_imbalance_records: {
    type: 'gauge',
    labels: [],
    help: 'Records of MLflow that this process has received and did not count exactly once as inserted, updated, unchanged, superseded, undated, expired or quarantined. Must be 0; the log names the experiment.',
  },
  missed_by_delta_total: {
    type: 'counter',
    labels: [],
    help: 'Ended MLflow runs that a historical or backup run found new or changed although deltas had read their time before: late changes of tags, params or metrics, and what deltas missed.',
  },
  partitions_written_total: {
    type: 'counter',
    labels: ['stage'],
    help: 'Published objects that were created or replaced.',
  },
  downloaded_bytes_total: {
    type: 'counter',
    labels: [],
    help: 'Size of the run pages downloaded from MLflow.',
  },
  held_job_idle_seconds: {
    type: 'gauge',
    labels: [],
    help: 'Time since the last progress of the active job that has been idle longest; 0 if no job is active.',
  },
  stalled_jobs_total: {
    type: 'counter',
    labels: ['queue'],
    help: 'Jobs whose process stopped or hung without finishing them, counted by the process that found them. They run again.',
  },
  store_single_writer: {
    type: 'gauge',
    labels: [],
    help: 'Whether the store does not enforce conditional writes (1), so that only one process may use it.',
  },
  store_conflicts_total: {
    type: 'counter',
    labels: ['object'],
    help: 'Conditional writes lost to another writer, by object: dataset or state. Each is repeated on top of the other write.',
  },
  store_unclear_answers_total: {
    type: 'counter',
    labels: [],
    help: 'Writes for which the store returned no clear outcome; each is verified with a request.',
  },
  alert_delivery_attempts_total: {
    type: 'counter',
    labels: ['channel', 'outcome'],
    help: 'Attempts to deliver messages of alerts, by type of channel, such as slack, and outcome: delivered, retry (another attempt follows), failed, gone (the receiver wants no more messages), wait (the rest follows after a cooldown or a rate limit), skipped (the channel is not meant for it).',
  },
  alert_transitions_total: {
    type: 'counter',
    labels: ['change', 'severity'],
    help: 'Changes of alerts by this process: pending, fired, inhibited, cleared, recovering, refired, recovered, corrected, no_data, muted, unmuted, acknowledged.',
  },
} as const satisfies Record<string, MetricSpec>;
