import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** The admin token of both builds. */
export const TOKEN = 'token-of-this-comparison';

const CLOCK = join(import.meta.dirname, 'frozen-clock.mjs');
const START_MS = 60_000;
const running = new Set();
const cleanUps = [];
let ending = false;

/** Registers a clean-up for the end of the comparison. */
export const onEnd = (cleanUp) => cleanUps.push(cleanUp);

/** Kills all child processes and runs the registered clean-ups. */
export async function endAll() {
  ending = true;
  const ended = [...running].map((child) => once(child, 'close'));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(ended);
  for (const cleanUp of cleanUps) await cleanUp();
}

/**
 * One of the two builds. Its working folder contains its store.
 * @typedef {{ dist: string, folder: string }} Side
 */

/** Starts a command of the build, without the settings of the caller's environment. */
function start({ dist, folder }, args, { at, stopwatch = true, env = {} }) {
  if (ending) throw new Error('The comparison was stopped');
  const child = spawn(process.execPath, ['--import', CLOCK, join(dist, 'main.js'), ...args], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      FROZEN_AT: String(at),
      ...(stopwatch ? { FROZEN_STOPWATCH: '1' } : {}),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return track(child);
}

function track(child) {
  running.add(child);
  child.once('close', () => running.delete(child));
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (chunk) => {
      output[name] += chunk;
    });
  }
  return { child, output };
}

/** Runs a command to its end. */
export async function runCommand(side, args, options) {
  const { child, output } = start(side, args, options);
  const [code] = await once(child, 'close');
  return { code, ...output };
}

/**
 * Runs another program to its end.
 * @returns its output
 */
export async function runProgram(command, args, cwd) {
  if (ending) throw new Error('The comparison was stopped');
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
  const { child, output } = track(spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] }));
  const [code] = await once(child, 'close');
  if (code === 0) return output.stdout;
  throw new Error(`${command} ${args.join(' ')} exited with ${code}:\n${output.stdout}${output.stderr}`);
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Uses `node:http`, because `fetch` does not send a given `Host`. */
export async function request(port, { method = 'GET', path, headers = {}, body }) {
  const sent = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent: false });
  sent.end(body);
  const [response] = await once(sent, 'response');
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}

/**
 * Starts the service and waits until it is ready.
 * @returns {Promise<{ port: number, output: { stdout: string, stderr: string }, stop: () => Promise<number | null> }>}
 */
export async function startService(side, options) {
  const port = await freePort();
  const env = { ...options.env, PORT: String(port), LOG_FORMAT: 'json' };
  // Caches of the service expire by `performance.now()`.
  const { child, output } = start(side, ['serve'], { ...options, stopwatch: false, env });
  const closed = once(child, 'close');
  const limit = Date.now() + START_MS;
  for (;;) {
    const answer = await request(port, { path: '/health/ready' }).catch(() => undefined);
    if (answer?.status === 200) break;
    if (child.exitCode !== null || Date.now() > limit)
      throw new Error(`The service in ${side.dist} did not start:\n${output.stdout}${output.stderr}`);
    await wait(100);
  }
  const stop = async () => {
    child.kill('SIGTERM');
    const [code] = await closed;
    return code;
  };
  return { port, output, stop };
}
