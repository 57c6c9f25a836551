/** Injects the `Engine`. */
export const ENGINE = Symbol('ENGINE');
/** Injects `() => Promise<number>`: the tracking server's clock, asked now; ms. */
export const SERVER_CLOCK = Symbol('SERVER_CLOCK');
/** Injects `(name: string) => string`: the path of a new temporary file that DuckDB may use. */
export const SCRATCH = Symbol('SCRATCH');
