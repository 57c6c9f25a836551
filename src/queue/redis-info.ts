/** The fields of Redis's response to `INFO`. */
export function parseInfo(text: string): Map<string, string> {
  const pairs = text.split(/\r?\n/).map((line) => /^([a-z_0-9]+):(.*)$/.exec(line));
  return new Map(pairs.flatMap((pair) => (pair ? [[pair[1] ?? '', pair[2] ?? ''] as const] : [])));
}

export type RedisMode = 'standalone' | 'cluster' | 'sentinel';

/** What the server is. Valkey names the field `server_mode`. */
export function redisMode(info: ReadonlyMap<string, string>): RedisMode {
  const mode = info.get('redis_mode') ?? info.get('server_mode');
  return mode === 'cluster' || mode === 'sentinel' ? mode : 'standalone';
}

/** The policy by which the server would delete jobs when its memory is full; `undefined` if it never does, or does not say. */
export function evictionPolicy(info: ReadonlyMap<string, string>): string | undefined {
  const policy = info.get('maxmemory_policy');
  return policy === 'noeviction' ? undefined : policy;
}

/** Whether Redis deletes keys when its memory is full. */
export interface Eviction {
  readonly mayEvict: boolean;
  /** Since the start of each server. */
  readonly evictedKeys: number;
}

/** @returns `undefined` without Redis */
export function evictionOf(servers: readonly ReadonlyMap<string, string>[]): Eviction | undefined {
  if (servers.length === 0) return undefined;
  return {
    mayEvict: servers.some((info) => evictionPolicy(info) !== undefined),
    evictedKeys: servers.reduce((sum, info) => sum + Number(info.get('evicted_keys') ?? 0), 0),
  };
}
