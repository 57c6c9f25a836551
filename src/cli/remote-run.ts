import { setTimeout as wait } from 'node:timers/promises';
import type { Settings } from '../config/settings.js';
import { MonitorError } from '../domain/errors.js';
import { showProgress } from './progress.js';

const POLL_MS = 1_000;
/** Consecutive polls that may fail, for a service that restarts. */
const MAX_FAILED_POLLS = 60;

/** What a running service executes. */
interface RemoteRun {
  readonly id: string;
  readonly status: string;
}

/**
 * Shows the progress of what a service executes until it ends.
 * @returns how it ended, and the seconds that this took
 * @throws {MonitorError} of `read`, if it is not retryable or the service stays away
 */
export async function pollUntilEnd<Run extends RemoteRun>(
  first: Run,
  {
    read,
    show,
  }: {
    read(): Promise<Run>;
    show(progress: ReturnType<typeof showProgress>, run: Run): void;
  },
): Promise<[run: Run, seconds: string]> {
  const startedAt = Date.now();
  console.log(`${first.id} is stored and continues without this command. Progress:`);
  const progress = showProgress(first.id);
  let run = first;
  try {
    for (let failedPolls = 0; run.status === 'active'; ) {
      show(progress, run);
      await wait(POLL_MS);
      try {
        run = await read();
        failedPolls = 0;
      } catch (error) {
        if (!(error instanceof MonitorError) || !error.retryable || ++failedPolls > MAX_FAILED_POLLS) {
          throw error;
        }
      }
    }
    show(progress, run);
  } finally {
    progress.stop();
  }
  return [run, ((Date.now() - startedAt) / 1000).toFixed(1)];
}

/**
 * Work in this process that needs the folder of the settings.
 * @param command the same for the service that may own the folder
 * @throws {MonitorError} `store_owned`, with this command
 */
export async function sendInstead<T>(work: Promise<T>, settings: Settings, command: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof MonitorError) || error.code !== 'store_owned') throw error;
    const [name] = command.split(' ');
    const message = `${error.message}\nIf the process is a running service, send it the ${name}: mlflow-monitor ${command} --url http://127.0.0.1:${settings.PORT}`;
    throw new MonitorError(error.code, message, error.context, false, { cause: error });
  }
}
