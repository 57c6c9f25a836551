import { setTimeout as delay } from 'node:timers/promises';
import {
  BACKENDS,
  type Backend,
  BOUNDARIES,
  BOUNDARY_NAMES,
  type BoundaryName,
  LOCK_MS,
} from './boundaries.js';
import { idle, type Left } from './place.js';
import { cleanRun, finish, reached } from './strike.js';
import { backendsHere, World } from './world.js';

const ALL = process.env.LONG === '1';
const here = backendsHere('flushes');
const SOME: readonly BoundaryName[] = ['enqueued', 'marker put', 'base put done', 'derived put done'];
const CASES = (ALL ? BOUNDARY_NAMES : SOME)
  .flatMap((boundary, b) =>
    BACKENDS.filter((_, q) => ALL || b % 2 === q).map((backend) => ({ boundary, backend })),
  )
  .filter(({ backend }) => here.includes(backend));

let world: World;
let clean: Left;

beforeAll(async () => {
  world = await World.open(here);
  clean = await cleanRun(world, 'struck');
});
afterAll(() => world.close());

/** The queues are emptied while one process stands still in the middle of its work, and with Redis another one looks on. */
async function flush(boundary: BoundaryName, backend: Backend) {
  const place = await world.place(backend);
  try {
    const first = place.start('struck', { strike: { boundary: BOUNDARIES[boundary], signal: 'SIGSTOP' } });
    await reached(first);
    const live = backend === 'redis' ? [first, place.start('struck')] : [first];
    const flushing = live.at(-1);
    flushing?.tell('flush');
    // Alone, it stands still until its locks have run out; before it really stands, SIGCONT would be lost.
    if (flushing === first) await delay(2 * LOCK_MS);
    else await flushing?.line(/^dispatched$/);
    first.signal('SIGCONT');
    await Promise.race(live.map((program) => idle(program, 'struck')));
    return await finish(place);
  } finally {
    await place.clear();
  }
}

describe('a flush of the queues', () => {
  it.concurrent.each(CASES)('at "$boundary" ($backend) loses nothing', async ({ boundary, backend }) => {
    const { left, ends, errors } = await flush(boundary, backend);
    expect({ left, errors }).toEqual({ left: clean, errors: [] });
    expect(new Set(ends)).toEqual(new Set([0]));
  });
});
