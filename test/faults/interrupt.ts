import { setTimeout as delay } from 'node:timers/promises';
import type { Program } from '../support/program.js';
import { type Backend, type BoundaryName, boundaryOf, LOCK_MS, type Signal } from './boundaries.js';
import { type Deployment, type FinalState, untilIdle } from './deployment.js';
import type { Environment } from './environment.js';
import type { Time } from './mlflow-history.js';

export interface Case {
  readonly boundary: BoundaryName;
  readonly signal: Signal;
  readonly backend: Backend;
}

export interface Outcome {
  readonly state: FinalState;
  /** The exit codes or signals of the processes, in the order of their start. */
  readonly exits: readonly (number | string | null)[];
  /** Output lines other than regular ones. */
  readonly errors: readonly string[];
}

/**
 * Time passes only while a process is suspended and another one can replace it: what the first one writes after it resumes
 * is then outdated.
 */
export const finalTime = ({ signal, backend }: Case): 'interrupted' | 'later' =>
  signal === 'SIGSTOP' && backend === 'redis' ? 'later' : 'interrupted';

/** Interrupts the service during a delta; the same or another process then continues until everything is finished. */
export async function interrupt(
  environment: Environment,
  { boundary, signal, backend }: Case,
): Promise<Outcome> {
  const deployment = await environment.deploy(backend);
  try {
    const interruption = { boundary: boundaryOf(boundary), signal };
    const first = deployment.start('interrupted', { interruption });
    await reachedBoundary(first);
    if (signal !== 'SIGSTOP') {
      await first.exited;
      await untilIdle(deployment.start('interrupted'), 'interrupted');
    } else if (backend === 'embedded') {
      // A fixed time, until the locks have expired: no other process could report it.
      await delay(2 * LOCK_MS);
      first.signal('SIGCONT');
      await untilIdle(first, 'interrupted');
    } else {
      await Promise.all([untilIdle(deployment.start('later'), 'later'), delay(2 * LOCK_MS)]);
      first.signal('SIGCONT');
    }
    return await finish(deployment);
  } finally {
    await deployment.kill();
  }
}

/** The final state after undisturbed runs at these times, each in a new process. */
export async function undisturbedState(environment: Environment, ...times: Time[]): Promise<FinalState> {
  const deployment = await environment.deploy('embedded');
  for (const time of times) {
    const program = deployment.start(time);
    await untilIdle(program, time);
    await program.stop();
  }
  return (await finish(deployment)).state;
}

/** Waits until the process has reached its boundary. @throws {Error} if the delta finishes without reaching it */
export async function reachedBoundary(program: Program): Promise<void> {
  const [line] = await program.line(/^reached$|^idle .*"delta":2/);
  if (line !== 'reached') throw new Error(`The boundary was not reached:\n${program.lines.join('\n')}`);
}

/** Stops the processes with SIGTERM, which drains their jobs, and reads the final state. */
export async function finish(deployment: Deployment): Promise<Outcome> {
  const exits = await Promise.all(deployment.processes.map((program) => program.stop('SIGTERM')));
  const lines = deployment.processes.flatMap((program) => program.lines);
  return {
    state: await deployment.finalState(),
    exits: exits.map(({ code, signal }) => code ?? signal),
    errors: lines.filter(
      (line) => !/^(reached|resumed|idle|dispatched|\{.*"level":"(debug|log|warn)")/.test(line),
    ),
  };
}
