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
  /** Counts the renewals, so that each is another object. */
  renewal: z.int(),
});
type Owner = z.infer<typeof ownerSchema>;

export interface SingleWriterOptions {
  /** An owner that did not renew for so long is dead. */
  readonly leaseMs?: number;
  /** Between two looks at the owner, and between the claim and its confirmation. */
  readonly pause?: (ms: number) => Promise<unknown>;
  /** Milliseconds; does not go back. */
  readonly clock?: () => number;
}

const LEASE_MS = 60_000;
/** Looks, and renewals, within one lease. */
const STEPS = 4;

/**
 * A store whose conditional writes do not hold, for one process: conditions hold within it, and an owner object that it
 * renews keeps other processes out, as far as such a store allows.
 */
export class SingleWriterStore implements ObjectStore {
  readonly description: string;
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
  }

  /**
   * Waits one lease if an owner is named, for it may be dead.
   * @throws {StoreError} `store_owned`, not retryable: another process owns the store
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

  fetch(key: string): Promise<{ readonly file: string; readonly etag: string } | undefined> {
    return this.store.fetch(key);
  }

  async *list(prefix: string): AsyncIterable<ObjectEntry> {
    for await (const entry of this.store.list(prefix)) if (entry.key !== OWNER_KEY) yield entry;
  }

  async put(key: string, body: ObjectBody, condition?: PutCondition): Promise<string> {
    return this.mutex.run(key, async () => {
      await this.assertOwner();
      if (condition) {
        const stored = await this.store.head(key);
        const demanded = 'ifMatch' in condition ? condition.ifMatch : undefined;
        if (stored?.etag !== demanded) throw new PreconditionFailedError(key);
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
      if ((await this.owner())?.id === this.id) await this.store.delete(OWNER_KEY);
    } catch {
      // The lease ends by itself.
    } finally {
      await this.store.close();
    }
  }

  private async owner(): Promise<Owner | undefined> {
    return (await readDocument(this.store, OWNER_KEY, ownerSchema))?.value;
  }

  private async claim(): Promise<void> {
    const before = await this.owner();
    for (let step = 0; before && step <= STEPS; step++) {
      const now = await this.owner();
      if (now && (now.id !== before.id || now.renewal !== before.renewal)) throw this.owned(now);
      await this.pause(this.leaseMs / STEPS);
    }
    await this.name();
    // Two that claimed at the same time both wrote; the later one stays.
    await this.pause(this.leaseMs / STEPS / STEPS);
    const owner = await this.owner();
    if (owner?.id !== this.id) throw this.owned(owner);
  }

  /** Nobody may have taken the store over since this process named itself last. */
  private async assertOwner(): Promise<void> {
    if (this.clock() - this.renewedAt > this.leaseMs / 2) await this.renew();
  }

  private renew(): Promise<void> {
    this.renewing ??= (async () => {
      const owner = await this.owner();
      if (owner?.id !== this.id) {
        this.renewedAt = Number.NEGATIVE_INFINITY;
        throw this.owned(owner);
      }
      await this.name();
    })().finally(() => {
      this.renewing = undefined;
    });
    return this.renewing;
  }

  private async name(): Promise<void> {
    const begun = this.clock();
    this.renewal++;
    const owner: Owner = {
      version: 1,
      id: this.id,
      host: hostname(),
      pid: process.pid,
      renewal: this.renewal,
    };
    await this.store.put(OWNER_KEY, Buffer.from(JSON.stringify(owner)));
    this.renewedAt = begun;
  }

  private owned(owner: Owner | undefined): StoreError {
    const who = owner ? `process ${owner.pid} on ${owner.host}` : 'another process';
    return new StoreError(
      'store_owned',
      `${this.description} belongs to ${who}, and its conditional writes do not hold: stop that process first.`,
      owner ? { pid: owner.pid, host: owner.host } : {},
    );
  }
}
