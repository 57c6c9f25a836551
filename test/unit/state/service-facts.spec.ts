import { readCatalogState, writeCatalogState } from '../../../src/state/catalog-state.js';
import { loadServiceFacts } from '../../../src/state/service-facts.js';
import { updateWatermarks } from '../../../src/state/watermarks.js';
import { MemoryStore } from '../../support/memory-store.js';

describe('loadServiceFacts', () => {
  it('names each invalid document and reads the others', async () => {
    const store = new MemoryStore();
    await updateWatermarks(store, () => ({ 1: 5 }));
    store.objects.set('_state/kinds/delta.json', Buffer.from('{'));
    store.objects.set('_state/experiments.json', Buffer.from('{"version":2}'));
    const { watermarks, kinds, experiments, broken } = await loadServiceFacts(store);
    expect({ watermarks, experiments, sequence: kinds.delta.sequence }).toEqual({
      watermarks: { 1: 5 },
      experiments: {},
      sequence: 0,
    });
    expect(broken).toEqual([
      expect.stringContaining('_state/experiments.json'),
      expect.stringContaining('_state/kinds/delta.json'),
    ]);
  });
});

it('an invalid state of the catalog is kept aside and replaced by the next request', async () => {
  const store = new MemoryStore();
  store.objects.set('_state/catalog.json', Buffer.from('{'));
  expect(await readCatalogState(store)).toMatchObject({ last_success: null });
  await writeCatalogState(store, { last_success: 7 });
  expect(await readCatalogState(store)).toMatchObject({ last_success: 7 });
  const kept = [...store.objects.keys()].filter((key) => key.startsWith('_state/broken/'));
  expect(kept).toEqual([expect.stringMatching(/^_state\/broken\/catalog-\w{8}\.json$/)]);
});
