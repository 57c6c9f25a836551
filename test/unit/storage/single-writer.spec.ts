import { PreconditionFailedError } from '../../../src/storage/errors.js';
import type { ObjectBody } from '../../../src/storage/object-store.js';
import { SingleWriterStore } from '../../../src/storage/single-writer.js';
import { MemoryStore } from '../../support/memory-store.js';

/** Ignores every condition. */
class UnconditionalStore extends MemoryStore {
  override put(key: string, body: ObjectBody): Promise<string> {
    return super.put(key, body);
  }
}

const text = (value: string): Buffer => Buffer.from(value);
const LEASE_MS = 60_000;

describe('a store for one writer', () => {
  let store: UnconditionalStore;
  let now: number;
  let opened: SingleWriterStore[];
  const pause = async (ms: number): Promise<void> => {
    now += ms;
  };
  const open = async (wait = pause, leaseMs = LEASE_MS): Promise<SingleWriterStore> => {
    const writer = await SingleWriterStore.open(store, { leaseMs, pause: wait, clock: () => now });
    opened.push(writer);
    return writer;
  };
  beforeEach(() => {
    store = new UnconditionalStore();
    now = 0;
    opened = [];
  });
  afterEach(async () => {
    for (const writer of opened) await writer.close();
  });

  it('checks conditions that its store does not support', async () => {
    const writer = await open();
    const puts = Array.from({ length: 32 }, (_, i) => writer.put('a', text(`${i}`), { ifNoneMatch: '*' }));
    const results = await Promise.allSettled(puts);
    const lost = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(lost).toHaveLength(31);
    for (const reason of lost) expect(reason).toBeInstanceOf(PreconditionFailedError);
    await expect(writer.put('a', text('x'), { ifMatch: 'other' })).rejects.toThrow(PreconditionFailedError);
  });

  it('rejects a second process while the first renews, and names the first', async () => {
    const first = await open();
    const second = open(async (ms) => {
      now += ms;
      await first.put('a', text('x'));
    });
    await expect(second).rejects.toMatchObject({
      code: 'store_owned',
      retryable: false,
      context: { pid: process.pid },
    });
    await first.put('a', text('still the owner'));
  });

  it('takes over from an owner that did not renew for a lease; that owner can no longer write', async () => {
    const first = await open();
    const startedAt = now;
    const second = await open();
    expect(now - startedAt).toBeGreaterThanOrEqual(LEASE_MS);
    await second.put('a', text('second'));
    await expect(first.put('a', text('first'))).rejects.toMatchObject({ code: 'store_owned' });
    await expect(first.delete('a')).rejects.toMatchObject({ code: 'store_owned' });
    expect(store.objects.get('a')).toEqual(text('second'));
  });

  it('opens without a wait after an owner that closed it', async () => {
    await (await open()).close();
    const startedAt = now;
    await open();
    expect(now - startedAt).toBeLessThan(LEASE_MS / 10);
  });

  it('goes to one of two processes that claim it concurrently', async () => {
    let waiting: (() => void) | undefined;
    const together = () =>
      new Promise<void>((resolve) => {
        if (!waiting) waiting = resolve;
        else {
          waiting();
          resolve();
        }
      });
    const results = await Promise.allSettled([open(together), open(together)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('renews periodically, and hides its owner object', async () => {
    const renewed = new Promise<void>((resolve) => {
      let writes = 0;
      store.beforePut = () => {
        if (++writes === 3) resolve();
      };
    });
    const writer = await open(pause, 20);
    await renewed;
    const keys: string[] = [];
    for await (const { key } of writer.list('')) keys.push(key);
    expect(keys).toEqual([]);
    expect([...store.objects.keys()]).toEqual(['_state/owner.json']);
  });
});
