import { evictionOf, parseInfo } from '../../../src/queue/redis-info.js';

/** A part of the response of Redis 7 to `INFO`. */
const info = (policy: string, evicted: number) =>
  parseInfo(
    `# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:${policy}\r\n# Stats\r\nevicted_keys:${evicted}\r\n`,
  );

describe('the eviction of Redis', () => {
  it('is possible if one server allows it, and the evicted keys of all add up', () => {
    expect(evictionOf([info('noeviction', 2), info('allkeys-lru', 3)])).toEqual({
      mayEvict: true,
      evictedKeys: 5,
    });
    expect(evictionOf([info('noeviction', 2)])).toEqual({ mayEvict: false, evictedKeys: 2 });
  });

  it('is unknown without Redis', () => {
    expect(evictionOf([])).toBeUndefined();
  });

  it('is not assumed of a server that hides its statistics', () => {
    expect(evictionOf([new Map()])).toEqual({ mayEvict: false, evictedKeys: 0 });
  });
});
