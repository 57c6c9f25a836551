/** Injection token of the `ObjectStore`. */
export const OBJECT_STORE = Symbol('OBJECT_STORE');

/** What a put demands of the object that is there: no object (`absent`), or the one with this ETag. */
export type PutCondition = { readonly ifNoneMatch: '*' } | { readonly ifMatch: string };

export interface StoredObject {
  readonly body: Buffer;
  readonly etag: string;
}

export interface ObjectEntry {
  /** Below the store's prefix, `/` between its parts. */
  readonly key: string;
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
}

/** The bytes of an object: in memory, or a file of known length. */
export type ObjectBody = Buffer | { readonly file: string };

/**
 * Where everything that lasts is kept. A put replaces an object whole, or not at all.
 * Keys match `[A-Za-z0-9_.=-]+(/[A-Za-z0-9_.=-]+)*`, without a part `.` or `..`; anything else is a `StoreError` `invalid_key`.
 */
export interface ObjectStore {
  /** For messages: `folder ./data`, `s3://bucket/prefix`. */
  readonly description: string;
  get(key: string): Promise<StoredObject | undefined>;
  head(key: string): Promise<ObjectEntry | undefined>;
  /** A local file with the object's bytes, readable until the next call for this key; cached by ETag. */
  fetch(key: string): Promise<{ readonly file: string; readonly etag: string } | undefined>;
  /**
   * @returns the new ETag
   * @throws {PreconditionFailedError} when the condition does not hold: another writer won
   */
  put(key: string, body: ObjectBody, condition?: PutCondition): Promise<string>;
  /** In the order of the keys' UTF-8 bytes. */
  list(prefix: string): AsyncIterable<ObjectEntry>;
  /** No error if it is not there. Only scratch is ever deleted. */
  delete(key: string): Promise<void>;
  close(): Promise<void>;
}
