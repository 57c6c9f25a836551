import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { PreconditionFailedError, StoreError } from './errors.js';
import { readDocument } from './json-document.js';
import { KeyedMutex } from './keyed-mutex.js';
import type { ObjectBody, ObjectEntry, ObjectStore, PutCondition, StoredObject } from './object-store.js';

const OWNER_KEY = '_state/owner.json';

const ownerSchema = z.object({
  version: z.literal(1),
  id: z.string(),
  host: z.string(),
  pid: z.int(),
  /** Increases with each renewal, so that each has another ETag. */
  renewal: z.int(),
});
type Owner = z.infer<typeof ownerSchema>;

export interface SingleWriterOptions {
  /** An owner that does not renew for this long is considered dead. */
  readonly leaseMs?: number;
  /** Waits between two reads of the owner, and between the claim and its confirmation. */
  readonly pause?: (ms: number) => Promise<unknown>;
  /** Monotonic, ms. */
  readonly clock?: () => number;
}

const LEASE_MS = 60_000;
/** Reads, and renewals, per lease. */
const STEPS = 4;

/**
 * Makes a store without conditional writes usable by one process: conditions hold within the process, and an owner object
 * that it renews keeps other processes out, as far as such a store allows.
 */
export class SingleWriterStore implements ObjectStore {
  readonly description: string;
  readonly etagScope: string;
  private readonly mutex = new KeyedMutex();
  private readonly id = randomUUID();
  private timer: NodeJS.Timeout | undefined;
  private renewal = 0;
  private renewedAt = Number.NEGATIVE_INFINITY;
  private renewing: Promise<void> | undefined;

  private constructor(
    private readonly store: ObjectStore,
    private readonly leaseMs: number,
    private readonly pause: (ms: number) => Promise<unknown>,
    private readonly clock: () => number,
  ) {
    this.description = store.description;
    this.etagScope = store.etagScope ?? store.description;
  }

  /**
   * Waits one lease if there is an owner object: its process may be dead.
   * @throws {StoreError} `store_owned`, not retryable: another process uses the store
   */
  static async open(store: ObjectStore, options: SingleWriterOptions = {}): Promise<SingleWriterStore> {
    const { leaseMs = LEASE_MS, pause = sleep, clock = () => performance.now() } = options;
    const writer = new SingleWriterStore(store, leaseMs, pause, clock);
    await writer.claim();
    writer.timer = setInterval(() => writer.renew().catch(() => undefined), leaseMs / STEPS).unref();
    return writer;
  }

  get(key: string): Promise<StoredObject | undefined> {
    return this.store.get(key);
  }

  head(key: string): Promise<ObjectEntry | undefined> {
    return this.store.head(key);
  }

  fetch(
    key: string,
    listed?: ObjectEntry,
  ): Promise<{ readonly file: string; readonly etag: string } | undefined> {
    return this.store.fetch(key, listed);
  }

  async *list(prefix: string): AsyncIterable<ObjectEntry> {
    for await (const entry of this.store.list(prefix)) if (entry.key !== OWNER_KEY) yield entry;
  }

  async put(key: string, body: ObjectBody, condition?: PutCondition): Promise<string> {
    return this.mutex.run(key, async () => {
      await this.assertOwner();
      if (condition) {
        const stored = await this.store.head(key);
        const expected = 'ifMatch' in condition ? condition.ifMatch : undefined;
        if (stored?.etag !== expected) throw new PreconditionFailedError(key);
      }
      return this.store.put(key, body);
    });
  }

  async delete(key: string): Promise<void> {
    await this.mutex.run(key, async () => {
      await this.assertOwner();
      await this.store.delete(key);
    });
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.renewing?.catch(() => undefined);
    try {
      if ((await this.readOwner())?.id === this.id) await this.store.delete(OWNER_KEY);
    } catch {
      // The lease expires without this.
    } finally {
      await this.store.close();
    }
  }

  private async readOwner(): Promise<Owner | undefined> {
    return (await readDocument(this.store, OWNER_KEY, ownerSchema))?.value;
  }

  private async claim(): Promise<void> {
    const before = await this.readOwner();
    for (let step = 0; before && step <= STEPS; step++) {
      const now = await this.readOwner();
      if (now && (now.id !== before.id || now.renewal !== before.renewal)) throw this.ownedError(now);
      await this.pause(this.leaseMs / STEPS);
    }
    await this.writeOwner();
    // Two concurrent claims both wrote; the later one remains.
    await this.pause(this.leaseMs / STEPS / STEPS);
    const owner = await this.readOwner();
    if (owner?.id !== this.id) throw this.ownedError(owner);
  }

  /** Checks that no other process has taken over since the last renewal. */
  private async assertOwner(): Promise<void> {
    if (this.clock() - this.renewedAt > this.leaseMs / 2) await this.renew();
  }

  private renew(): Promise<void> {
    this.renewing ??= (async () => {
      const owner = await this.readOwner();
      if (owner?.id !== this.id) {
        this.renewedAt = Number.NEGATIVE_INFINITY;
        throw this.ownedError(owner);
      }
      await this.writeOwner();
    })().finally(() => {
      this.renewing = undefined;
    });
    return this.renewing;
  }

  private async writeOwner(): Promise<void> {
    const startedAt = this.clock();
    this.renewal++;
    const owner: Owner = {
      version: 1,
      id: this.id,
      host: hostname(),
      pid: process.pid,
      renewal: this.renewal,
    };
    await this.store.put(OWNER_KEY, Buffer.from(JSON.stringify(owner)));
    this.renewedAt = startedAt;
  }

  private ownedError(owner: Owner | undefined): StoreError {
    const who = owner ? `process ${owner.pid} on ${owner.host}` : 'another process';
    return new StoreError(
      'store_owned',
      `${this.description} is in use by ${who}, and its conditional writes do not work. Stop that process first.`,
      owner ? { pid: owner.pid, host: owner.host } : {},
    );
  }
}
