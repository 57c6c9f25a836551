import {
  interruptibleSleep,
  RetryableError,
  type RetryPolicy,
  withRetries,
} from '../../../src/upstream/retry-policy.js';
import { isRetryableStatus } from '../../../src/upstream/retryable-status.js';

const busy = new Error('busy');
const { random } = Math;
let attempts: number;
let waits: number[];
beforeEach(() => {
  attempts = 0;
  waits = [];
});
afterEach(() => {
  Math.random = random;
});

/** Fails so many times with a retryable error, then returns `done`. */
const failing = (times: number, retryAfterMs?: number) => async () => {
  if (attempts++ < times) throw new RetryableError(busy, retryAfterMs);
  return 'done';
};
const policy = (options: Partial<RetryPolicy> = {}): RetryPolicy => ({
  maxRetries: 3,
  firstWaitMs: 100,
  maxWaitMs: 1_000,
  jitter: 0,
  sleep: async (ms) => void waits.push(ms),
  ...options,
});

describe('retries', () => {
  it('end with the first success', async () => {
    expect(await withRetries(policy(), failing(2))).toBe('done');
    expect(attempts).toBe(3);
  });

  it('end with the error of the last attempt', async () => {
    await expect(withRetries(policy(), failing(9))).rejects.toBe(busy);
    expect(attempts).toBe(4);
    expect(waits).toHaveLength(3);
  });

  it('do not happen after an error that is not retryable', async () => {
    const error = new Error('denied');
    await expect(withRetries(policy(), () => Promise.reject(error))).rejects.toBe(error);
    expect(waits).toEqual([]);
  });

  it.each<[string, Partial<RetryPolicy>, number | undefined, number[]]>([
    ['doubles', {}, undefined, [100, 200, 400, 800, 1_000]],
    ['doubles up to the longest backoff', { maxBackoffMs: 300 }, undefined, [100, 200, 300, 300, 300]],
    ['is what the server requests', { maxBackoffMs: 300, jitter: 1 }, 700, [700, 700, 700, 700, 700]],
    ['may be 0 if the server requests it', {}, 0, [0, 0, 0, 0, 0]],
    ['has an upper limit, also if the server requests more', {}, 5_000, Array(5).fill(1_000)],
  ])('wait for a time that %s', async (_, options, retryAfterMs, expected) => {
    await withRetries(policy({ maxRetries: 5, ...options }), failing(5, retryAfterMs));
    expect(waits).toEqual(expected);
  });

  it('are not used up by waits that the server requests, up to their limit in all', async () => {
    const options = { maxRetries: 2, maxRequestedMs: 10_000, maxWaitMs: 500 };
    await expect(withRetries(policy(options), failing(99, 4_000))).rejects.toBe(busy);
    // Two requested waits of 4 s, then the retries with their own limit.
    expect(waits).toEqual([4_000, 4_000, 500, 500]);
    expect(attempts).toBe(5);
  });

  it.each([
    ['is short, more than once per second', 1, [1, 1, 1, 1, 1]],
    ['is over', 0, [0, 0]],
  ])('are limited if the requested wait %s', async (_, retryAfterMs, expected) => {
    const options = { maxRetries: 2, maxRequestedMs: 3_000 };
    await expect(withRetries(policy(options), failing(99, retryAfterMs))).rejects.toBe(busy);
    expect(waits).toEqual(expected);
  });

  it('do not happen if they are disabled, whatever the server requests', async () => {
    const options = { maxRetries: 0, maxRequestedMs: 10_000 };
    await expect(withRetries(policy(options), failing(1, 1_000))).rejects.toBe(busy);
    expect(waits).toEqual([]);
  });

  it.each([
    [0.5, 0, 50],
    [0.5, 0.99, 99.5],
    [1, 0, 0],
    [1, 0.99, 99],
  ])('wait with a random share of %d (random number %d)', async (jitter, number, ms) => {
    Math.random = () => number;
    await withRetries(policy({ jitter }), failing(1));
    expect(waits).toEqual([ms]);
  });

  it.each([
    ['resolves', async () => undefined],
    ['rejects', () => Promise.reject(new Error('aborted'))],
  ])(
    'end with the error of the last attempt if the signal aborts during a wait that then %s',
    async (_, end) => {
      const abort = new AbortController();
      const sleep = () => {
        abort.abort();
        return end();
      };
      await expect(withRetries(policy({ signal: abort.signal, sleep }), failing(9))).rejects.toBe(busy);
      expect(attempts).toBe(1);
    },
  );

  it('do not wait to the end after an abort', async () => {
    const abort = new AbortController();
    const sleep = (ms: number, signal?: AbortSignal) => {
      const sleeping = interruptibleSleep(ms, signal);
      abort.abort();
      return sleeping;
    };
    const hour = { firstWaitMs: 3_600_000, maxWaitMs: 3_600_000, signal: abort.signal, sleep };
    await expect(withRetries(policy(hour), failing(9))).rejects.toBe(busy);
  });

  it('pass on an error of the wait itself', async () => {
    const error = new Error('no timer');
    await expect(withRetries(policy({ sleep: () => Promise.reject(error) }), failing(9))).rejects.toBe(error);
  });
});

describe('a retryable status', () => {
  it('is one of a server that is busy or broken for the moment', () => {
    const statuses = Array.from({ length: 500 }, (_, i) => i + 100).filter(isRetryableStatus);
    expect(statuses).toEqual([408, 429, 500, 502, 503, 504]);
  });
});
