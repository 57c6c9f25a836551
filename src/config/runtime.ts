/** The current time, milliseconds since the epoch. */
export type Clock = () => number;

/** Injection token of a `Clock`. */
export const CLOCK = Symbol('CLOCK');
/** Injection token of an `AbortSignal` that is aborted when the process begins to shut down. */
export const STOPPING = Symbol('STOPPING');
