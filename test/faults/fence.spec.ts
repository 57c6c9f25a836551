import { BOUNDARIES, type Mutant } from './boundaries.js';
import { type FinalState, untilIdle } from './deployment.js';
import { availableBackends, Environment } from './environment.js';
import { finish, type Outcome, reachedBoundary, undisturbedState } from './interrupt.js';

const backends = availableBackends('suspended processes');
let environment: Environment;
let undisturbed: FinalState;

beforeAll(async () => {
  environment = await Environment.open(backends);
  undisturbed = await undisturbedState(environment, 'interrupted', 'later');
});
afterAll(() => environment.close());

/** Two processes are suspended before they publish results of older facts; a third publishes newer ones; then they resume. */
async function twoSuspended(mutant?: Mutant): Promise<Outcome> {
  const deployment = await environment.deploy('redis');
  try {
    const interruption = { boundary: BOUNDARIES['judged locally'], signal: 'SIGSTOP' } as const;
    const options = { interruption, ...(mutant ? { mutant } : {}) };
    // One job at a time: after the process has resumed, a second job could judge the same day again, by the newer facts.
    const start = () => deployment.start('interrupted', options, { ENRICHMENT_CONCURRENCY: '1' });
    const suspended = [start()];
    for (const program of suspended) {
      await reachedBoundary(program);
      if (suspended.length < 2) suspended.push(start());
    }
    await untilIdle(deployment.start('later'), 'later');
    for (const program of suspended) program.signal('SIGCONT');
    // SIGTERM must not end them before they have published.
    for (const program of suspended) await program.line(/^resumed$/);
    return await finish(deployment);
  } finally {
    await deployment.kill();
  }
}

/** A kill ends the only attempt of a delta, which is closed as failed; the next delta covers its window. */
async function failedDelta(mutant?: Mutant): Promise<Outcome> {
  const deployment = await environment.deploy('embedded');
  try {
    const interruption = { boundary: BOUNDARIES['base merged locally'], signal: 'SIGKILL' } as const;
    const faults = mutant ? { mutant } : {};
    const env = { STAGE_TRIES: '1' };
    await deployment.start('interrupted', { interruption, ...faults }, env).exited;
    await untilIdle(deployment.start('later', faults, env), 'later');
    return await finish(deployment);
  } finally {
    await deployment.kill();
  }
}

if (backends.includes('redis')) {
  describe('two suspended processes that resume and publish results of older facts', () => {
    it.concurrent('are fenced', async () => {
      const { state, errors } = await twoSuspended();
      expect(state.digests).toEqual(undisturbed.digests);
      expect(state.unfinished).toEqual([]);
      expect(errors).toEqual([]);
    });

    it.concurrent('are detected if the fence is off', async () => {
      expect((await twoSuspended('no fence')).state.digests).not.toEqual(undisturbed.digests);
    });
  });
}

describe('the watermark', () => {
  it.concurrent('does not move if a pipeline run fails, so that the next one covers its window', async () => {
    const { state } = await failedDelta();
    expect(state.deltas.map(({ status }) => status)).toEqual(['done', 'failed', 'done']);
    expect(state.digests).toEqual(undisturbed.digests);
    expect(state.watermarks).toEqual(undisturbed.watermarks);
  });

  it.concurrent('is detected if it moves too early', async () => {
    const { state } = await failedDelta('early watermark');
    expect(state.deltas.map(({ status }) => status)).toEqual(['done', 'failed', 'done']);
    expect(state.digests).not.toEqual(undisturbed.digests);
  });
});
