import { errorMessage, MonitorError } from '../../domain/errors.js';
import { isRetryableStatus } from '../../upstream/retryable-status.js';
import type { SendResult } from './contract.js';
import { type Connection, type HttpAnswer, type HttpRequest, sendRequest } from './http-post.js';

export const JSON_TYPE = { 'Content-Type': 'application/json; charset=utf-8' } as const;

/** Makes one request and says what its answer means. Never throws. */
export async function attempt(
  connection: Connection,
  request: HttpRequest,
  meaning: (answer: HttpAnswer) => SendResult = (answer) => statusMeaning(answer),
): Promise<SendResult> {
  try {
    return meaning(await sendRequest(connection, request));
  } catch (error) {
    const retryable = !(error instanceof MonitorError) || error.retryable;
    return { outcome: retryable ? 'retry' : 'failed', error: errorMessage(error) };
  }
}

/** 2xx: delivered · 408, 429, 5xx: tried again · others: failed. @param reason of the receiver, if it is safe to show */
export function statusMeaning({ status, retryAfterMs }: HttpAnswer, reason?: string): SendResult {
  if (status >= 200 && status < 300) return { outcome: 'delivered' };
  const error = `HTTP ${status}${reason ? ` (${reason})` : ''}`;
  return isRetryableStatus(status) ? { outcome: 'retry', error, retryAfterMs } : { outcome: 'failed', error };
}

/** How long requests of one attempt may be started, ms: with the time limit of the last one it is below the lease. */
const STARTED_WITHIN_MS = 12_000;

/** Requests that make up one message. */
export interface Requests<T> {
  readonly items: readonly T[];
  /** The ids of the incidents that an item is about. */
  readonly idsOf: (item: T) => readonly string[];
  readonly send: (item: T) => Promise<SendResult>;
  /** At most so many per attempt, and how long to wait then, ms. */
  readonly limit: number;
  readonly pauseMs: number;
  readonly elapsed?: () => number;
}

/** Makes requests one after another until one is not delivered. What the receiver has is not sent again. */
export async function sendInTurn<T>({
  items,
  idsOf,
  send,
  limit,
  pauseMs,
  elapsed = performance.now.bind(performance),
}: Requests<T>): Promise<SendResult> {
  const taken: string[] = [];
  const errors: string[] = [];
  const started = elapsed();
  for (const [n, item] of items.entries()) {
    if (n >= limit || elapsed() - started > STARTED_WITHIN_MS)
      return { outcome: 'wait', afterMs: pauseMs, taken };
    const result = await send(item);
    if (result.outcome === 'skipped') return result;
    if (result.outcome !== 'delivered') return taken.length > 0 ? { ...result, taken } : result;
    if (result.error) errors.push(result.error);
    taken.push(...idsOf(item));
  }
  return { outcome: 'delivered', ...(errors[0] ? { error: errors[0] } : {}) };
}
