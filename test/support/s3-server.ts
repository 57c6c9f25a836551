import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { findProgram, isExecutable } from './find-program.js';
import { freePort } from './redis-server.js';
import { skipSuite } from './skip.js';

/** Environment variables for the default credential chain of the SDK. */
export const S3_CREDENTIALS = { AWS_ACCESS_KEY_ID: 'tester', AWS_SECRET_ACCESS_KEY: 'testing-only' } as const;

export interface S3Server {
  readonly endpoint: string;
  /** Each bucket is a subfolder. */
  readonly folder: string;
  /** Creates a bucket. @returns its name */
  bucket(name: string): Promise<string>;
  stop(): Promise<void>;
}

/** Where `test/support/install-versitygw.sh` installs versitygw. */
const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'mlflow-monitor', 'bin');

/** The path of versitygw, an S3 server with conditional writes, on PATH or in the cache. */
export function findS3Server(): string | undefined {
  return findProgram('versitygw') ?? [join(CACHE, 'versitygw')].find(isExecutable);
}

/** Tests with an S3 server; without the program they are skipped, or fail with `REQUIRE_ALL=1`. */
export function describeS3(name: string, tests: (server: () => S3Server) => void): void {
  const program = findS3Server();
  if (program) {
    describe(name, () => {
      let server: S3Server;
      beforeAll(async () => {
        Object.assign(process.env, S3_CREDENTIALS);
        server = await startS3(program);
      });
      afterAll(() => server.stop());
      tests(() => server);
    });
  } else {
    skipSuite(name, 'versitygw (bash test/support/install-versitygw.sh)');
  }
}

const START_MS = 20_000;

/**
 * Starts a server on a temporary folder.
 * @param flags in addition to those for its port and its keys
 * @param keys that it accepts
 * @throws {Error} with its output if it does not start
 */
export async function startS3(
  program: string,
  flags: readonly string[] = ['--keep-alive', '--quiet'],
  keys: Readonly<Record<keyof typeof S3_CREDENTIALS, string>> = S3_CREDENTIALS,
): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 's3-'));
  const port = await freePort();
  const { AWS_ACCESS_KEY_ID: access, AWS_SECRET_ACCESS_KEY: secret } = keys;
  const args = ['--port', `127.0.0.1:${port}`, '--access', access, '--secret', secret];
  const server = spawn(program, [...args, ...flags, 'posix', folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => output.push(`${chunk}`));
  const exited = once(server, 'exit');
  const stop = async () => {
    server.kill();
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  const startedAt = Date.now();
  while (!(await listens(port))) {
    if (server.exitCode === null && Date.now() - startedAt < START_MS) {
      await wait(20);
      continue;
    }
    await stop();
    throw new Error(`${program} does not listen:\n${output.join('')}`);
  }
  return {
    endpoint: `http://127.0.0.1:${port}`,
    folder,
    bucket: async (name) => {
      await mkdir(join(folder, name));
      return name;
    },
    stop,
  };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
