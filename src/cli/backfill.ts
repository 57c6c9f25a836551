import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import {
  type BackfillDetail,
  type BackfillRequest,
  backfillDetailSchema,
  backfillWindow,
  requestBackfill,
} from '../admin/backfills.js';
import type { Settings } from '../config/settings.js';
import { MonitorError } from '../domain/errors.js';
import { showProgress } from './progress.js';
import { runOnce } from './run.js';

/**
 * Backfills in this process, as `run` does.
 * @returns whether it succeeded
 * @throws {MonitorError} `store_owned`, which names the other way: to ask the service that owns the folder
 */
export async function backfillHere(settings: Settings, request: BackfillRequest): Promise<boolean> {
  const window = backfillWindow(request, Date.now());
  try {
    return await runOnce(settings, 'backfill', async (engine, { store, clock }) => {
      const id = await requestBackfill(store, window, clock());
      await engine.dispatch();
      return id;
    });
  } catch (error) {
    if (!(error instanceof MonitorError) || error.code !== 'store_owned') throw error;
    const url = `http://127.0.0.1:${settings.PORT}`;
    const message = `${error.message}\nIf it is a running service, let it do the work: mlflow-monitor backfill --from ${request.from} --to ${request.to} --url ${url}`;
    throw new MonitorError(error.code, message, error.context, false, { cause: error });
  }
}

export interface Service {
  /** Its address, `http://127.0.0.1:3000`. */
  readonly url: string;
  /** An admin token; undefined on a laptop. */
  readonly token: string | undefined;
}

const LOOK_MS = 1_000;
/** So many looks without an answer, a service that restarts is waited for. */
const MOST_MISSED = 60;

/**
 * Lets a running service backfill, and follows it to its end.
 * @returns whether it succeeded
 */
export async function backfillThere(service: Service, request: BackfillRequest): Promise<boolean> {
  const begun = Date.now();
  let backfill = await ask(service, 'POST', 'api/v1/admin/backfills', request);
  console.log(`${backfill.id} is stored; it goes on without this command. Its progress:`);
  const progress = showProgress(backfill.id);
  try {
    for (let missed = 0; backfill.status === 'active'; ) {
      progress.show(named(backfill), backfill.progress.days_done, backfill.progress.days_all, 'days');
      await wait(LOOK_MS);
      try {
        backfill = await ask(service, 'GET', `api/v1/admin/backfills/${backfill.id}`);
        missed = 0;
      } catch (error) {
        if (!(error instanceof MonitorError) || !error.retryable || ++missed > MOST_MISSED) throw error;
      }
    }
    progress.show(backfill.id, backfill.progress.days_done, backfill.progress.days_all, 'days');
  } finally {
    progress.stop();
  }
  const { id, status, error, refused } = backfill;
  const { days_done, days_all } = backfill.progress;
  const seconds = ((Date.now() - begun) / 1000).toFixed(1);
  console.log(`${id} ${status}: ${days_done} of ${days_all} days, ${seconds} s`);
  for (const { experiment_id, message } of refused)
    console.log(`experiment ${experiment_id} lags: ${message}`);
  if (error) console.error(`${error.slice}.${error.stage}: ${error.message}`);
  return status === 'done';
}

const named = ({ id, waits_for }: BackfillDetail): string =>
  waits_for === null ? id : `${id} (waits for ${waits_for})`;

const problemSchema = z.object({
  detail: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
});

async function ask(
  { url, token }: Service,
  method: 'GET' | 'POST',
  path: string,
  body?: BackfillRequest,
): Promise<BackfillDetail> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(new URL(path, url.replace(/\/*$/, '/')), {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    text = await response.text();
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new MonitorError('service_unreachable', `No service answers at ${url}: ${reason}`, {}, true);
  }
  const { status } = response;
  const answer = jsonOf(text);
  const backfill = backfillDetailSchema.safeParse(answer);
  if (response.ok && backfill.success) return backfill.data;
  const problem = problemSchema.safeParse(answer).data;
  const said = problem
    ? [problem.detail, ...(problem.errors ?? []).map(({ detail }) => detail)].join(' ')
    : `it is no mlflow-monitor: ${text.slice(0, 100)}`;
  const hint = status === 401 ? ' Set ADMIN_TOKEN, or give --token-file.' : '';
  throw new MonitorError(
    'service_refused',
    `${url} answers with ${status}: ${said}${hint}`,
    { status },
    status >= 500,
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
