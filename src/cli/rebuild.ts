import {
  type Rebuild,
  type RebuildRequest,
  rebuildSchema,
  rebuildWindow,
  requestRebuild,
} from '../admin/rebuilds.js';
import type { Settings } from '../config/settings.js';
import { escapeLines } from '../domain/text.js';
import { pollUntilEnd, sendInstead } from './remote-run.js';
import { runOnce } from './run.js';
import { ADMIN_TOKEN_HINT, type RemoteService, sendToService } from './service-client.js';

/**
 * Runs a rebuild in this process.
 * @returns whether it succeeded
 * @throws {MonitorError} `store_owned`, with the command for the service that owns the folder; `rebuild_window`
 */
export async function rebuildLocally(settings: Settings, request: RebuildRequest): Promise<boolean> {
  const { dataset, from, to } = request;
  const window = rebuildWindow(request, Date.now());
  const work = runOnce(settings, 'reevaluation', async (engine, { store, clock }) => {
    const id = await requestRebuild(store, window, clock());
    await engine.dispatch();
    return id;
  });
  return sendInstead(work, settings, `rebuild --dataset ${dataset} --from ${from} --to ${to}`);
}

/**
 * Sends a rebuild to a running service and shows its progress until it ends.
 * @returns whether it succeeded
 */
export async function rebuildRemotely(service: RemoteService, request: RebuildRequest): Promise<boolean> {
  const send = (method: 'GET' | 'POST', path: string, body?: RebuildRequest) =>
    sendToService(service, { method, path, body, tokenHint: ADMIN_TOKEN_HINT }, rebuildSchema);
  const first = await send('POST', 'api/v1/admin/rebuilds', request);
  const [rebuild, seconds] = await pollUntilEnd<Rebuild>(first, {
    read: () => send('GET', `api/v1/admin/rebuilds/${first.id}`),
    show: (progress, { id, progress: { steps_done, steps_all } }) =>
      progress.show(id, steps_done, steps_all, 'steps'),
  });
  const { id, status, error, objects_written } = rebuild;
  console.log(`${id} ${status}: ${objects_written ?? 0} objects of ${request.dataset} written, ${seconds} s`);
  if (error) console.error(`${error.slice}.${error.stage}: ${escapeLines(error.message)}`);
  return status === 'done';
}
