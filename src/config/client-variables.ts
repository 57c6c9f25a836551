import type { Environment } from './settings.js';

const TCP = 'A broken connection is found by MLFLOW_HTTP_REQUEST_TIMEOUT';
const POOL = 'Set MLFLOW_CONCURRENCY';
const DATABRICKS = 'Set MLFLOW_TRACKING_URI to the address of the workspace, and MLFLOW_TRACKING_TOKEN';

/** A variable that counts only if it is switched `on`, only if it is switched `off`, or with every value. */
type Counts = 'on' | 'off' | 'any';

/**
 * The variables of MLflow's own client that this service does not follow, and what to do instead. Read from `rest_utils.py`,
 * `credentials.py` and `request_utils.py` of MLflow 3.17, and from requests. A test compares the list with the installed MLflow.
 */
const NOT_FOLLOWED: Readonly<Record<string, readonly [Counts, string]>> = {
  MLFLOW_TRACKING_AWS_SIGV4: [
    'on',
    'Requests are not signed for AWS. Set MLFLOW_TRACKING_URI to a proxy that signs them, such as aws-sigv4-proxy',
  ],
  MLFLOW_TRACKING_AUTH: [
    'any',
    'Plugins of MLflow are not run. Set MLFLOW_TRACKING_TOKEN or MLFLOW_TRACKING_HEADERS to what the plugin sends',
  ],
  MLFLOW_REGISTRY_URI: ['any', 'Model versions are read from MLFLOW_TRACKING_URI'],
  MLFLOW_ALLOW_HTTP_REDIRECTS: ['on', 'Redirects are not followed: they would send credentials elsewhere'],
  MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER: ['off', 'Retry-After is always respected'],
  MLFLOW_HTTP_REQUEST_BACKOFF_JITTER: [
    'any',
    'Half of each wait is random. Set MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR',
  ],
  MLFLOW_HTTP_POOL_CONNECTIONS: ['any', POOL],
  MLFLOW_HTTP_POOL_MAXSIZE: ['any', POOL],
  MLFLOW_HTTP_TCP_KEEPALIVE: ['on', TCP],
  MLFLOW_HTTP_TCP_KEEPALIVE_IDLE: ['any', TCP],
  MLFLOW_HTTP_TCP_KEEPALIVE_INTERVAL: ['any', TCP],
  MLFLOW_HTTP_TCP_KEEPALIVE_COUNT: ['any', TCP],
  MLFLOW_DATABRICKS_ENDPOINT_HTTP_RETRY_TIMEOUT: ['any', 'Set MLFLOW_HTTP_REQUEST_MAX_RETRIES'],
  DATABRICKS_HOST: ['any', DATABRICKS],
  DATABRICKS_TOKEN: ['any', DATABRICKS],
  DATABRICKS_CONFIG_FILE: ['any', DATABRICKS],
  DATABRICKS_CONFIG_PROFILE: ['any', DATABRICKS],
  DATABRICKS_CLIENT_ID: ['any', DATABRICKS],
  DATABRICKS_CLIENT_SECRET: ['any', DATABRICKS],
  ALL_PROXY: ['any', 'Set HTTP_PROXY and HTTPS_PROXY'],
};

export const UNFOLLOWED: readonly string[] = Object.keys(NOT_FOLLOWED);

export interface UnfollowedVariable {
  readonly name: string;
  /** Why, and what to do instead; without a full stop. */
  readonly advice: string;
}

/** The variables that are set, and change something for MLflow's own client but nothing here. */
export function unfollowedVariables(env: Environment): UnfollowedVariable[] {
  const given = (name: string) => (env[name] || env[name.toLowerCase()])?.trim().toLowerCase();
  return Object.entries(NOT_FOLLOWED).flatMap(([name, [counts, advice]]) => {
    const value = name === 'ALL_PROXY' ? given(name) : env[name]?.trim().toLowerCase();
    if (!value) return [];
    const isOff = value === 'false' || value === '0';
    if (counts !== 'any' && isOff !== (counts === 'off')) return [];
    // The other two take precedence.
    if (name === 'ALL_PROXY' && given('HTTP_PROXY') && given('HTTPS_PROXY')) return [];
    return [{ name, advice }];
  });
}
