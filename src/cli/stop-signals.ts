import { constants } from 'node:os';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

const codeOf = (signal: NodeJS.Signals): number => 128 + constants.signals[signal];
const exit = (signal: NodeJS.Signals): never => process.exit(codeOf(signal));
const exitAsAsked = (): never => process.exit(0);
/** What ends the process with a signal, if that is not up to the system. */
let ends: ((signal: NodeJS.Signals) => void) | undefined;

/**
 * Ends the process with SIGTERM and SIGINT from now on. Without a handler, they have no effect on the first process of a container.
 * @param isService whether the command runs until it is stopped, so that it exits with 0 then; other commands exit with 128 and the
 * number of the signal
 */
export function exitOnStopSignal(isService: boolean): void {
  ends = isService ? exitAsAsked : exit;
  for (const signal of SIGNALS) process.on(signal, ends);
}

/** Stop signals that a command handles itself. */
export interface StopSignal {
  /** Aborts with the first SIGTERM or SIGINT, whose name is the reason; the next one ends the process. */
  readonly signal: AbortSignal;
  /** Gives the signals back. */
  release(): void;
}

/** Takes the signals over from `exitOnStopSignal`. */
export function takeStopSignal(): StopSignal {
  const stop = new AbortController();
  const take = (signal: NodeJS.Signals) => {
    for (const each of SIGNALS) process.off(each, take).on(each, exit);
    stop.abort(signal);
  };
  for (const each of SIGNALS) {
    if (ends) process.off(each, ends);
    process.on(each, take);
  }
  return {
    signal: stop.signal,
    release: () => {
      for (const each of SIGNALS) {
        process.off(each, take);
        if (ends) process.on(each, ends);
      }
    },
  };
}
