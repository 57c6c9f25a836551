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
  /** Upper limit of every wait, also of one that the server requests, ms. */
  readonly maxWaitMs: number;
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

/**
 * Makes attempts until one returns, one throws an error that is not a `RetryableError`, or the retries are used up.
 *
 * Not cockatiel's `retry`: its wait ends neither when the signal aborts nor with another clock, and it makes one more
 * attempt after an abort (`RetryPolicy.js` of 3.2).
 * @throws the error of the last attempt; of a `RetryableError` its `cause`
 */
export async function withRetries<T>(policy: RetryPolicy, attempt: () => Promise<T>): Promise<T> {
  const { maxRetries, signal, sleep = interruptibleSleep } = policy;
  for (let retries = 0; ; retries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RetryableError)) throw error;
      if (retries >= maxRetries) throw error.cause;
      try {
        await sleep(waitMs(policy, retries, error.retryAfterMs), signal);
      } catch (interruption) {
        if (!signal?.aborted) throw interruption;
      }
      if (signal?.aborted) throw error.cause;
    }
  }
}

function waitMs(policy: RetryPolicy, retries: number, retryAfterMs: number | undefined): number {
  const { firstWaitMs, maxBackoffMs = Number.POSITIVE_INFINITY, maxWaitMs, jitter } = policy;
  const backoff = Math.min(firstWaitMs * 2 ** retries, maxBackoffMs);
  return Math.min(retryAfterMs ?? backoff * (1 - jitter + jitter * Math.random()), maxWaitMs);
}
