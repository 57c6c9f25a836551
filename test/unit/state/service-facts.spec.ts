import { closePipelineRun, createPipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { writeCatalogState } from '../../../src/state/catalog-state.js';
import { loadServiceFacts } from '../../../src/state/service-facts.js';
import { MemoryStore } from '../../support/memory-store.js';

it('the facts of the service come from the documents below _state/', async () => {
  const store = new MemoryStore();
  await createPipelineRun(store, 'delta', { scheduledAt: null, now: 1 });
  await createPipelineRun(store, 'backup', { scheduledAt: null, now: 1 });
  const outcome = { status: 'done' as const, error: null, refused: [], summary: null };
  await closePipelineRun(store, { id: 'delta-1', kind: 'delta' }, outcome, 7_000);
  await writeCatalogState(store, { last_success: 5_000, refused: 2 });
  const { kinds, catalog, watermarks, experiments } = await loadServiceFacts(store);
  expect([kinds.delta.last_finished, kinds.backup.active]).toEqual([7_000, ['backup-1']]);
  expect([catalog.refused, watermarks, experiments]).toEqual([2, {}, {}]);
});
