import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Steps } from '../domain/steps.js';

/** Probes and requests wait at most about this long, times the number of computations that run at once, ms. */
const SLICE_MS = 10;

export interface SliceOptions {
  readonly sliceMs?: number;
  /** A monotonic clock, ms. */
  readonly now?: () => number;
  /** Resolves after the event loop has handled what is waiting. */
  readonly turn?: () => Promise<unknown>;
}

/** Runs a long computation in slices, between which the event loop handles other work. */
export async function inSlices<T>(
  steps: Steps<T>,
  { sliceMs = SLICE_MS, now = () => performance.now(), turn = () => nextTurn() }: SliceOptions = {},
): Promise<T> {
  let until = now() + sliceMs;
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (now() < until) continue;
    await turn();
    until = now() + sliceMs;
  }
}
