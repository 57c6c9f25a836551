import { MonitorError } from '../domain/errors.js';

/** An error of the object store. */
export class StoreError extends MonitorError {
  override readonly name: string = 'StoreError';
}

/** The condition of a put did not hold: another writer changed the object first. Read again before the next put. */
export class PreconditionFailedError extends StoreError {
  override readonly name: string = 'PreconditionFailedError';
  constructor(key: string, options?: ErrorOptions) {
    super('precondition_failed', `Another writer changed ${key}`, { key }, true, options);
  }
}
