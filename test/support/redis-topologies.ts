import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort, type RedisServer, startRedis } from './redis-server.js';

/** Several servers that one URL stands for. */
export interface RedisTopology {
  readonly url: string;
  stop(): Promise<void>;
}

const SLOTS = 16_384;
const POLL_MS = 20;

/** Sends a command to each server, with a connection of its own. */
async function onEach<T>(
  servers: readonly RedisServer[],
  work: (redis: Redis, i: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(
    servers.map(async ({ url }, i) => {
      const redis = new Redis(url);
      try {
        return await work(redis, i);
      } finally {
        redis.disconnect();
      }
    }),
  );
}

/** Three masters on loopback ports. */
export async function startCluster(program: string, flags: readonly string[] = []): Promise<RedisTopology> {
  const servers: RedisServer[] = [];
  for (let i = 0; i < 3; i++) {
    const bus = await freePort();
    const own = ['--cluster-enabled', 'yes', '--cluster-port', `${bus}`, ...flags];
    servers.push(await startRedis(program, own));
    const [first] = servers;
    if (!first || servers.length === 1) continue;
    const { port } = new URL(servers[i]?.url ?? '');
    await onEach([first], (redis) => redis.call('CLUSTER', 'MEET', '127.0.0.1', port, `${bus}`));
  }
  await onEach(servers, (redis, i) => {
    const from = Math.floor((SLOTS * i) / 3);
    return redis.call('CLUSTER', 'ADDSLOTSRANGE', `${from}`, `${Math.floor((SLOTS * (i + 1)) / 3) - 1}`);
  });
  // A node reports "ok" once it knows who has each slot.
  await onEach(servers, async (redis) => {
    while (!`${await redis.call('CLUSTER', 'INFO')}`.includes('cluster_state:ok')) await wait(POLL_MS);
  });
  return {
    url: servers[0]?.url ?? '',
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

export interface SentinelTopology extends RedisTopology {
  /** Makes the replica the master, as Sentinel does when the master is down. Resolves when it has done so. */
  failOver(): Promise<void>;
}

/** A master, its replica and one Sentinel, which all need the same password. */
export async function startSentinel(program: string, password: string): Promise<SentinelTopology> {
  const flags = ['--requirepass', password, '--masterauth', password];
  const master = await startRedis(program, flags);
  const { port: masterPort } = new URL(master.url);
  const replica = await startRedis(program, [...flags, '--replicaof', '127.0.0.1', masterPort]);
  const folder = await mkdtemp(join(tmpdir(), 'sentinel-'));
  const port = await freePort();
  const config = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `requirepass "${password}"`,
    `sentinel monitor queue 127.0.0.1 ${masterPort} 1`,
    `sentinel auth-pass queue "${password}"`,
  ];
  await writeFile(config, `${lines.join('\n')}\n`);
  const sentinel = spawn(program, [config, '--sentinel'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const printed: string[] = [];
  const waiting = new Set<() => void>();
  createInterface(sentinel.stdout).on('line', (line) => {
    printed.push(line);
    for (const check of waiting) check();
  });
  const line = (text: string) =>
    new Promise<void>((resolve, reject) => {
      const check = () => {
        if (!printed.some((each) => each.includes(text))) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
      sentinel.on('exit', () => reject(new Error(`No line "${text}" in:\n${printed.join('\n')}`)));
    });
  // It learns of the replica from the master.
  await line('+slave');
  return {
    url: `redis://:${encodeURIComponent(password)}@127.0.0.1:${port}`,
    async failOver() {
      const redis = new Redis({ port, password });
      // Until it has seen that the replica follows the master, it refuses.
      const isReady = async () =>
        `${await redis.call('SENTINEL', 'REPLICAS', 'queue')}`.includes('status,ok');
      while (!(await isReady())) await wait(POLL_MS);
      await redis.call('SENTINEL', 'FAILOVER', 'queue');
      redis.disconnect();
      await line('+switch-master');
    },
    async stop() {
      const exited = once(sentinel, 'exit');
      sentinel.kill('SIGKILL');
      await exited;
      await Promise.all([master.stop(), replica.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
