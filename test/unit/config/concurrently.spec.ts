import { concurrently } from '../../../src/config/concurrently.js';

const items = Array.from({ length: 50 }, (_, i) => i);

describe('concurrently', () => {
  it('returns the results in order, whichever ends first, and runs at most 16 at a time', async () => {
    const waiting: (() => void)[] = [];
    let running = 0;
    let most = 0;
    const results = concurrently(items, async (item) => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => waiting.push(resolve));
      running--;
      return item * 2;
    });
    for (let ended = 0; ended < items.length; ended++) {
      waiting.pop()?.();
      // The next item begins before the last one that waits may end.
      await new Promise(setImmediate);
    }
    expect(await results).toEqual(items.map((item) => item * 2));
    expect(most).toBe(16);
  });

  it('throws the first error', async () => {
    const work = async (item: number) => {
      if (item > 20) throw new Error(`item ${item}`);
      return item;
    };
    await expect(concurrently(items, work)).rejects.toThrow('item 21');
  });
});
