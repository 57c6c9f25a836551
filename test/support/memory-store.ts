import { createHash } from 'node:crypto';
import { PreconditionFailedError } from '../../src/storage/errors.js';
import type { ObjectBody, ObjectEntry, ObjectStore, PutCondition } from '../../src/storage/object-store.js';

/** Objects in memory, with the port's conditions: every operation is one step that nothing interrupts. */
export class MemoryStore implements ObjectStore {
  readonly description = 'memory';
  readonly objects = new Map<string, Buffer>();
  puts = 0;
  /** Runs before each put is judged: another writer, or a fault. */
  beforePut: (key: string) => void = () => undefined;

  async get(key: string) {
    const body = this.objects.get(key);
    return body && { body, etag: etagOf(body) };
  }

  async head(key: string): Promise<ObjectEntry | undefined> {
    const body = this.objects.get(key);
    return body && { key, etag: etagOf(body), size: body.length };
  }

  fetch(): never {
    throw new Error('An object in memory has no file');
  }

  async put(key: string, body: ObjectBody, condition?: PutCondition): Promise<string> {
    if (!Buffer.isBuffer(body)) throw new Error('Only bytes in memory');
    this.beforePut(key);
    const stored = this.objects.get(key);
    const demanded = condition && ('ifMatch' in condition ? condition.ifMatch : undefined);
    if (condition && (stored && etagOf(stored)) !== demanded) throw new PreconditionFailedError(key);
    this.objects.set(key, body);
    this.puts++;
    return etagOf(body);
  }

  async *list(prefix: string): AsyncIterable<{ readonly key: string }> {
    for (const key of [...this.objects.keys()].sort()) {
      if (key.startsWith(prefix)) yield { key };
    }
  }

  async delete(key: string): Promise<void> {
    this.objects.delete(key);
  }

  async close(): Promise<void> {}
}

const etagOf = (body: Buffer): string => createHash('sha256').update(body).digest('hex');
