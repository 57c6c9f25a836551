import { BACKENDS, BOUNDARY_NAMES, SIGNALS } from './boundaries.js';
import { comparable, type FinalState } from './deployment.js';
import { availableBackends, Environment } from './environment.js';
import { type Case, finalTime, interrupt, undisturbedState } from './interrupt.js';

/** Otherwise each boundary with each signal once, alternating the queues. */
const ALL = process.env.LONG === '1';
const backends = availableBackends('kills');
const CASES: Case[] = BOUNDARY_NAMES.flatMap((boundary, b) =>
  SIGNALS.flatMap((signal, s) =>
    BACKENDS.filter((_, q) => ALL || (b + s) % 2 === q).map((backend) => ({ boundary, signal, backend })),
  ),
).filter(({ backend }) => backends.includes(backend));

let environment: Environment;
let undisturbed: Record<'interrupted' | 'later', FinalState>;

beforeAll(async () => {
  environment = await Environment.open(backends);
  undisturbed = {
    interrupted: await undisturbedState(environment, 'interrupted'),
    later: await undisturbedState(environment, 'interrupted', 'later'),
  };
});
afterAll(() => environment.close());

describe('the service after', () => {
  it.concurrent.each(CASES)('$signal at "$boundary" ($backend) has lost nothing', async (testCase) => {
    const { state, exits, errors } = await interrupt(environment, testCase);
    const time = finalTime(testCase);
    expect(comparable(state, time)).toEqual(comparable(undisturbed[time], time));
    expect(errors).toEqual([]);
    expect(exits[0]).toBe(testCase.signal === 'SIGKILL' ? 'SIGKILL' : 0);
    expect(new Set(exits.slice(1))).toEqual(new Set(exits.length > 1 ? [0] : []));
  });
});
