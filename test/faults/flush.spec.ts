import { setTimeout as delay } from 'node:timers/promises';
import {
  BACKENDS,
  type Backend,
  BOUNDARY_NAMES,
  type BoundaryName,
  boundaryOf,
  LOCK_MS,
} from './boundaries.js';
import { type FinalState, untilIdle } from './deployment.js';
import { availableBackends, Environment } from './environment.js';
import { finish, reachedBoundary, undisturbedState } from './interrupt.js';

const ALL = process.env.LONG === '1';
const backends = availableBackends('flushes of the queue');
const SOME: readonly BoundaryName[] = ['enqueued', 'marker put', 'base put done', 'derived put done'];
const CASES = (ALL ? BOUNDARY_NAMES : SOME)
  .flatMap((boundary, b) =>
    BACKENDS.filter((_, q) => ALL || b % 2 === q).map((backend) => ({ boundary, backend })),
  )
  .filter(({ backend }) => backends.includes(backend));

let environment: Environment;
let undisturbed: FinalState;

beforeAll(async () => {
  environment = await Environment.open(backends);
  undisturbed = await undisturbedState(environment, 'interrupted');
});
afterAll(() => environment.close());

/** Flushes the queues while a process is suspended at a boundary; with Redis, a second process is running. */
async function flush(boundary: BoundaryName, backend: Backend) {
  const deployment = await environment.deploy(backend);
  try {
    const interruption = { boundary: boundaryOf(boundary), signal: 'SIGSTOP' } as const;
    const first = deployment.start('interrupted', { interruption });
    await reachedBoundary(first);
    const programs = backend === 'redis' ? [first, deployment.start('interrupted')] : [first];
    const flushing = programs.at(-1);
    flushing?.writeLine('flush');
    // A single process flushes after it resumes. Wait until it is really stopped (before, SIGCONT would be lost) and its
    // locks have expired.
    if (flushing === first) await delay(2 * LOCK_MS);
    else await flushing?.line(/^dispatched$/);
    first.signal('SIGCONT');
    await Promise.race(programs.map((program) => untilIdle(program, 'interrupted')));
    return await finish(deployment);
  } finally {
    await deployment.kill();
  }
}

describe('a flush of the queues', () => {
  it.concurrent.each(CASES)('at "$boundary" ($backend) loses nothing', async ({ boundary, backend }) => {
    const { state, exits, errors } = await flush(boundary, backend);
    expect({ state, errors }).toEqual({ state: undisturbed, errors: [] });
    expect(new Set(exits)).toEqual(new Set([0]));
  });
});
