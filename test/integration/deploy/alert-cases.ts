/** For each alert the series with which it fires, and those just below its limit. One sample per minute, from 0. */
export interface AlertCase {
  readonly alert: string;
  readonly fires: Readonly<Record<string, string>>;
  /** Other series or values than in `fires`. */
  readonly below: Readonly<Record<string, string>>;
  /** The minute from which the expression is true; 0 by default. */
  readonly since?: number;
  /** The labels of the alert besides its severity. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly summary: string;
  /** If it depends on the samples. */
  readonly description?: string;
}

const PREFIX = 'mlflow_monitor_';
const always = (value: number): string => `${value}+0x400`;
/** A time in seconds since 1970 that is always this many seconds ago. */
const ago = (seconds: number): string => `-${seconds}+60x400`;
/** When the counters below change: late enough to fill every range. */
const STEP_MINUTE = 70;
const step = (from: number, by: number): string => `${from}+0x${STEP_MINUTE - 1} ${from + by}+0x300`;

/** An alert about one value of one metric. */
const gauge = (
  alert: string,
  series: string,
  fires: string,
  below: string,
  rest: Omit<AlertCase, 'alert' | 'fires' | 'below'>,
): AlertCase => ({
  alert: `MlflowMonitor${alert}`,
  fires: { [`${PREFIX}${series}`]: fires },
  below: { [`${PREFIX}${series}`]: below },
  ...rest,
});
/** An alert about the increase of one counter, from `from` on. */
const increase = (
  alert: string,
  series: string,
  [fires, below]: readonly [number, number],
  rest: Omit<AlertCase, 'alert' | 'fires' | 'below'>,
): AlertCase => gauge(alert, series, step(3, fires), step(3, below), { since: STEP_MINUTE, ...rest });

const UP = 'up{job="mlflow-monitor", instance="a:3000"}';
const PERIOD = `${PREFIX}delta_period_seconds`;
const SUCCESS = `${PREFIX}pipeline_last_success_timestamp_seconds{kind="delta"}`;
const SCHEDULED = `${PREFIX}pipeline_last_scheduled_timestamp_seconds{kind="delta"}`;
const STORE = `${PREFIX}upstream_requests_total{upstream="store", outcome=`;
const APPLICATION = `${PREFIX}application_alerts_firing{application="churn", owner="risk", severity=`;
const CHURN = { application: 'churn', owner: 'risk' };

export const ALERT_CASES: readonly AlertCase[] = [
  {
    alert: 'MlflowMonitorWatchdog',
    fires: { [UP]: always(1) },
    below: { [UP]: always(0) },
    summary: 'Processes of mlflow-monitor whose alerts are evaluated: 1',
  },
  {
    alert: 'MlflowMonitorDown',
    fires: { [UP]: always(0), 'up{job="mlflow-monitor", instance="b:3000"}': always(1) },
    below: { [UP]: always(1), 'up{job="mlflow-monitor", instance="b:3000"}': always(1) },
    summary: 'Processes of mlflow-monitor that cannot be scraped: 1',
    description: 'No response for 3 minutes from: a:3000.',
  },
  {
    alert: 'MlflowMonitorDown',
    fires: {},
    below: { [UP]: always(1) },
    labels: { job: 'mlflow-monitor' },
    summary: 'Processes of mlflow-monitor that cannot be scraped: 1',
    description: 'No response for 3 minutes from: the whole job, which has no targets.',
  },
  {
    alert: 'MlflowMonitorNothingPublished',
    fires: { [SUCCESS]: ago(1801), [PERIOD]: always(300) },
    below: { [SUCCESS]: ago(1800), [PERIOD]: always(300) },
    summary: 'Nothing has been published for 30m 1s',
  },
  {
    alert: 'MlflowMonitorNothingPublished',
    fires: { [SUCCESS]: ago(3601), [PERIOD]: always(1200) },
    below: { [SUCCESS]: ago(3600), [PERIOD]: always(1200) },
    summary: 'Nothing has been published for 1h 0m 1s',
  },
  {
    alert: 'MlflowMonitorSchedulerSilent',
    fires: { [SCHEDULED]: ago(1801), [PERIOD]: always(600) },
    below: { [SCHEDULED]: ago(1800), [PERIOD]: always(600) },
    summary: 'No delta has been scheduled for 30m 1s',
  },
  gauge('WatermarkLag', 'watermark_lag_seconds', always(3601), always(3600), {
    summary: 'An experiment has not been read for 1h 0m 1s',
  }),
  gauge('ExperimentsLagging', 'experiments{state="unread"}', always(1), always(0), {
    labels: { state: 'unread' },
    summary: 'Experiments that are unread: 1',
  }),
  gauge('UpstreamDown', 'upstream_up{upstream="mlflow"}', always(0), always(1), {
    labels: { upstream: 'mlflow' },
    summary: 'mlflow is unavailable. Affected processes: 1',
  }),
  increase('AuthorizationFailing', 'upstream_requests_denied_total{upstream="mlflow"}', [1, 0], {
    labels: { upstream: 'mlflow' },
    summary: 'Requests that mlflow denied within 15 minutes: 1',
  }),
  {
    alert: 'MlflowMonitorStoreErrors',
    fires: { [`${STORE}"failed"}`]: '0+51x400', [`${STORE}"answered"}`]: '0+949x400' },
    below: { [`${STORE}"failed"}`]: '0+49x400', [`${STORE}"answered"}`]: '0+951x400' },
    since: 1,
    summary: '5.1% of the requests to the bucket fail',
  },
  increase('PipelineRunsFailed', 'pipeline_runs_total{kind="delta", status="failed"}', [1, 0], {
    labels: { kind: 'delta' },
    summary: 'Pipeline runs of kind delta that failed within an hour: 1',
  }),
  increase('QuarantineRising', 'runs_quarantined_total', [11, 10], {
    summary: 'Records of MLflow that could not be read within an hour: 11',
  }),
  gauge('LedgerImbalance', 'ledger_imbalance_records', always(1), always(0), {
    summary: 'Records of MLflow that are not accounted for: 1',
  }),
  gauge('QualityError', 'quality_failing{check="volume", severity="error"}', always(1), always(0), {
    labels: { check: 'volume' },
    summary: 'The check volume of data quality fails. Errors: 1',
  }),
  gauge('QualityWarning', 'quality_failing{check="volume", severity="warning"}', always(1), always(0), {
    labels: { check: 'volume' },
    summary: 'The check volume of data quality fails. Warnings: 1',
  }),
  gauge('JobsWait', 'queue_oldest_job_age_seconds{queue="ingestion"}', always(7201), always(7200), {
    labels: { queue: 'ingestion' },
    summary: 'A job in the queue ingestion has been waiting for 2h 0m 1s',
  }),
  increase('JobsFailed', 'queue_jobs{queue="ingestion", state="failed"}', [1, 0], {
    labels: { queue: 'ingestion' },
    summary: 'Jobs in the queue ingestion that failed within an hour: 1',
  }),
  increase('JobsStalled', 'stalled_jobs_total{queue="ingestion"}', [4, 3], {
    labels: { queue: 'ingestion' },
    summary: 'Jobs in the queue ingestion whose process died within an hour: 4',
  }),
  gauge('QueuePaused', 'queue_paused{queue="ingestion"}', always(1), always(0), {
    labels: { queue: 'ingestion' },
    summary: 'The queue ingestion is paused. Processes that report it: 1',
  }),
  gauge('JobStuck', 'held_job_idle_seconds{instance="a:3000"}', always(1801), always(1800), {
    labels: { instance: 'a:3000' },
    summary: 'A job of a:3000 has made no progress for 30m 1s',
  }),
  increase('RedisEvicting', 'queue_evicted_keys', [1, 0], {
    summary: 'Keys that Redis deleted within 15 minutes because its memory is full: 1',
  }),
  gauge('RedisMayEvict', 'queue_may_evict', always(1), always(0), {
    summary: 'Redis may delete jobs when its memory is full. Processes that report it: 1',
  }),
  gauge('StoreConflicts', 'store_conflicts_total{object="state"}', '0+61x400', '0+60x400', {
    // The counter begins at 0: its first ten minutes do not fill the range of the rate.
    since: 10,
    summary: 'Writes to the store that lost to another writer: 1.017 per second',
  }),
  gauge('SingleWriter', 'store_single_writer', always(1), always(0), {
    summary: 'Processes that use a store without conditional writes: 1',
  }),
  gauge('CatalogRefused', 'catalog_refused_items', always(1), always(0), {
    summary: 'Invalid metrics and thresholds in the catalog: 1',
  }),
  gauge('AlertsNotDelivered', 'alert_oldest_message_age_seconds', always(901), always(900), {
    summary: 'A message about an alert has been waiting for 15m 1s',
  }),
  {
    alert: 'MlflowMonitorNotificationsFailing',
    fires: { [`${PREFIX}alert_delivery_attempts_total{channel="slack", outcome="failed"}`]: step(3, 1) },
    below: { [`${PREFIX}alert_delivery_attempts_total{channel="slack", outcome="retry"}`]: step(3, 1) },
    since: STEP_MINUTE,
    labels: { channel: 'slack' },
    summary: 'Messages that could not be delivered by slack within an hour: 1',
  },
  {
    alert: 'MlflowMonitorPlatformCritical',
    fires: {
      [`${PREFIX}platform_light{light="critical"}`]: always(1),
      [`${PREFIX}platform_pass_ratio`]: always(0.625),
    },
    below: {
      [`${PREFIX}platform_light{light="critical"}`]: always(0),
      [`${PREFIX}platform_pass_ratio`]: always(0.625),
    },
    summary: 'The platform is critical: 62.5% of the runs pass',
  },
  {
    alert: 'MlflowMonitorApplicationCritical',
    fires: { [`${APPLICATION}"critical"}`]: always(1) },
    below: { [`${APPLICATION}"warning"}`]: always(1) },
    labels: CHURN,
    summary: 'churn is critical. Alerts: 1',
  },
  {
    alert: 'MlflowMonitorApplicationWarning',
    fires: { [`${APPLICATION}"warning"}`]: always(1) },
    below: { [`${APPLICATION}"critical"}`]: always(1) },
    labels: CHURN,
    summary: 'churn needs a look. Alerts: 1',
  },
  {
    alert: 'MlflowMonitorBreachSoon',
    fires: {
      [`${PREFIX}seconds_to_breach{application="churn", owner="risk", metric="recall", status="critical"}`]:
        always(86_399),
    },
    below: {
      [`${PREFIX}seconds_to_breach{application="churn", owner="risk", metric="recall", status="critical"}`]:
        always(86_400),
    },
    labels: { ...CHURN, metric: 'recall', status: 'critical' },
    summary: 'recall of churn is expected to be critical in 23h 59m 59s',
  },
];
