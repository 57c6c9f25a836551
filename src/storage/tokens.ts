/** Injects an `ObjectStore`. */
export const OBJECT_STORE = Symbol('OBJECT_STORE');
/** Injects the process's `Duck`. */
export const DUCK = Symbol('DUCK');
