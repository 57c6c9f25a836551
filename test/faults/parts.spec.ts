import { PART_BOUNDARY_NAMES } from './boundaries.js';
import { comparable, type FinalState } from './deployment.js';
import { availableBackends, Environment } from './environment.js';
import { type Case, finalTime, interrupt, undisturbedState } from './interrupt.js';

const backends = availableBackends('kills of a day with several parts');
/** A killed process is replaced; a suspended one goes on after another one has done its work, which takes Redis. */
const CASES = PART_BOUNDARY_NAMES.flatMap((boundary): Case[] => [
  { boundary, signal: 'SIGKILL', backend: 'embedded' },
  { boundary, signal: 'SIGSTOP', backend: 'redis' },
]).filter(({ backend }) => backends.includes(backend));

/** The store is filled, and three times a service follows it. */
const FILL_MS = 300_000;

let environment: Environment;
let undisturbed: Record<'interrupted' | 'later', FinalState>;

beforeAll(async () => {
  environment = await Environment.open(backends, { PARTITION_FILES: '3' });
  undisturbed = {
    interrupted: await undisturbedState(environment, 'interrupted'),
    later: await undisturbedState(environment, 'interrupted', 'later'),
  };
}, FILL_MS);
afterAll(() => environment.close());

describe('the service with PARTITION_FILES=3 after', () => {
  it('nothing has three parts of each day', () => {
    const parts = Object.keys(undisturbed.interrupted.digests).map((key) => key.replace(/^.*\/part-/, ''));
    expect(new Set(parts)).toEqual(new Set(['0.parquet', '1.parquet', '2.parquet']));
  });

  it.concurrent.each(CASES)('$signal at "$boundary" ($backend) has lost nothing', async (testCase) => {
    const { state, errors } = await interrupt(environment, testCase);
    const time = finalTime(testCase);
    expect(comparable(state, time)).toEqual(comparable(undisturbed[time], time));
    expect(errors).toEqual([]);
  });
});
