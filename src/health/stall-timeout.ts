import { mlflowOptions, type Settings } from '../config/settings.js';

/** The longest wait before a retry that this service grants another one, s. */
const LONGEST_WAIT_SECONDS = 120;
const FEWEST_MS = 30 * 60_000;

/**
 * How long a job may stand still before it is stuck, ms: twice the time in which every request of this service has
 * ended, with all its retries, silences and waits. What moves on, page by page or day by day, may take for ever.
 */
export function stallTimeoutMs(settings: Settings): number {
  const mlflow = mlflowOptions(settings);
  const tries = 1 + Math.max(mlflow.maxRetries, settings.MAX_RETRIES);
  const silence = Math.max(mlflow.timeoutSeconds, settings.TIMEOUT);
  return Math.max(FEWEST_MS, 2 * tries * (silence + LONGEST_WAIT_SECONDS) * 1000);
}
