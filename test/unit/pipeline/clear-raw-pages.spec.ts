import { clearRawPages } from '../../../src/pipeline/clear-raw-pages.js';
import { closePipelineRun, createPipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { MemoryStore } from '../../support/memory-store.js';

const DAY = 86_400_000;
const NOW = 1_773_144_000_000;

describe('raw pages', () => {
  it.each([
    ['of a run that is under way stay, however old it is', null, NOW + 99 * DAY, true],
    ['of a run that ended 3 days ago stay', NOW, NOW + 3 * DAY, true],
    ['of a run that ended longer ago go', NOW, NOW + 3 * DAY + 1, false],
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
    await clearRawPages(store, now);
    const left = [...store.objects.keys()].filter((key) => key.startsWith('_raw/'));
    expect(left).toHaveLength(stay ? 3 : 1);
    expect(store.objects.has('_state/runs/delta-1/record.json')).toBe(true);
  });
});
