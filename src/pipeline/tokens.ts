/** Injects the `Engine`. */
export const ENGINE = Symbol('ENGINE');
/** Injects `() => Promise<number>`: the tracking server's clock, asked now; ms. */
export const SERVER_CLOCK = Symbol('SERVER_CLOCK');
/** Injects `(name: string) => string`: the path of a new temporary file that DuckDB may use. */
export const SCRATCH = Symbol('SCRATCH');
/** Injects `() => Promise<CurrentLights>`, where this process can tell them. */
export const LIGHTS = Symbol('LIGHTS');
/** Injects how long a stage stays away that found it must wait for another service, ms. */
export const WAIT_MS = Symbol('WAIT_MS');
