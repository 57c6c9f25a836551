import { PreconditionFailedError, StoreError } from '../../../src/storage/errors.js';
import type { ObjectBody, PutCondition } from '../../../src/storage/object-store.js';
import { probeConditionalWrites } from '../../../src/storage/probe.js';
import { MemoryStore } from '../../support/memory-store.js';

/** A store that supports only some conditions. */
class CarelessStore extends MemoryStore {
  constructor(private readonly supports: (condition: PutCondition) => boolean) {
    super();
  }
  override put(key: string, body: ObjectBody, condition?: PutCondition): Promise<string> {
    return super.put(key, body, condition && this.supports(condition) ? condition : undefined);
  }
}

/** Checks first and writes later, without a lock. */
class UnlockedStore extends MemoryStore {
  override async put(key: string, body: ObjectBody, condition?: PutCondition): Promise<string> {
    const stored = await this.head(key);
    const expected = condition && ('ifMatch' in condition ? condition.ifMatch : undefined);
    if (condition && stored?.etag !== expected) throw new PreconditionFailedError(key);
    return super.put(key, body);
  }
}

class FailingStore extends MemoryStore {
  constructor(private readonly error: StoreError) {
    super();
  }
  override async put(): Promise<string> {
    throw this.error;
  }
}

describe('the probe of conditional writes', () => {
  it('accepts a store that supports conditions, and deletes its object', async () => {
    const store = new MemoryStore();
    expect(await probeConditionalWrites(store)).toBeUndefined();
    expect(store.objects.size).toBe(0);
    expect(store.puts).toBe(2);
  });

  it.each([
    ['supports none', new CarelessStore(() => false), '8 of 8 puts with If-None-Match succeeded'],
    [
      'does not support If-Match',
      new CarelessStore((condition) => 'ifNoneMatch' in condition),
      '8 of 8 puts with If-Match succeeded',
    ],
    ['checks without a lock', new UnlockedStore(), 'puts with If-None-Match succeeded'],
  ])('rejects a store that %s, and deletes its object', async (_, store, problem) => {
    expect(await probeConditionalWrites(store)).toContain(problem);
    expect(store.objects.size).toBe(0);
  });

  it('rejects a store that does not know the header', async () => {
    const error = new StoreError('store_refused', '501 NotImplemented: If-None-Match', { status: 501 });
    expect(await probeConditionalWrites(new FailingStore(error))).toContain('NotImplemented');
  });

  it('passes on the error of a store that is unreachable or denies access', async () => {
    for (const [code, status] of [
      ['store_denied', 403],
      ['store_refused', 301],
      ['store_busy', 503],
    ] as const) {
      const error = new StoreError(code, 'no', { status });
      await expect(probeConditionalWrites(new FailingStore(error))).rejects.toBe(error);
    }
  });
});
