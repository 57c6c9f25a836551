import { setTimeout as wait } from 'node:timers/promises';
import {
  type BackfillDetail,
  type BackfillRequest,
  backfillDetailSchema,
  backfillWindow,
  requestBackfill,
} from '../admin/backfills.js';
import type { Settings } from '../config/settings.js';
import { MonitorError } from '../domain/errors.js';
import { escapeLines } from '../domain/text.js';
import { showProgress } from './progress.js';
import { runOnce } from './run.js';
import { ADMIN_TOKEN_HINT, type RemoteService, sendToService } from './service-client.js';

/**
 * Runs a backfill in this process.
 * @returns whether it succeeded
 * @throws {MonitorError} `store_owned`, with the command for the service that owns the folder
 */
export async function backfillLocally(settings: Settings, days: BackfillRequest): Promise<boolean> {
  const window = backfillWindow(days, Date.now());
  try {
    return await runOnce(settings, 'backfill', async (engine, { store, clock }) => {
      const id = await requestBackfill(store, window, clock());
      await engine.dispatch();
      return id;
    });
  } catch (error) {
    if (!(error instanceof MonitorError) || error.code !== 'store_owned') throw error;
    const url = `http://127.0.0.1:${settings.PORT}`;
    const message = `${error.message}\nIf the process is a running service, send it the backfill: mlflow-monitor backfill --from ${days.from} --to ${days.to} --url ${url}`;
    throw new MonitorError(error.code, message, error.context, false, { cause: error });
  }
}

const POLL_MS = 1_000;
/** Consecutive polls that may fail, for a service that restarts. */
const MAX_FAILED_POLLS = 60;

/**
 * Sends a backfill to a running service and shows its progress until it ends.
 * @returns whether it succeeded
 */
export async function backfillRemotely(service: RemoteService, days: BackfillRequest): Promise<boolean> {
  const startedAt = Date.now();
  const send = (method: 'GET' | 'POST', path: string, body?: BackfillRequest) =>
    sendToService(service, { method, path, body, tokenHint: ADMIN_TOKEN_HINT }, backfillDetailSchema);
  let backfill = await send('POST', 'api/v1/admin/backfills', days);
  console.log(`${backfill.id} is stored and continues without this command. Progress:`);
  const progress = showProgress(backfill.id);
  try {
    for (let failedPolls = 0; backfill.status === 'active'; ) {
      progress.show(titleOf(backfill), backfill.progress.days_done, backfill.progress.days_all, 'days');
      await wait(POLL_MS);
      try {
        backfill = await send('GET', `api/v1/admin/backfills/${backfill.id}`);
        failedPolls = 0;
      } catch (error) {
        if (!(error instanceof MonitorError) || !error.retryable || ++failedPolls > MAX_FAILED_POLLS) {
          throw error;
        }
      }
    }
    progress.show(backfill.id, backfill.progress.days_done, backfill.progress.days_all, 'days');
  } finally {
    progress.stop();
  }
  const { id, status, error, refused: denied } = backfill;
  const { days_done, days_all } = backfill.progress;
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
  console.log(`${id} ${status}: ${days_done} of ${days_all} days, ${seconds} s`);
  for (const { experiment_id, message } of denied) {
    console.log(`Experiment ${experiment_id} was not read: ${escapeLines(message)}`);
  }
  if (error) console.error(`${error.slice}.${error.stage}: ${escapeLines(error.message)}`);
  return status === 'done';
}

const titleOf = ({ id, waits_for }: BackfillDetail): string =>
  waits_for === null ? id : `${id} (waits for ${waits_for})`;
