import { BOUNDARIES, type Mutant } from './boundaries.js';
import { idle, type Left } from './place.js';
import { cleanRun, finish, type Outcome, reached } from './strike.js';
import { backendsHere, World } from './world.js';

const here = backendsHere('zombies');
let world: World;
let clean: Left;

beforeAll(async () => {
  world = await World.open(here);
  clean = await cleanRun(world, 'struck', 'later');
});
afterAll(() => world.close());

/** Two processes are stopped before they publish what they made of older facts; a third publishes newer ones; then the two go on. */
async function twoZombies(mutant?: Mutant): Promise<Outcome> {
  const place = await world.place('redis');
  try {
    const strike = { boundary: BOUNDARIES['judged locally'], signal: 'SIGSTOP' } as const;
    const options = { strike, ...(mutant ? { mutant } : {}) };
    const zombies = [place.start('struck', options)];
    for (const zombie of zombies) {
      await reached(zombie);
      if (zombies.length < 2) zombies.push(place.start('struck', options));
    }
    await idle(place.start('later'), 'later');
    for (const zombie of zombies) zombie.signal('SIGCONT');
    return await finish(place);
  } finally {
    await place.clear();
  }
}

/** A delta loses its only try to a kill and is closed as failed; the next one covers what it should have read. */
async function failedDelta(mutant?: Mutant): Promise<Outcome> {
  const place = await world.place('embedded');
  try {
    const strike = { boundary: BOUNDARIES['base merged locally'], signal: 'SIGKILL' } as const;
    const faults = mutant ? { mutant } : {};
    const env = { STAGE_TRIES: '1' };
    await place.start('struck', { strike, ...faults }, env).exited;
    await idle(place.start('later', faults, env), 'later');
    return await finish(place);
  } finally {
    await place.clear();
  }
}

if (here.includes('redis')) {
  describe('two zombies that publish what they made of older facts', () => {
    it.concurrent('are fenced', async () => {
      const { left, errors } = await twoZombies();
      expect(left.digests).toEqual(clean.digests);
      expect(left.unfinished).toEqual([]);
      expect(errors).toEqual([]);
    });

    it.concurrent('are seen where the fence is off', async () => {
      expect((await twoZombies('no fence')).left.digests).not.toEqual(clean.digests);
    });
  });
}

describe('the watermark', () => {
  it.concurrent('stays where a run has failed, so that the next one covers its window', async () => {
    const { left } = await failedDelta();
    expect(left.deltas.map(({ status }) => status)).toEqual(['done', 'failed', 'done']);
    expect(left.digests).toEqual(clean.digests);
    expect(left.watermarks).toEqual(clean.watermarks);
  });

  it.concurrent('is seen where it moves too early', async () => {
    const { left } = await failedDelta('early watermark');
    expect(left.deltas.map(({ status }) => status)).toEqual(['done', 'failed', 'done']);
    expect(left.digests).not.toEqual(clean.digests);
  });
});
