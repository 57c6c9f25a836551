import type { ObjectBody, ObjectEntry, ObjectStore, PutCondition } from '../../src/storage/object-store.js';

type Request = 'get' | 'head' | 'fetch' | 'list' | 'put' | 'delete';

/** Another process's access to a store: counts the requests, and has its own index of objects. */
export class CountingStore implements ObjectStore {
  readonly description: string;
  readonly etagScope: string;
  /** Each request as `<method> <key or prefix>`. */
  readonly requests: string[] = [];
  /** By key: the ETag of which the store has a local copy. */
  private readonly copies = new Map<string, string>();

  constructor(private readonly store: ObjectStore) {
    this.description = store.description;
    this.etagScope = store.etagScope ?? store.description;
  }

  /** The number of requests since the last call, by method, and forgets them. */
  take(): Record<Request, number> {
    const counts = { get: 0, head: 0, fetch: 0, list: 0, put: 0, delete: 0 };
    for (const request of this.requests.splice(0)) counts[request.split(' ')[0] as Request]++;
    return counts;
  }

  get(key: string) {
    this.requests.push(`get ${key}`);
    return this.store.get(key);
  }

  head(key: string) {
    this.requests.push(`head ${key}`);
    return this.store.head(key);
  }

  /** With a bucket, a listed object of which there is a local copy costs no request. */
  async fetch(key: string, listed?: ObjectEntry) {
    if (!listed || this.copies.get(key) !== listed.etag) this.requests.push(`fetch ${key}`);
    const fetched = await this.store.fetch(key, listed);
    if (fetched) this.copies.set(key, fetched.etag);
    return fetched;
  }

  async put(key: string, body: ObjectBody, condition?: PutCondition) {
    this.requests.push(`put ${key}`);
    const etag = await this.store.put(key, body, condition);
    if (!Buffer.isBuffer(body)) this.copies.set(key, etag);
    return etag;
  }

  list(prefix: string) {
    this.requests.push(`list ${prefix}`);
    return this.store.list(prefix);
  }

  delete(key: string) {
    this.requests.push(`delete ${key}`);
    return this.store.delete(key);
  }

  close() {
    return this.store.close();
  }
}
