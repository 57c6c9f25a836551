import { z } from 'zod';
import { MonitorError } from '../domain/errors.js';
import type { DomainSettings, PipelineKind } from '../domain/model.js';
import { retentionProblems } from '../domain/retention.js';
import { alertSettings } from './alert-settings.js';
import { contradictions, type SettingsProblem } from './contradictions.js';
import { lightSettings, scopeSettings } from './rule-settings.js';
import {
  accessSettings,
  type QueueBackend,
  qualitySettings,
  queueSettings,
  resourceSettings,
  scheduleSettings,
  serverSettings,
  storeSettings,
} from './service-settings.js';
import { settingInfo } from './setting.js';
import { aliasSettings, catalogSettings, mlflowSettings, requestSettings } from './upstream-settings.js';

/** Injection token of the `Settings` that `loadSettings` returns. */
export const SETTINGS = Symbol('SETTINGS');

/** Raised when facts are judged or computed differently. Each stored day is then rebuilt: docs/storage.md#versions. */
export const RULES_VERSION = 3;
/** Raised when the columns or the layout of a derived dataset change. Each stored day is then rebuilt. */
export const SCHEMA_VERSION = 3;

/** All settings, in the order of docs/settings.md: by how often people need them. */
export const SETTING_GROUPS = {
  'MLflow: where runs come from': mlflowSettings,
  'Catalog: metadata and thresholds of metrics': catalogSettings,
  'Scope: what is monitored': scopeSettings,
  'Storage: where data is stored': storeSettings,
  'Server: address, logs and roles': serverSettings,
  'Access: who may use admin requests': accessSettings,
  'Queue: Redis or embedded': queueSettings,
  'Schedules: when data is fetched': scheduleSettings,
  'Traffic lights: when they change': lightSettings,
  'Alerts: who is notified': alertSettings,
  'Data quality: limits of checks': qualitySettings,
  'Resources: memory, disk and concurrency': resourceSettings,
  'Requests: retries, timeouts and page sizes': requestSettings,
  'Aliases: other names of settings': aliasSettings,
} as const;

// Listed again for the type of `Settings`. A test compares the two lists.
const schema = z.object({
  ...mlflowSettings,
  ...catalogSettings,
  ...scopeSettings,
  ...storeSettings,
  ...serverSettings,
  ...accessSettings,
  ...queueSettings,
  ...scheduleSettings,
  ...lightSettings,
  ...alertSettings,
  ...qualitySettings,
  ...resourceSettings,
  ...requestSettings,
  ...aliasSettings,
});
type Values = z.infer<typeof schema>;

export type Settings = Values & {
  /** Whether `BATCH_SIZE` or its alias is set. It then limits the page size of all kinds of pipeline runs. */
  readonly pageSizeIsSet: boolean;
};

/** Names every wrong variable. */
export class SettingsError extends MonitorError {
  override readonly name: string = 'SettingsError';
  constructor(readonly problems: readonly SettingsProblem[]) {
    const lines = problems.map(({ name, problem, remedy }) => `  ${name} ${problem}: ${remedy}`);
    super('settings', ['These settings are wrong:', ...lines].join('\n'));
  }
}

/**
 * A value that is safe to print. The value of a secret is hidden. So is everything in a URL that may be a secret: its
 * query and all text before its last `@`, because in a malformed URL the end of the password is unknown.
 */
function redacted(name: string, value: string): string {
  const field: z.ZodType | undefined = Object.entries(schema.shape).find(([key]) => key === name)?.[1];
  if (field && settingInfo.get(field)?.secret) return '(a secret value)';
  const withoutUser = value.replace(/^([a-z][\w+.-]*:\/\/)?.+@/is, '$1***@');
  return JSON.stringify(withoutUser.replace(/(:\/\/[^?#]*)[?#].*$/s, '$1?***'));
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The variables that are set, by name. A blank one counts as unset. */
function givenIn(env: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.keys(schema.shape).flatMap((name) => {
      // Only the lower-case name of the first is safe in a CGI, so that programs prefer it for all three.
      const lower = name.endsWith('_PROXY') ? env[name.toLowerCase()]?.trim() : undefined;
      const value = lower || env[name]?.trim();
      return value ? [[name, value] as const] : [];
    }),
  );
}

/** The settings that are set, in the order of the documents, with values that are safe to print. */
export function describeSettings(env: Environment): { name: string; value: string }[] {
  return Object.entries(givenIn(env)).map(([name, value]) => ({ name, value: redacted(name, value) }));
}

/** @throws {SettingsError} names every wrong variable */
export function loadSettings(env: Environment): Settings {
  const given = givenIn(env);
  const parsed = schema.safeParse(given);
  const problems = (parsed.error?.issues ?? []).map((issue): SettingsProblem => {
    const name = String(issue.path[0]);
    const value = given[name];
    if (value !== undefined) {
      return { name, problem: `is ${redacted(name, value)}`, remedy: `expected ${issue.message}` };
    }
    const remedy =
      name === 'MLFLOW_TRACKING_URI'
        ? 'set it to the address of your MLflow tracking server, such as MLFLOW_TRACKING_URI=http://localhost:5000'
        : `expected ${issue.message}`;
    return { name, problem: 'is missing', remedy };
  });
  problems.push(...contradictions(given, redacted));
  if (!parsed.success || problems.length > 0) throw new SettingsError(problems);
  const values = parsed.data;
  const { RETENTION_DAYS, LOOKBACK_DAYS_HISTORICAL, REEVALUATE_DAYS } = values;
  const tooShort = retentionProblems(RETENTION_DAYS, LOOKBACK_DAYS_HISTORICAL, REEVALUATE_DAYS);
  if (tooShort.length > 0) {
    const problem = `is ${redacted('RETENTION_DAYS', given.RETENTION_DAYS ?? '')}`;
    throw new SettingsError(tooShort.map((remedy) => ({ name: 'RETENTION_DAYS', problem, remedy })));
  }
  return {
    ...values,
    BATCH_SIZE: values.MAX_RESULTS_PER_PAGE ?? values.BATCH_SIZE,
    pageSizeIsSet: 'BATCH_SIZE' in given || 'MAX_RESULTS_PER_PAGE' in given,
  };
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
  const uri = url.href.replace(/\/+$/, '');
  const workspace = settings.MLFLOW_WORKSPACE;
  return {
    uri,
    /** Where the runs of a store come from. */
    source: workspace ? `${uri} (workspace ${workspace})` : uri,
    username,
    password,
    token: settings.MLFLOW_TRACKING_TOKEN,
    insecureTls: settings.MLFLOW_TRACKING_INSECURE_TLS,
    workspace,
    headers: settings.MLFLOW_TRACKING_HEADERS,
    proxies: proxySettings(settings),
    authorities: authoritiesOf(settings),
    clientCertPath: settings.MLFLOW_TRACKING_CLIENT_CERT_PATH,
    maxRetries: settings.MLFLOW_HTTP_REQUEST_MAX_RETRIES ?? settings.MAX_RETRIES,
    backoffSeconds: settings.MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR,
    timeoutSeconds: settings.MLFLOW_HTTP_REQUEST_TIMEOUT ?? settings.TIMEOUT,
    concurrency: settings.MLFLOW_CONCURRENCY,
    maxPerSecond: settings.MLFLOW_MAX_RPS,
    maxPageBytes: settings.MAX_PAGE_MB * 2 ** 20,
  };
}

/** Where the trusted certificate authorities are, by the setting that says so. Its order is that of MLflow's own client. */
function authoritiesOf(settings: Settings): { readonly setting: string; readonly path: string } | undefined {
  for (const setting of [
    'MLFLOW_TRACKING_SERVER_CERT_PATH',
    'REQUESTS_CA_BUNDLE',
    'CURL_CA_BUNDLE',
  ] as const) {
    const path = settings[setting];
    if (path) return { setting, path };
  }
  return undefined;
}

const proxySettings = ({ HTTP_PROXY, HTTPS_PROXY, NO_PROXY }: Settings) => ({
  http: HTTP_PROXY,
  https: HTTPS_PROXY,
  except: NO_PROXY,
});

/** The address of MLflow's pages for links, without a slash at the end; its query names the workspace, if there is one. */
export function mlflowUiOf(settings: Settings): string {
  const { uri, workspace } = mlflowOptions(settings);
  const address = (settings.MLFLOW_UI_URL ?? uri).replace(/\/+$/, '');
  return workspace ? `${address}?workspace=${workspace}` : address;
}

export function catalogOptions(settings: Settings) {
  return {
    metricsUrl: settings.METRICS_API_URL,
    thresholdsUrl: settings.THRESHOLDS_API_URL,
    apiKey: settings.API_KEY,
    proxies: proxySettings(settings),
    maxRetries: settings.MAX_RETRIES,
    timeoutMs: settings.TIMEOUT * 1000,
  };
}

/** The settings that say where the rules come from, without secrets. */
export const ruleSettings = (settings: Settings) => ({
  reevaluate_days: settings.REEVALUATE_DAYS,
  metrics_api_url: settings.METRICS_API_URL ? withoutSecrets(settings.METRICS_API_URL) : null,
  thresholds_api_url: settings.THRESHOLDS_API_URL ? withoutSecrets(settings.THRESHOLDS_API_URL) : null,
});

/** A URL without what may be secret. */
export function withoutSecrets(url: string): string {
  // The path of a file may be relative, which a parsed URL is not.
  if (url.startsWith('file:') || !URL.canParse(url)) return url;
  const parsed = new URL(url);
  parsed.username = '';
  parsed.password = '';
  parsed.search = '';
  parsed.hash = '';
  return parsed.href;
}

/** `undefined` without a bucket. */
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

/** The settings that affect published numbers. They are stored in the rulebook. */
export function domainSettings(settings: Settings): DomainSettings {
  return {
    rules_version: RULES_VERSION,
    application_tag: settings.APPLICATION_TAG,
    count_nested_runs: settings.COUNT_NESTED_RUNS === true,
    count_nested_of: typeof settings.COUNT_NESTED_RUNS === 'boolean' ? [] : settings.COUNT_NESTED_RUNS,
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
    forecast_lookback_days: settings.FORECAST_LOOKBACK_DAYS,
  };
}
