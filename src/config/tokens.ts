/** Injects the `Settings` that `loadSettings` read. */
export const SETTINGS = Symbol('SETTINGS');
/** Injects a `Clock`. */
export const CLOCK = Symbol('CLOCK');

/** Now, in milliseconds since the epoch. */
export type Clock = () => number;
