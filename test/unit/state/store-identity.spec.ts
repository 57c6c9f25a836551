import { ensureStoreIdentity, readStoreIdentity } from '../../../src/state/store-identity.js';
import { MemoryStore } from '../../support/memory-store.js';

describe('the identity of a store', () => {
  it('is created once, also by several processes', async () => {
    const store = new MemoryStore();
    expect(await readStoreIdentity(store)).toBeUndefined();
    const ids = await Promise.all([1, 2, 3].map(() => ensureStoreIdentity(store)));
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).toMatch(/^[0-9a-f]{12}$/);
    expect(await readStoreIdentity(store)).toBe(ids[0]);
  });

  it('differs between stores', async () => {
    expect(await ensureStoreIdentity(new MemoryStore())).not.toBe(
      await ensureStoreIdentity(new MemoryStore()),
    );
  });

  it('that is invalid is named, not replaced', async () => {
    const store = new MemoryStore();
    store.objects.set('_state/store.json', Buffer.from('{'));
    await expect(ensureStoreIdentity(store)).rejects.toMatchObject({ code: 'broken_document' });
    expect(await readStoreIdentity(store)).toBeUndefined();
  });
});
