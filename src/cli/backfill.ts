import {
  type BackfillDetail,
  type BackfillRequest,
  backfillDetailSchema,
  backfillWindow,
  requestBackfill,
} from '../admin/backfills.js';
import type { UnfollowedVariable } from '../config/client-variables.js';
import type { Settings } from '../config/settings.js';
import { escapeLines } from '../domain/text.js';
import { pollUntilEnd, sendInstead } from './remote-run.js';
import { type CreateRun, runOnce } from './run.js';
import { ADMIN_TOKEN_HINT, type RemoteService, sendToService } from './service-client.js';

/**
 * Runs a backfill in this process.
 * @param notFollowed what is in the environment but not followed
 * @returns whether it succeeded
 * @throws {MonitorError} `store_owned`, with the command for the service that owns the folder
 */
export async function backfillLocally(
  settings: Settings,
  days: BackfillRequest,
  notFollowed: readonly UnfollowedVariable[] = [],
): Promise<boolean> {
  const window = backfillWindow(days, Date.now());
  const create: CreateRun = async (engine, { store, clock }) => {
    const id = await requestBackfill(store, window, clock());
    await engine.dispatch();
    return id;
  };
  const work = runOnce(settings, 'backfill', create, notFollowed);
  return sendInstead(work, settings, `backfill --from ${days.from} --to ${days.to}`);
}

/**
 * Sends a backfill to a running service and shows its progress until it ends.
 * @returns whether it succeeded
 */
export async function backfillRemotely(service: RemoteService, days: BackfillRequest): Promise<boolean> {
  const send = (method: 'GET' | 'POST', path: string, body?: BackfillRequest) =>
    sendToService(service, { method, path, body, tokenHint: ADMIN_TOKEN_HINT }, backfillDetailSchema);
  const first = await send('POST', 'api/v1/admin/backfills', days);
  const [backfill, seconds] = await pollUntilEnd<BackfillDetail>(first, {
    read: () => send('GET', `api/v1/admin/backfills/${first.id}`),
    show: (progress, each) =>
      progress.show(titleOf(each), each.progress.days_done, each.progress.days_all, 'days'),
  });
  const { id, status, error, refused: denied } = backfill;
  const { days_done, days_all } = backfill.progress;
  console.log(`${id} ${status}: ${days_done} of ${days_all} days, ${seconds} s`);
  for (const { experiment_id, message } of denied) {
    console.log(`Experiment ${experiment_id} was not read: ${escapeLines(message)}`);
  }
  if (error) console.error(`${error.slice}.${error.stage}: ${escapeLines(error.message)}`);
  return status === 'done';
}

const titleOf = ({ id, waits_for }: BackfillDetail): string =>
  waits_for === null ? id : `${id} (waits for ${waits_for})`;
