import { setTimeout as timer } from 'node:timers/promises';
import { errorMessage } from '../domain/errors.js';

/** Waits `ms`, or until the signal aborts; may then resolve or reject. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<unknown>;

export const interruptibleSleep: Sleep = (ms, signal) => timer(ms, undefined, { signal });

export interface RetryPolicy {
  readonly maxRetries: number;
  /** The wait before the first retry, ms. It doubles with each further retry. */
  readonly firstWaitMs: number;
  /** Upper limit of that wait, before jitter, ms; no limit by default. */
  readonly maxBackoffMs?: number;
  /** Upper limit of every wait that uses up a retry, also of one that the server requests, ms. */
  readonly maxWaitMs: number;
  /** Waits that the server requests use up no retry until they add up to this, ms; by default each uses up one. */
  readonly maxRequestedMs?: number;
  /** The random share of a wait, 0 to 1. A wait that the server requests has no jitter. */
  readonly jitter: number;
  /** Ends a wait early; no attempt follows. */
  readonly signal?: AbortSignal | undefined;
  readonly sleep?: Sleep | undefined;
}

/** An attempt throws it in place of `cause` if another attempt may succeed. */
export class RetryableError extends Error {
  /** @param retryAfterMs the wait that the server requests */
  constructor(
    override readonly cause: unknown,
    readonly retryAfterMs?: number,
  ) {
    super(errorMessage(cause));
  }
}

/** A shorter wait counts as this long in `maxRequestedMs`: a server cannot request any number of attempts, ms. */
const MIN_REQUESTED_MS = 1_000;

/**
 * Makes attempts until one returns, one throws an error that is not a `RetryableError`, or the retries are used up.
 *
 * Not cockatiel's `retry`: its wait ends neither when the signal aborts nor with another clock, and it makes one more
 * attempt after an abort (`RetryPolicy.js` of 3.2).
 * @throws the error of the last attempt; of a `RetryableError` its `cause`
 */
export async function withRetries<T>(policy: RetryPolicy, attempt: () => Promise<T>): Promise<T> {
  const { maxRetries, maxRequestedMs = 0, signal, sleep = interruptibleSleep } = policy;
  let requestedMs = 0;
  for (let retries = 0; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      const { cause, retryAfterMs = 0 } = error;
      const counted = Math.max(retryAfterMs, MIN_REQUESTED_MS);
      const isFree = maxRetries > 0 && retryAfterMs > 0 && requestedMs + counted <= maxRequestedMs;
      if (!isFree && retries >= maxRetries) throw cause;
      const wait = isFree ? retryAfterMs : waitMs(policy, retries, error.retryAfterMs);
      if (isFree) requestedMs += counted;
      else retries++;
      try {
        await sleep(wait, signal);
      } catch (interruption) {
        if (!signal?.aborted) throw interruption;
      }
      if (signal?.aborted) throw cause;
    }
  }
}

function waitMs(policy: RetryPolicy, retries: number, retryAfterMs: number | undefined): number {
  const { firstWaitMs, maxBackoffMs = Number.POSITIVE_INFINITY, maxWaitMs, jitter } = policy;
  const backoff = Math.min(firstWaitMs * 2 ** retries, maxBackoffMs);
  return Math.min(retryAfterMs ?? backoff * (1 - jitter + jitter * Math.random()), maxWaitMs);
}
