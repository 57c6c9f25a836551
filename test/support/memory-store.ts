import { createHash } from 'node:crypto';
import { PreconditionFailedError } from '../../src/storage/errors.js';
import type { ObjectBody, ObjectEntry, ObjectStore, PutCondition } from '../../src/storage/object-store.js';

/** An object store in memory, with conditional writes. Every operation is atomic. */
export class MemoryStore implements ObjectStore {
  readonly description = 'memory';
  puts = 0;
  /** Called before each put checks its condition: simulates another writer or a fault. */
  beforePut: (key: string) => void = () => undefined;

  /** @param files contents of the files that `fetch` returns and `put` reads, by name */
  constructor(
    readonly objects = new Map<string, Buffer>(),
    readonly files = new Map<string, Buffer>(),
  ) {}

  async get(key: string) {
    const body = this.objects.get(key);
    return body && { body, etag: etagOf(body) };
  }

  async head(key: string): Promise<ObjectEntry | undefined> {
    const body = this.objects.get(key);
    return body && { key, etag: etagOf(body), size: body.length };
  }

  async fetch(key: string): Promise<{ file: string; etag: string } | undefined> {
    const stored = await this.get(key);
    if (!stored) return undefined;
    const file = `memory:${stored.etag}`;
    this.files.set(file, stored.body);
    return { file, etag: stored.etag };
  }

  async put(key: string, from: ObjectBody, condition?: PutCondition): Promise<string> {
    const body = Buffer.isBuffer(from) ? from : this.files.get(from.file);
    if (!body) throw new Error('No such file in memory');
    this.beforePut(key);
    const stored = this.objects.get(key);
    const required = condition && ('ifMatch' in condition ? condition.ifMatch : undefined);
    if (condition && (stored && etagOf(stored)) !== required) throw new PreconditionFailedError(key);
    this.objects.set(key, body);
    this.puts++;
    return etagOf(body);
  }

  async *list(prefix: string): AsyncIterable<ObjectEntry> {
    for (const key of [...this.objects.keys()].filter((each) => each.startsWith(prefix)).sort()) {
      const entry = await this.head(key);
      if (entry) yield entry;
    }
  }

  async delete(key: string): Promise<void> {
    this.objects.delete(key);
  }

  async close(): Promise<void> {}
}

/** Of stored bodies, which do not change. */
const etags = new WeakMap<Buffer, string>();

function etagOf(body: Buffer): string {
  const etag = etags.get(body) ?? createHash('sha256').update(body).digest('hex');
  etags.set(body, etag);
  return etag;
}
