import { BACKENDS, BOUNDARY_NAMES, SIGNALS } from './boundaries.js';
import { type Left } from './place.js';
import { type Case, cleanRun, endOf, strike } from './strike.js';
import { backendsHere, World } from './world.js';

/** Else each boundary and signal once, the queues in turn. */
const ALL = process.env.LONG === '1';
const here = backendsHere('kills');
const CASES: Case[] = BOUNDARY_NAMES.flatMap((boundary, b) =>
  SIGNALS.flatMap((signal, s) =>
    BACKENDS.filter((_, q) => ALL || (b + s) % 2 === q).map((backend) => ({ boundary, signal, backend })),
  ),
).filter(({ backend }) => here.includes(backend));

let world: World;
/** What is left where nothing is struck. */
let clean: Record<'struck' | 'later', Left>;

beforeAll(async () => {
  world = await World.open(here);
  clean = { struck: await cleanRun(world, 'struck'), later: await cleanRun(world, 'struck', 'later') };
});
afterAll(() => world.close());

/** Which of two deltas reads a run, and what a zombie wants asked again, depends on when the zombie was stopped. */
const lasting = (left: Left, time: 'struck' | 'later') =>
  time === 'struck' ? left : { ...left, deltas: left.deltas.map(({ status }) => status), open: [] };

describe('the service', () => {
  it.concurrent.each(CASES)('struck by $signal at "$boundary" ($backend) loses nothing', async (played) => {
    const { left, ends, errors } = await strike(world, played);
    const time = endOf(played);
    expect(lasting(left, time)).toEqual(lasting(clean[time], time));
    expect(errors).toEqual([]);
    expect(ends[0]).toBe(played.signal === 'SIGKILL' ? 'SIGKILL' : 0);
    expect(new Set(ends.slice(1))).toEqual(new Set(ends.length > 1 ? [0] : []));
  });
});
