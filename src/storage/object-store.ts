/** Injection token of the `ObjectStore`. */
export const OBJECT_STORE = Symbol('OBJECT_STORE');

/** A put succeeds only if there is no object (`ifNoneMatch`), or if the object has this ETag (`ifMatch`). */
export type PutCondition = { readonly ifNoneMatch: '*' } | { readonly ifMatch: string };

export interface StoredObject {
  readonly body: Buffer;
  readonly etag: string;
}

export interface ObjectEntry {
  /** Relative to the store's prefix, with `/` between its parts. */
  readonly key: string;
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
}

/** The bytes of an object: in memory or in a file. */
export type ObjectBody = Buffer | { readonly file: string };

/**
 * The store of all persistent data. A put replaces an object completely or not at all.
 * Keys match `[A-Za-z0-9_.=-]+(/[A-Za-z0-9_.=-]+)*`; no part begins with a dot. Any other key throws a `StoreError`
 * `invalid_key`.
 */
export interface ObjectStore {
  /** For messages: `folder ./data`, `s3://bucket/prefix`. */
  readonly description: string;
  /**
   * Stores with equal texts give equal ETags of a key to equal bytes only. By default the description: in another bucket an
   * ETag may mean something else.
   */
  readonly etagScope?: string;
  get(key: string): Promise<StoredObject | undefined>;
  head(key: string): Promise<ObjectEntry | undefined>;
  /**
   * Copies the object to a local file, cached by ETag. The file is readable until the next call for this key.
   * @param listed what a listing or HEAD has just shown: saves that request. The object may have been replaced since, so
   * compare the returned ETag.
   */
  fetch(
    key: string,
    listed?: ObjectEntry,
  ): Promise<{ readonly file: string; readonly etag: string } | undefined>;
  /**
   * @returns the new ETag
   * @throws {PreconditionFailedError} if the condition does not hold: another writer was first
   */
  put(key: string, body: ObjectBody, condition?: PutCondition): Promise<string>;
  /** In byte order of the keys. */
  list(prefix: string): AsyncIterable<ObjectEntry>;
  /** The keys of `list`, for callers that need nothing else. Absent: they cost as much as the listing. */
  keys?(prefix: string): AsyncIterable<string>;
  /** Succeeds if there is no such object. The service deletes nothing but scratch objects. */
  delete(key: string): Promise<void>;
  close(): Promise<void>;
}
