import { clearRawPages } from '../../../src/pipeline/clear-raw-pages.js';
import { closePipelineRun, createPipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { CountingStore } from '../../support/counting-store.js';
import { MemoryStore } from '../../support/memory-store.js';

const DAY = 86_400_000;
const NOW = 1_773_144_000_000;

describe('the raw pages of a pipeline run', () => {
  it.each([
    ['stay while it is unfinished, however old it is', null, NOW + 99 * DAY, true],
    ['stay for 3 days after it finished', NOW, NOW + 3 * DAY, true],
    ['are deleted afterwards', NOW, NOW + 3 * DAY + 1, false],
  ])('%s', async (_, finished, now, stay) => {
    const store = new MemoryStore();
    await createPipelineRun(store, 'delta', { scheduledAt: null, now: NOW });
    if (finished !== null) {
      const outcome = { status: 'failed' as const, error: null, refused: [], summary: null };
      await closePipelineRun(store, { id: 'delta-1', kind: 'delta' }, outcome, finished);
    }
    for (const key of [
      '_raw/delta-1/c0-20260310/a-0.json',
      '_raw/delta-1/c0-20260310/a-1.json',
      '_raw/unknown-1/c/b.json',
    ]) {
      await store.put(key, Buffer.of());
    }
    await clearRawPages(store, 3, now);
    const left = [...store.objects.keys()].filter((key) => key.startsWith('_raw/'));
    expect(left).toHaveLength(stay ? 3 : 1);
    expect(store.objects.has('_state/runs/delta-1/record.json')).toBe(true);
  });

  it('cost one record each, however often they are looked at', async () => {
    const memory = new MemoryStore();
    for (const id of ['delta-1', 'delta-2']) {
      await createPipelineRun(memory, 'delta', { scheduledAt: null, now: NOW });
      await memory.put(`_raw/${id}/c0-20260310/a-0.json`, Buffer.of());
    }
    const outcome = { status: 'done' as const, error: null, refused: [], summary: null };
    await closePipelineRun(memory, { id: 'delta-1', kind: 'delta' }, outcome, NOW);
    const store = new CountingStore(memory);
    await clearRawPages(store, 3, NOW);
    expect(store.take()).toMatchObject({ list: 1, get: 2 });
    await clearRawPages(store, 3, NOW);
    // The unfinished one.
    expect(store.take()).toMatchObject({ list: 1, get: 1, delete: 0 });
    await clearRawPages(store, 3, NOW + 4 * DAY);
    expect(store.take()).toMatchObject({ get: 1, delete: 1 });
  });
});
