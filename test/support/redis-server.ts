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
import { reportLeftOut } from './left-out.js';

export interface RedisServer {
  readonly url: string;
  /** Does not answer for so long. After SIGKILL it starts again with what it kept. */
  outage(ms: number, how: 'SIGSTOP' | 'SIGKILL'): Promise<void>;
  stop(): Promise<void>;
}

/** The path of a Redis or Valkey server's program on PATH. */
export const findRedisServer = (): string | undefined => findProgram('redis-server', 'valkey-server');

/** A port of the loopback address that was free a moment ago. */
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
 * Tests on a server of their own; without the program they are left out, or fail where everything is required.
 * @param tests gets that server, and what starts another one
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
    reportLeftOut(name, 'redis-server or valkey-server on PATH');
  }
}

/** Starts a server of its own, which keeps nothing unless `more` arguments say so. @throws {Error} with what the server said if it does not start */
export async function startRedis(program: string, more: readonly string[] = []): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'redis-'));
  const port = await freePort();
  const nothingKept = ['--save', '', '--appendonly', 'no'];
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, ...nothingKept, ...more];
  const run = () => ready(spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] }));
  let server = await run();
  return {
    url: `redis://127.0.0.1:${port}`,
    async outage(ms, how) {
      server.kill(how);
      await wait(ms);
      if (how === 'SIGSTOP') server.kill('SIGCONT');
      else server = await run();
    },
    async stop() {
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function ready(server: ChildProcessByStdio<null, Readable, null>): Promise<ChildProcess> {
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface(server.stdout).on('line', (line) => {
      said.push(line);
      if (line.includes('Ready to accept connections')) resolve();
    });
    server.on('error', reject);
    server.on('exit', () => reject(new Error(`The server ended:\n${said.join('\n')}`)));
  });
  return server;
}
