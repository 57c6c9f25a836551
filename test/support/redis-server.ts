import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { findProgram } from './find-program.js';
import { skipSuite } from './skip.js';

export interface RedisServer {
  readonly url: string;
  /** Makes the server unavailable for this time. After SIGKILL it restarts with the data it persisted. */
  outage(ms: number, how: 'SIGSTOP' | 'SIGKILL'): Promise<void>;
  stop(): Promise<void>;
}

/** The path of a Redis or Valkey server on PATH. */
export const findRedisServer = (): string | undefined => findProgram('redis-server', 'valkey-server');

/** A loopback port that was just free. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('A TCP server has no port');
  return address.port;
}

/**
 * Tests with a Redis server; without the program they are skipped, or fail with `REQUIRE_ALL=1`.
 * @param tests gets the server, and a function that starts another one
 */
export function describeRedis(
  name: string,
  tests: (server: () => RedisServer, another: () => Promise<RedisServer>) => void,
): void {
  const program = findRedisServer();
  if (program) {
    describe(name, () => {
      let server: RedisServer;
      beforeAll(async () => {
        server = await startRedis(program);
      });
      afterAll(() => server.stop());
      tests(
        () => server,
        () => startRedis(program),
      );
    });
  } else {
    skipSuite(name, 'redis-server or valkey-server on PATH');
  }
}

/**
 * Starts a server that persists nothing unless `flags` say so.
 * @param transport `tls` needs flags that name a certificate
 * @throws {Error} with its output if it does not start
 */
export async function startRedis(
  program: string,
  flags: readonly string[] = [],
  transport: 'tcp' | 'tls' = 'tcp',
): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  const port = await freePort();
  const noPersistence = ['--save', '', '--appendonly', 'no'];
  const ports = transport === 'tls' ? ['--port', '0', '--tls-port', `${port}`] : ['--port', `${port}`];
  const args = [...ports, '--bind', '127.0.0.1', '--dir', folder, ...noPersistence, ...flags];
  const run = () => ready(spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] }));
  let server = await run();
  return {
    url: `${transport === 'tls' ? 'rediss' : 'redis'}://127.0.0.1:${port}`,
    async outage(ms, how) {
      server.kill(how);
      await wait(ms);
      if (how === 'SIGSTOP') server.kill('SIGCONT');
      else server = await run();
    },
    async stop() {
      const exited = once(server, 'exit');
      server.kill('SIGKILL');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function ready(server: ChildProcessByStdio<null, Readable, null>): Promise<ChildProcess> {
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface(server.stdout).on('line', (line) => {
      lines.push(line);
      if (line.includes('Ready to accept connections')) resolve();
    });
    server.on('error', reject);
    server.on('exit', () => reject(new Error(`The server exited:\n${lines.join('\n')}`)));
  });
  return server;
}
