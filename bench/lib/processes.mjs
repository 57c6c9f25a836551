import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');
/** The build to measure. */
export const DIST = resolve(process.env.DIST ?? join(ROOT, 'dist'));
/** Inputs that are the same in each run of the benches. */
export const CACHE = join(tmpdir(), 'mlflow-monitor-bench');

const USAGE = join(ROOT, 'bench/lib/usage-at-exit.mjs');
const cleanUps = [];

/** Registers what must be stopped or removed at the end, even after an error. */
export const onEnd = (cleanUp) => cleanUps.push(cleanUp);
export async function endAll() {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
}

/** A temporary folder, removed at the end. */
export async function newFolder() {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  onEnd(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

const cleanEnv = (env) => ({ PATH: process.env.PATH, HOME: process.env.HOME, ...env });

function track(child, end = 'close') {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk) => {
      output = `${output}${chunk}`.slice(-20_000);
    });
  }
  const closed = once(child, end);
  onEnd(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await closed;
  });
  return { child, closed, output: () => output };
}

/**
 * Runs a program to its end.
 * @param node options of Node.js; without them the command is no Node program and reports its own usage
 * @returns {Promise<{ wall: number, cpu: number, memory: number, output: string }>} seconds, seconds of all threads, MB
 */
export async function measured(command, args, { env = {}, cwd, node } = {}) {
  const folder = cwd ?? (await newFolder());
  const usageFile = join(await newFolder(), 'usage.json');
  const start = performance.now();
  const isNode = command === process.execPath;
  const all = isNode ? [...(node ?? []), '--import', USAGE, ...args] : args;
  const options = {
    cwd: folder,
    env: cleanEnv({ USAGE_FILE: usageFile, ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  };
  const { closed, output } = track(spawn(command, all, options));
  const [code] = await closed;
  const wall = (performance.now() - start) / 1000;
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${code}:\n${output()}`);
  const usage = existsSync(usageFile) ? JSON.parse(readFileSync(usageFile, 'utf8')) : {};
  return { wall, ...usage, output: output() };
}

/** Runs a command of the built service to its end, with these settings only. */
export const serviceCommand = (args, env, options = {}) =>
  measured(process.execPath, [join(DIST, 'main.js'), ...args], { env, ...options });

/** Starts the built service. @returns its process, `closed` and `output` */
export function startService(env, cwd) {
  const args = ['--import', USAGE, join(DIST, 'main.js'), 'serve'];
  return track(spawn(process.execPath, args, { cwd, env: cleanEnv(env), stdio: ['ignore', 'pipe', 'pipe'] }));
}

/**
 * Starts a program of `bench/programs` that answers messages: `{ id, call, ...arguments }` gets `{ id, result }` or `{ id, error }`.
 * @returns {Promise<{ call: (name: string, args?: object) => Promise<any>, pid: number, stop: () => Promise<void> }>}
 */
export async function startProgram(name, env = {}, execArgv = []) {
  const path = join(ROOT, 'bench/programs', name);
  const child = fork(path, [], {
    env: cleanEnv({ DIST, ...env }),
    execArgv,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  // Node 20 emits no `close` after a disconnect.
  const { closed, output } = track(child, 'exit');
  const waiting = new Map();
  const ready = new Promise((done, fail) => waiting.set('ready', { done, fail }));
  child.on('message', ({ id, result, error }) => {
    const { done, fail } = waiting.get(id) ?? {};
    waiting.delete(id);
    if (error === undefined) done?.(result);
    else fail?.(new Error(`${name}: ${error}`));
  });
  closed.then(([code]) => {
    for (const { fail } of waiting.values()) fail(new Error(`${name} exited with ${code}:\n${output()}`));
  });
  await ready;
  let calls = 0;
  const call = (method, args = {}) =>
    new Promise((done, fail) => {
      waiting.set(++calls, { done, fail });
      child.send({ id: calls, call: method, ...args });
    });
  const stop = async () => {
    if (child.connected) child.disconnect();
    await closed;
  };
  return { call, pid: child.pid, stop };
}

/** CPU time of a running process, all threads, s. Linux only: undefined elsewhere. */
export function cpuOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    // USER_HZ is 100 on every Linux that Node runs on.
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}
