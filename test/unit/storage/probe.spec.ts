import { PreconditionFailedError, StoreError } from '../../../src/storage/errors.js';
import type { ObjectBody, PutCondition } from '../../../src/storage/object-store.js';
import { probeConditionalWrites } from '../../../src/storage/probe.js';
import { MemoryStore } from '../../support/memory-store.js';

/** A store that sees only some conditions. */
class CarelessStore extends MemoryStore {
  constructor(private readonly sees: (condition: PutCondition) => boolean) {
    super();
  }
  override put(key: string, body: ObjectBody, condition?: PutCondition): Promise<string> {
    return super.put(key, body, condition && this.sees(condition) ? condition : undefined);
  }
}

/** Looks first and writes later, as a store does that has no lock. */
class SlowStore extends MemoryStore {
  override async put(key: string, body: ObjectBody, condition?: PutCondition): Promise<string> {
    const stored = await this.head(key);
    const demanded = condition && ('ifMatch' in condition ? condition.ifMatch : undefined);
    if (condition && stored?.etag !== demanded) throw new PreconditionFailedError(key);
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
  it('finds nothing wrong with a store that keeps its conditions, and leaves nothing there', async () => {
    const store = new MemoryStore();
    expect(await probeConditionalWrites(store)).toBeUndefined();
    expect(store.objects.size).toBe(0);
    expect(store.puts).toBe(2);
  });

  it.each([
    ['sees none', new CarelessStore(() => false), '8 of 8 puts with If-None-Match won'],
    [
      'sees no If-Match',
      new CarelessStore((condition) => 'ifNoneMatch' in condition),
      '8 of 8 puts with If-Match won',
    ],
    ['looks before it locks', new SlowStore(), 'puts with If-None-Match won'],
  ])('finds a store that %s, and leaves nothing there', async (_, store, problem) => {
    expect(await probeConditionalWrites(store)).toContain(problem);
    expect(store.objects.size).toBe(0);
  });

  it('takes the refusal of a header it does not know for its answer', async () => {
    const error = new StoreError('store_refused', '501 NotImplemented: If-None-Match', { status: 501 });
    expect(await probeConditionalWrites(new FailingStore(error))).toContain('NotImplemented');
  });

  it('says nothing of a store that cannot be asked', async () => {
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
