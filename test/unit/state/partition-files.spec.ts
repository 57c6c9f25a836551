import { dayStart } from '../../../src/domain/time.js';
import {
  describeApplied,
  PARTITION_FILES_KEY,
  PartitionFiles,
  storePartitionFiles,
} from '../../../src/state/partition-files.js';
import { baseKey } from '../../../src/storage/keys.js';
import { CountingStore } from '../../support/counting-store.js';
import { MemoryStore } from '../../support/memory-store.js';

const TODAY = '2026-03-10';
const NOW = dayStart(TODAY) + 3_600_000;

let store: MemoryStore;
beforeEach(() => {
  store = new MemoryStore();
});

/** A store with a pipeline run, and facts of these days. */
async function use(...days: readonly string[]): Promise<void> {
  await store.put('_state/kinds/delta.json', Buffer.from('{}'));
  for (const day of days) await store.put(baseKey(day), Buffer.from(''));
}

async function filesOn(...days: readonly string[]): Promise<number[]> {
  const files = new PartitionFiles(store, () => NOW);
  const found: number[] = [];
  for (const day of days) found.push(await files.on(day));
  return found;
}

describe('storePartitionFiles', () => {
  it('stores nothing for the default', async () => {
    expect(await storePartitionFiles(store, 1, NOW)).toEqual({ from: null, before: 1 });
    await use(TODAY);
    await storePartitionFiles(store, 1, NOW);
    expect(await store.head(PARTITION_FILES_KEY)).toBeUndefined();
    expect(await filesOn('2020-01-01', '2030-01-01')).toEqual([1, 1]);
  });

  it('applies to all days of a store without pipeline runs', async () => {
    expect(await storePartitionFiles(store, 4, NOW)).toEqual({ from: null, before: 4 });
    expect(await filesOn('2020-01-01', '2030-01-01')).toEqual([4, 4]);
    await storePartitionFiles(store, 8, NOW);
    expect(await filesOn('2020-01-01', '2030-01-01')).toEqual([8, 8]);
  });

  it('applies to days after tomorrow once there is a pipeline run, stored or not', async () => {
    await use();
    expect(await storePartitionFiles(store, 4, NOW)).toEqual({ from: '2026-03-12', before: 1 });
    expect(await filesOn('2020-01-01', '2026-03-11', '2026-03-12', '2030-01-01')).toEqual([1, 1, 4, 4]);
    // A later change leaves the days in between.
    const later = NOW + 5 * 86_400_000;
    expect(await storePartitionFiles(store, 4, later)).toEqual({ from: '2026-03-12', before: 1 });
    expect(await storePartitionFiles(store, 2, later)).toEqual({ from: '2026-03-17', before: 4 });
    expect(await filesOn('2026-03-11', '2026-03-16', '2026-03-17')).toEqual([1, 4, 2]);
  });

  it('leaves out a change that is taken back before it applies', async () => {
    await use(TODAY);
    await storePartitionFiles(store, 4, NOW);
    expect(await storePartitionFiles(store, 1, NOW)).toEqual({ from: null, before: 1 });
    expect(await filesOn('2026-03-11', '2026-03-12')).toEqual([1, 1]);
  });

  it('keeps the number of stored days in the future: start times may be wrong', async () => {
    await use(TODAY, '2026-03-12', '2026-03-20');
    expect(await storePartitionFiles(store, 4, NOW)).toEqual({ from: '2026-03-13', before: 1 });
    expect(await filesOn('2026-03-12', '2026-03-13', '2026-03-20', '2026-03-21')).toEqual([1, 4, 1, 4]);
  });

  it('of two concurrent changes stores both, one after the other', async () => {
    await use(TODAY);
    await Promise.all([storePartitionFiles(store, 4, NOW), storePartitionFiles(store, 2, NOW)]);
    expect([2, 4]).toContain((await filesOn('2026-03-12'))[0]);
    expect(await filesOn('2026-03-11')).toEqual([1]);
  });
});

describe('PartitionFiles', () => {
  it('reads the document once for days up to the one on which it was read, and again for later days', async () => {
    await use(TODAY);
    const counting = new CountingStore(store);
    let now = NOW;
    const files = new PartitionFiles(counting, () => now);
    expect([await files.on('2026-03-01'), await files.on(TODAY)]).toEqual([1, 1]);
    await storePartitionFiles(store, 4, NOW);
    counting.take();
    expect(await files.on(TODAY)).toBe(1);
    expect(counting.requests).toEqual([]);
    expect(await files.known('2026-03-12')).toBeUndefined();
    expect(await files.on('2026-03-12')).toBe(4);
    now += 2 * 86_400_000;
    expect(await files.on('2026-03-12')).toBe(4);
    counting.take();
    expect(await files.known('2026-03-12')).toBe(4);
    expect(counting.requests).toEqual([]);
  });

  it('reads it again in a store that was never used: the first scheduler may still decide', async () => {
    const files = new PartitionFiles(store, () => NOW);
    expect(await files.on(TODAY)).toBe(1);
    await storePartitionFiles(store, 4, NOW);
    await use();
    expect(await files.on(TODAY)).toBe(4);
  });
});

describe('describeApplied', () => {
  it('says from which day a setting applies, unless to all', () => {
    expect(describeApplied({ from: null, before: 4 }, 4)).toBeUndefined();
    expect(describeApplied({ from: '2026-03-12', before: 1 }, 4)).toBe(
      'PARTITION_FILES=4 applies to the days from 2026-03-12 on; the day before it has 1 file per dataset',
    );
  });
});
