import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { findProgram } from './find-program.js';

export interface RunningProxy {
  stop(): Promise<void>;
}

export const findNginx = (): string | undefined => findProgram('nginx') ?? findProgram('/usr/sbin/nginx');
export const findHaproxy = (): string | undefined => findProgram('haproxy');

/**
 * Starts nginx with a server on each of these loopback ports, which have the directives given and otherwise nginx's defaults.
 * @throws {Error} with its output if it does not start
 */
export async function startNginx(
  program: string,
  servers: ReadonlyMap<number, string>,
): Promise<RunningProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'nginx-'));
  // Only the paths differ from the configuration that Debian installs.
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  const blocks = [...servers].map(
    ([port, directives]) => `server { listen 127.0.0.1:${port}; ${directives} }`,
  );
  await writeFile(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr;
events {}
http { access_log off; ${paths.join(' ')} ${blocks.join('\n')} }
`,
  );
  const args = ['-p', folder, '-e', 'stderr', '-c', join(folder, 'nginx.conf')];
  return startProxy(program, args, [...servers.keys()], folder);
}

/** Starts HAProxy between two loopback ports, with the defaults that Debian installs. */
export async function startHaproxy(
  program: string,
  port: number,
  servicePort: number,
): Promise<RunningProxy> {
  const folder = await mkdtemp(join(tmpdir(), 'haproxy-'));
  const file = join(folder, 'haproxy.cfg');
  await mkdir(folder, { recursive: true });
  await writeFile(
    file,
    `defaults
  mode http
  option dontlognull
  timeout connect 5000
  timeout client 50000
  timeout server 50000
frontend in
  bind 127.0.0.1:${port}
  default_backend service
backend service
  server one 127.0.0.1:${servicePort}
`,
  );
  return startProxy(program, ['-db', '-f', file], [port], folder);
}

async function startProxy(
  program: string,
  args: readonly string[],
  ports: readonly number[],
  folder: string,
): Promise<RunningProxy> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  const exited = once(child, 'close');
  for (const port of ports) await listening(port, child, () => output);
  return {
    async stop() {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Proxies print nothing when they are ready. */
async function listening(port: number, child: ChildProcess, output: () => string): Promise<void> {
  while (child.exitCode === null) {
    const socket = connect(port, '127.0.0.1');
    const isOpen = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await wait(20);
  }
  throw new Error(`The proxy exited:\n${output()}`);
}
