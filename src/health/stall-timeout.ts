import { mlflowOptions, type Settings } from '../config/settings.js';

/** The longest wait before a retry of any upstream client, s. */
const MAX_RETRY_WAIT_SECONDS = 120;
/** How long the tracking server may have a request wait by `Retry-After`, besides the retries, s. */
const MAX_REQUESTED_SECONDS = 600;
/** Never so short that a slow disk would count as a stall. */
const MIN_STALL_TIMEOUT_MS = 30 * 60_000;

/**
 * How long a job may make no progress before the liveness probe fails, ms: twice the longest time that a request of this
 * service can take with all its retries, timeouts and waits. A job that makes progress, page by page or day by day, may
 * take any time.
 */
export function stallTimeoutMs(settings: Settings): number {
  const mlflow = mlflowOptions(settings);
  const attempts = 1 + Math.max(mlflow.maxRetries, settings.MAX_RETRIES);
  const timeoutSeconds = Math.max(mlflow.timeoutSeconds, settings.TIMEOUT);
  const longest = attempts * (timeoutSeconds + MAX_RETRY_WAIT_SECONDS) + MAX_REQUESTED_SECONDS;
  return Math.max(MIN_STALL_TIMEOUT_MS, 2 * longest * 1000);
}
