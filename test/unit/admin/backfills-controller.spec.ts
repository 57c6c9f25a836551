import { BackfillsController } from '../../../src/admin/backfills.controller.js';
import type { Engine } from '../../../src/pipeline/engine.js';
import { createPipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { MemoryStore } from '../../support/memory-store.js';

it('the list of backfills has the newest 50', async () => {
  const store = new MemoryStore();
  for (let i = 0; i < 51; i++) {
    const window = { from: 0, to: i };
    await createPipelineRun(store, 'backfill', { scheduledAt: null, window, now: 0 });
  }
  const { backfills } = await new BackfillsController({} as Engine, store, () => 0).list();
  expect(backfills).toHaveLength(50);
  expect([backfills.at(0)?.id, backfills.at(-1)?.id]).toEqual(['backfill-51', 'backfill-2']);
});
