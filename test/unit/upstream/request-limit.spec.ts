import { jest } from '@jest/globals';
import { RequestLimit } from '../../../src/upstream/request-limit.js';

/** A limit with a clock that stands still until `pass`. `begun` lists when its requests may begin, ms; the waits end at once. */
function paced(perSecond: number) {
  let time = 0;
  const begun: number[] = [];
  const limit = new RequestLimit({
    concurrency: 100,
    perSecond,
    now: () => time,
    sleep: async (ms) => void begun.push(time + ms),
  });
  return { begun, limit, send: () => limit.run(async () => undefined), pass: (ms: number) => (time += ms) };
}

describe('a rate limit', () => {
  it('spaces requests evenly, however many are sent at once', async () => {
    const { begun, send } = paced(8);
    await Promise.all(Array.from({ length: 15 }, send));
    // The first one does not wait.
    expect(begun).toEqual(Array.from({ length: 14 }, (_, i) => (i + 1) * 125));
  });

  it('saves up nothing while there are no requests', async () => {
    const { begun, send, pass } = paced(2);
    await send();
    pass(60_000);
    await Promise.all([send(), send()]);
    expect(begun).toEqual([60_500]);
  });

  it('counts requests that fail', async () => {
    const { begun, send, limit } = paced(1);
    await expect(limit.run(() => Promise.reject(new Error('busy')))).rejects.toThrow('busy');
    await send();
    expect(begun).toEqual([1_000]);
  });

  it('ends a wait, and frees its place, when the service stops', async () => {
    const stopping = new AbortController();
    const limit = new RequestLimit({ concurrency: 1, perSecond: 0.1 });
    const request = jest.fn(async () => 'done');
    await limit.run(request);
    const waiting = limit.run(request, stopping.signal);
    stopping.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'stopping', retryable: true });
    expect(request).toHaveBeenCalledTimes(1);
  });
});

describe('a limit of concurrent requests', () => {
  it('lets the next request begin when one ends, in call order', async () => {
    const limit = new RequestLimit({ concurrency: 2 });
    const begun: number[] = [];
    const ends: (() => void)[] = [];
    const all = [1, 2, 3, 4].map((n) =>
      limit.run(() => {
        begun.push(n);
        return new Promise<void>((resolve) => ends.push(resolve));
      }),
    );
    await new Promise(setImmediate);
    expect(begun).toEqual([1, 2]);
    ends[1]?.();
    await all[1];
    await new Promise(setImmediate);
    expect(begun).toEqual([1, 2, 3]);
    ends[0]?.();
    await all[0];
    await new Promise(setImmediate);
    expect(begun).toEqual([1, 2, 3, 4]);
    for (const end of ends) end();
    await Promise.all(all);
  });
});
