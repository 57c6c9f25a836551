import { z } from 'zod';
import { MonitorError } from '../domain/errors.js';
import type { DomainSettings, PipelineKind } from '../domain/model.js';
import {
  accessSettings,
  processSettings,
  type QueueBackend,
  queueSettings,
  scheduleSettings,
  storeSettings,
} from './service-settings.js';
import { settingInfo } from './setting.js';
import { catalogSettings, judgingSettings, mlflowSettings, scopeSettings } from './upstream-settings.js';

/** Injection token of the `Settings` that `loadSettings` read. */
export const SETTINGS = Symbol('SETTINGS');

/** Raised only when published bytes change. */
export const RULES_VERSION = 1;

/** The settings in the groups and the order of the documents. */
export const SETTING_GROUPS = {
  'Tracking server': mlflowSettings,
  Catalog: catalogSettings,
  'What is watched': scopeSettings,
  Judging: judgingSettings,
  Schedules: scheduleSettings,
  Storage: storeSettings,
  Queues: queueSettings,
  Access: accessSettings,
  Process: processSettings,
} as const;

const schema = z.object({
  ...mlflowSettings,
  ...catalogSettings,
  ...scopeSettings,
  ...judgingSettings,
  ...scheduleSettings,
  ...storeSettings,
  ...queueSettings,
  ...accessSettings,
  ...processSettings,
});
type Values = z.infer<typeof schema>;

export type Settings = Values & {
  /** Whether somebody chose the page size: then it bounds that of the other kinds too. */
  readonly pageSizeIsSet: boolean;
};

/** Says of each wrong variable what it got and what it expects. */
export class SettingsError extends MonitorError {
  override readonly name: string = 'SettingsError';
  constructor(readonly problems: readonly string[]) {
    super('settings', ['These settings are wrong:', ...problems.map((problem) => `  ${problem}`)].join('\n'));
  }
}

/**
 * A value as it may be shown: never a secret, nor what may be one in an address, which is wrong, so that nobody knows
 * where its password ends: all before its last `@`, and its query.
 */
function shown(name: string, value: string): string {
  const field: z.ZodType | undefined = Object.entries(schema.shape).find(([key]) => key === name)?.[1];
  if (field && settingInfo.get(field)?.secret) return '(a secret value)';
  const withoutUser = value.replace(/^([a-z][\w+.-]*:\/\/)?.+@/is, '$1***@');
  return JSON.stringify(withoutUser.replace(/(:\/\/[^?#]*)[?#].*$/s, '$1?***'));
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The variables that are set, by name. A blank one is not. */
function givenIn(env: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.keys(schema.shape).flatMap((name) => {
      const value = env[name]?.trim();
      return value ? [[name, value] as const] : [];
    }),
  );
}

/** The settings that are set, in the order of the documents, with values as they may be shown. */
export function describeSettings(env: Environment): { name: string; value: string }[] {
  return Object.entries(givenIn(env)).map(([name, value]) => ({ name, value: shown(name, value) }));
}

/** @throws {SettingsError} naming every wrong variable */
export function loadSettings(env: Environment): Settings {
  const given = givenIn(env);
  const parsed = schema.safeParse(given);
  const problems = (parsed.error?.issues ?? []).map((issue) => {
    const name = String(issue.path[0]);
    const value = given[name];
    if (value !== undefined) return `${name} is ${shown(name, value)}; it expects ${issue.message}`;
    return name === 'MLFLOW_TRACKING_URI'
      ? 'MLFLOW_TRACKING_URI is missing: the address of your MLflow tracking server, such as MLFLOW_TRACKING_URI=http://localhost:5000'
      : `${name} is missing; it expects ${issue.message}`;
  });
  problems.push(...crossProblems(given));
  if (!parsed.success || problems.length > 0) throw new SettingsError(problems);
  const values = parsed.data;
  return {
    ...values,
    BATCH_SIZE: values.MAX_RESULTS_PER_PAGE ?? values.BATCH_SIZE,
    pageSizeIsSet: 'BATCH_SIZE' in given || 'MAX_RESULTS_PER_PAGE' in given,
  };
}

/** Of settings that contradict each other; looks at the texts, so that it is told beside what is wrong with one alone. */
function crossProblems(given: Readonly<Record<string, string>>): string[] {
  const { BATCH_SIZE, MAX_RESULTS_PER_PAGE, QUEUE_BACKEND, REDIS_URL } = given;
  const problems: string[] = [];
  // Not a number where one of them is missing or wrong.
  const difference = Number(BATCH_SIZE) - Number(MAX_RESULTS_PER_PAGE);
  if (difference !== 0 && !Number.isNaN(difference)) {
    problems.push(
      `BATCH_SIZE is ${BATCH_SIZE} and MAX_RESULTS_PER_PAGE is ${MAX_RESULTS_PER_PAGE}; they are two names of one setting`,
    );
  }
  if (given.MLFLOW_TRACKING_PASSWORD && !given.MLFLOW_TRACKING_USERNAME) {
    problems.push('MLFLOW_TRACKING_PASSWORD is set; it expects MLFLOW_TRACKING_USERNAME beside it');
  }
  if (QUEUE_BACKEND === 'redis' && !REDIS_URL) {
    problems.push('QUEUE_BACKEND is "redis"; it expects REDIS_URL beside it');
  }
  if (given.S3_ENDPOINT && !given.S3_BUCKET) {
    problems.push(
      `S3_ENDPOINT is ${shown('S3_ENDPOINT', given.S3_ENDPOINT)}; it expects S3_BUCKET beside it`,
    );
  }
  if (given.S3_SSE_KMS_KEY_ID && !given.S3_SSE?.startsWith('aws:kms')) {
    problems.push('S3_SSE_KMS_KEY_ID is set; it expects S3_SSE=aws:kms or S3_SSE=aws:kms:dsse beside it');
  }
  if (given.NODE_ENV === 'production' && !REDIS_URL && QUEUE_BACKEND !== 'embedded') {
    problems.push(
      'NODE_ENV is "production"; it expects REDIS_URL, or QUEUE_BACKEND=embedded for a single process on purpose',
    );
  }
  return problems;
}

export function queueBackendOf(settings: Settings): QueueBackend {
  return settings.QUEUE_BACKEND ?? (settings.REDIS_URL ? 'redis' : 'embedded');
}

/** Runs per page. */
export function pageSizeOf(kind: PipelineKind, settings: Settings): number {
  const { BATCH_SIZE, HISTORICAL_BATCH_SIZE, pageSizeIsSet } = settings;
  if (kind === 'delta' || kind === 'backup') return BATCH_SIZE;
  return pageSizeIsSet ? Math.min(BATCH_SIZE, HISTORICAL_BATCH_SIZE) : HISTORICAL_BATCH_SIZE;
}

export function mlflowOptions(settings: Settings) {
  const url = new URL(settings.MLFLOW_TRACKING_URI);
  const username = settings.MLFLOW_TRACKING_USERNAME ?? (decodeURIComponent(url.username) || undefined);
  const password = settings.MLFLOW_TRACKING_PASSWORD ?? (decodeURIComponent(url.password) || undefined);
  url.username = '';
  url.password = '';
  return {
    uri: url.href.replace(/\/+$/, ''),
    username,
    password,
    token: settings.MLFLOW_TRACKING_TOKEN,
    insecureTls: settings.MLFLOW_TRACKING_INSECURE_TLS,
    serverCertPath: settings.MLFLOW_TRACKING_SERVER_CERT_PATH,
    clientCertPath: settings.MLFLOW_TRACKING_CLIENT_CERT_PATH,
    maxRetries: settings.MLFLOW_HTTP_REQUEST_MAX_RETRIES ?? settings.MAX_RETRIES,
    backoffSeconds: settings.MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR,
    timeoutSeconds: settings.MLFLOW_HTTP_REQUEST_TIMEOUT ?? settings.TIMEOUT,
    concurrency: settings.MLFLOW_CONCURRENCY,
  };
}

export function catalogOptions(settings: Settings) {
  return {
    metricsUrl: settings.METRICS_API_URL,
    thresholdsUrl: settings.THRESHOLDS_API_URL,
    apiKey: settings.API_KEY,
    maxRetries: settings.MAX_RETRIES,
    timeoutMs: settings.TIMEOUT * 1000,
  };
}

/** undefined: no bucket. */
export function s3Options(settings: Settings) {
  if (!settings.S3_BUCKET) return undefined;
  return {
    bucket: settings.S3_BUCKET,
    prefix: settings.S3_PREFIX,
    endpoint: settings.S3_ENDPOINT,
    region: settings.AWS_REGION,
    pathStyle: settings.S3_FORCE_PATH_STYLE,
    checksumMode: settings.S3_CHECKSUM_MODE,
    sse: settings.S3_SSE,
    kmsKeyId: settings.S3_SSE_KMS_KEY_ID,
    maxRetries: settings.MAX_RETRIES,
    timeoutMs: settings.TIMEOUT * 1000,
  };
}

/** What changes published numbers; stored in the rulebook. */
export function domainSettings(settings: Settings): DomainSettings {
  return {
    rules_version: RULES_VERSION,
    application_tag: settings.APPLICATION_TAG,
    count_nested_runs: settings.COUNT_NESTED_RUNS,
    judge_running: settings.JUDGE_RUNNING,
    experiment_include: settings.EXPERIMENT_INCLUDE,
    experiment_exclude: settings.EXPERIMENT_EXCLUDE,
    metric_include: settings.METRIC_INCLUDE,
    metric_exclude: settings.METRIC_EXCLUDE,
    moving_average_window_hours: settings.MOVING_AVERAGE_WINDOW_HOURS,
    light_span_hours: settings.LIGHT_SPAN_HOURS,
    critical_runs_percent: settings.CRITICAL_RUNS_PERCENT,
    pass_rate_percent: settings.PASS_RATE_PERCENT,
    warning_runs_percent: settings.WARNING_RUNS_PERCENT,
    failed_runs_percent: settings.FAILED_RUNS_PERCENT,
  };
}
