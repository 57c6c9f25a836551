import { MonitorError } from '../domain/errors.js';

/** What went wrong between this service and the place where its objects are kept. */
export class StoreError extends MonitorError {
  override readonly name: string = 'StoreError';
}

/** A conditional put found another object than it demanded: another writer won. Reading again helps, repeating does not. */
export class PreconditionFailedError extends StoreError {
  override readonly name: string = 'PreconditionFailedError';
  constructor(key: string, options?: ErrorOptions) {
    super('precondition_failed', `${key} was changed by another writer`, { key }, true, options);
  }
}
