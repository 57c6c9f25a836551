import { setTimeout as delay } from 'node:timers/promises';
import type { Program } from '../support/program.js';
import { type Backend, BOUNDARIES, type BoundaryName, LOCK_MS, type Signal } from './boundaries.js';
import type { Time } from './facts.js';
import { idle, type Left, type Place } from './place.js';
import type { World } from './world.js';

export interface Case {
  readonly boundary: BoundaryName;
  readonly signal: Signal;
  readonly backend: Backend;
}

export interface Outcome {
  readonly left: Left;
  /** How the processes ended, in the order of their start: an exit code or the signal. */
  readonly ends: readonly (number | string | null)[];
  /** Lines of errors. */
  readonly errors: readonly string[];
}

/**
 * The world goes on only while a process is stopped and another one can work in its place: what the first one then brings
 * is old.
 */
export const endOf = ({ signal, backend }: Case): 'struck' | 'later' =>
  signal === 'SIGSTOP' && backend === 'redis' ? 'later' : 'struck';

/** Strikes the service in the middle of a delta; it, or another one in its place, goes on until all is done. */
export async function strike(world: World, played: Case): Promise<Outcome> {
  const place = await world.place(played.backend);
  try {
    const { boundary, signal } = played;
    const first = place.start('struck', { strike: { boundary: BOUNDARIES[boundary], signal } });
    await reached(first);
    if (signal !== 'SIGSTOP') {
      await first.exited;
      await idle(place.start('struck'), 'struck');
    } else if (played.backend === 'embedded') {
      // The time is what is tested here: nobody can say anything meanwhile.
      await delay(2 * LOCK_MS);
      first.signal('SIGCONT');
      await idle(first, 'struck');
    } else {
      await Promise.all([idle(place.start('later'), 'later'), delay(2 * LOCK_MS)]);
      first.signal('SIGCONT');
    }
    return await finish(place);
  } finally {
    await place.clear();
  }
}

/** What is left where nothing is struck, after a start at each of these times. */
export async function cleanRun(world: World, ...times: Time[]): Promise<Left> {
  const place = await world.place('embedded');
  for (const time of times) {
    const program = place.start(time);
    await idle(program, time);
    await program.stop();
  }
  return (await finish(place)).left;
}

/** Waits for the moment. @throws {Error} if the work ends without it */
export async function reached(program: Program): Promise<void> {
  const [line] = await program.line(/^reached$|^idle .*"delta":2/);
  if (line !== 'reached') throw new Error(`The boundary was not reached:\n${program.lines.join('\n')}`);
}

/** Stops the processes in order, which ends the work that they hold, and looks at what is left. */
export async function finish(place: Place): Promise<Outcome> {
  const ends = await Promise.all(place.processes.map((program) => program.stop('SIGTERM')));
  const lines = place.processes.flatMap((program) => program.lines);
  return {
    left: await place.look(),
    ends: ends.map(({ code, signal }) => code ?? signal),
    errors: lines.filter((line) => !/^(reached|idle|dispatched|\{.*"level":"(debug|log|warn)")/.test(line)),
  };
}
