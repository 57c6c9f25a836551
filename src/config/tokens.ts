/** Injects the `Settings` that `loadSettings` read. */
export const SETTINGS = Symbol('SETTINGS');
/** Injects a `Clock`. */
export const CLOCK = Symbol('CLOCK');
/** Injects an `AbortSignal`: this process is to stop. Work under way may end; nothing is waited for. */
export const STOPPING = Symbol('STOPPING');

/** Now, in milliseconds since the epoch. */
export type Clock = () => number;
