/**
 * A long computation that pauses often: each `yield` is a place where its caller may do something else. `finish` runs it
 * at once, `inSlices` (config/event-loop.ts) lets the event loop run in between. The result is the same.
 */
export type Steps<T> = Generator<void, T, void>;

/** Runs a computation to its end. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
