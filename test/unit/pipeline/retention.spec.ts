import type { RetentionDays } from '../../../src/domain/retention.js';
import { applyRetention, planRetention, wantedFirstDays } from '../../../src/pipeline/retention.js';
import { readFirstDays } from '../../../src/state/retention.js';
import { readWatermarks, updateWatermarks } from '../../../src/state/watermarks.js';
import { type Dataset, DERIVED_DATASETS, partitionKey } from '../../../src/storage/keys.js';
import { MemoryStore } from '../../support/memory-store.js';

const DAY = 86_400_000;
const NOW = Date.parse('2026-03-10T12:00:00Z');
const RETENTION: RetentionDays = { _raw: 3, runs: 5, _base: 3 };
const DAYS = Array.from({ length: 10 }, (_, i) => new Date(NOW - i * DAY).toISOString().slice(0, 10));

let store: MemoryStore;
beforeEach(async () => {
  store = new MemoryStore();
  await updateWatermarks(store, () => ({ '1': NOW }));
  for (const day of DAYS)
    for (const dataset of ['runs', '_base', 'quarantine'] as const) await put(dataset, day);
});

const put = (dataset: Dataset, day: string) => store.put(partitionKey(dataset, day), Buffer.from('12345'));
const keys = (prefix: string): string[] => [...store.objects.keys()].filter((key) => key.startsWith(prefix));
/** The number of stored days of each dataset. */
const counts = () => ['runs/', '_base/', 'quarantine/'].map((prefix) => keys(prefix).length);
const apply = (days: RetentionDays = RETENTION, now = NOW) => applyRetention(store, days, now);

it('keeps today and so many days before it, and all days of what is not named', async () => {
  expect(await apply()).toBe(true);
  expect(counts()).toEqual([6, 4, 10]);
  expect(await readFirstDays(store)).toEqual({ runs: '2026-03-05', _base: '2026-03-07' });
});

it('deletes what its plan names', async () => {
  const wanted = wantedFirstDays(RETENTION, await readWatermarks(store), NOW);
  expect(await planRetention(store, await readFirstDays(store), wanted)).toEqual([
    { dataset: 'runs', first_day: '2026-03-05', objects: 4, bytes: 20 },
    { dataset: '_base', first_day: '2026-03-07', objects: 6, bytes: 30 },
  ]);
  expect(counts()).toEqual([10, 10, 10]);
  await apply();
  expect(await planRetention(store, await readFirstDays(store), wanted)).toMatchObject([
    { objects: 0 },
    { objects: 0 },
  ]);
});

it('never moves a first day back, also not when the setting is removed', async () => {
  await apply();
  await apply({ _raw: 3, runs: 9 });
  await apply({ _raw: 3 });
  expect(await readFirstDays(store)).toEqual({ runs: '2026-03-05', _base: '2026-03-07' });
  // A process that had looked before puts a day that is gone.
  await put('runs', '2026-03-01');
  await apply({ _raw: 3 });
  expect(counts()).toEqual([6, 4, 10]);
});

it('stores the first days before it deletes, whenever it dies, and goes on', async () => {
  const remove = store.delete.bind(store);
  for (const allowed of [0, 1, 5]) {
    let deletes = 0;
    store.delete = async (key) => {
      if (++deletes > allowed) throw new Error('killed');
      await remove(key);
    };
    await expect(apply()).rejects.toThrow('killed');
    expect(await readFirstDays(store)).toEqual({ runs: '2026-03-05', _base: '2026-03-07' });
  }
  store.delete = remove;
  await Promise.all([apply(), apply()]);
  expect(counts()).toEqual([6, 4, 10]);
});

it('deletes nothing if the first days cannot be stored', async () => {
  store.beforePut = () => {
    throw new Error('no space left');
  };
  await expect(apply()).rejects.toThrow('no space left');
  expect(counts()).toEqual([10, 10, 10]);
});

it('trusts no clock that is ahead of everything that is published', async () => {
  await apply(RETENTION, NOW + 1_000 * DAY);
  expect(counts()).toEqual([6, 4, 10]);
  await updateWatermarks(store, () => ({ '1': NOW + 1_000 * DAY }));
  await apply(RETENTION, NOW + DAY);
  expect(counts()).toEqual([5, 3, 10]);
});

it('deletes nothing before anything is published', async () => {
  store.objects.delete('_state/watermark.json');
  await apply();
  expect(counts()).toEqual([10, 10, 10]);
});

it('deletes 2,000 objects in one call', async () => {
  for (let part = 1; part <= 2_001; part++) {
    await store.put(`runs/2026/03/01/part-${part}.parquet`, Buffer.of());
  }
  expect([await apply(), await apply()]).toEqual([false, true]);
  expect(counts()).toEqual([6, 4, 10]);
});

it('deletes the sums with the metrics, and audit entries', async () => {
  for (const day of ['2026-03-04', '2026-03-05']) {
    await put('enriched_metrics', day);
    await put('_sums', day);
    await store.put(`_audit/${day.replaceAll('-', '/')}/a.json`, Buffer.of());
  }
  await apply({ _raw: 3, enriched_metrics: 5, _audit: 5 });
  expect([keys('_sums/'), keys('_audit/')]).toEqual([
    ['_sums/2026/03/05/part-0.parquet'],
    ['_audit/2026/03/05/a.json'],
  ]);
});

it('deletes the index of months of which every dataset is gone', async () => {
  for (const month of ['2026-01', '2026-02', '2026-03']) {
    await store.put(`_state/index/${month}.json`, Buffer.of());
  }
  const all = Object.fromEntries(DERIVED_DATASETS.map((dataset) => [dataset, 5]));
  await apply({ _raw: 3, ...all });
  expect(keys('_state/index/')).toHaveLength(3);
  await apply({ _raw: 3, ...all, _base: 10 });
  expect(keys('_state/index/')).toEqual(['_state/index/2026-02.json', '_state/index/2026-03.json']);
});
