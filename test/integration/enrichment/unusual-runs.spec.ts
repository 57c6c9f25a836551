import { baseKey, partitionKey } from '../../../src/storage/keys.js';
import { DAY, gone, LATER, NOON, run, SliceStore, START } from './slice-store.js';

let slices: SliceStore;

beforeEach(async () => {
  slices = await SliceStore.open();
});
afterEach(() => slices.close());

describe('a day with large texts', () => {
  const text = (i: number, length: number) => `${i} `.padEnd(length, 'x');
  const heavy = (i: number, name: string, length: number) => ({
    ...run(`r${String((i * 7) % 24).padStart(2, '0')}`, name, { start_time: START + i }),
    data: {
      metrics: [],
      params: [{ key: 'p', value: text(i, length) }],
      tags: [{ key: 't', value: `${i}` }],
    },
  });
  const all = (length: number) => Array.from({ length: 24 }, (_, i) => heavy(i, 'new', length));
  const table = async (key: string, columns: string) => {
    const [groups] = await slices.rows<{ n: number }>(
      key,
      'SELECT count(DISTINCT row_group_id)::INTEGER AS n FROM parquet_metadata($file)',
    );
    const rows = await slices.rows<Record<string, string>>(key, `SELECT ${columns} FROM read_parquet($file)`);
    return { groups: groups?.n, rows };
  };
  const columns = "run_id, run_name, len(params['p'])::INTEGER AS length, tags['t'] AS tag";

  it('is written in batches, with the same rows in the same order', async () => {
    await slices.enrich({ pages: [slices.page(NOON, ...all(1_000_000))] });
    const runs = await table(partitionKey('runs', DAY), columns);
    expect(runs.groups).toBe(2);
    expect(runs.rows.map(({ tag }) => Number(tag))).toEqual(Array.from({ length: 24 }, (_, i) => i));
    expect(runs.rows.every(({ length }) => Number(length) === 1_000_000)).toBe(true);
    const stored = await table(baseKey(DAY), columns);
    expect(stored.groups).toBe(2);
    expect(stored.rows.map(({ run_id }) => run_id)).toEqual(
      [...runs.rows.map(({ run_id }) => run_id)].sort(),
    );
  });

  it('is merged with changed and removed runs of every batch', async () => {
    await slices.enrich({ pages: [slices.page(NOON, ...all(1_000_000))] });
    const [first, last] = [heavy(0, 'changed', 10), heavy(17, 'changed', 10)];
    const result = await slices.enrich({
      pages: [slices.page(LATER, first, last)],
      gone: [gone('r01', LATER), gone('r22', LATER)],
    });
    expect(result).toMatchObject({ updated: 4, inserted: 0 });
    const { rows } = await table(baseKey(DAY), `${columns}, lifecycle_stage`);
    expect(rows).toHaveLength(24);
    const of = (key: string, value: string) =>
      rows.filter((row) => row[key] === value).map(({ run_id }) => run_id);
    expect(of('run_name', 'changed')).toEqual(['r00', 'r23']);
    expect(of('lifecycle_stage', 'gone')).toEqual(['r01', 'r22']);
    expect(await slices.published()).toHaveLength(22);
  });

  it('has the content digest of its facts, however they came', async () => {
    await slices.enrich({ pages: [slices.page(NOON, ...all(1_000_000))] });
    const atOnce = await slices.contentOfBase();
    await slices.deleteBase();
    for (const part of [all(1_000_000).slice(12), all(1_000_000).slice(0, 12)]) {
      await slices.enrich({ pages: [slices.page(NOON, ...part)] });
    }
    expect(await slices.contentOfBase()).toBe(atOnce);
  });

  it('is one row group if the texts are short', async () => {
    await slices.enrich({ pages: [slices.page(NOON, ...all(1_000))] });
    expect((await table(partitionKey('runs', DAY), columns)).groups).toBe(1);
    expect((await table(baseKey(DAY), columns)).groups).toBe(1);
  });
});

describe('an oversized run', () => {
  const MIB = 2 ** 20;
  const big = (bytes: number | null) => ({
    run_id: 'big',
    experiment_id: '1',
    start_time: START,
    bytes,
    limit: 32 * MIB,
    date: NOON,
    record: '{"info":{"run_id":"big"}}',
  });
  const quarantined = () =>
    slices.rows(
      partitionKey('quarantine', '2026-03-10'),
      'SELECT run_id, reason, record FROM read_parquet($file)',
    );

  it('is in quarantine until it is read; it stays open', async () => {
    const { quarantined: count, closed } = await slices.enrich({ oversized: [big(102 * MIB)] }, ['big']);
    expect([count, closed]).toEqual([1, []]);
    expect(await quarantined()).toEqual([
      {
        run_id: 'big',
        reason: 'its data is larger than 32 MiB (102 MiB): raise MAX_PAGE_MB to read it',
        record: '{"info":{"run_id":"big"}}',
      },
    ]);
    await slices.enrich({ pages: [slices.page(LATER, run('big', 'big'))] });
    expect(await quarantined()).toEqual([]);
  });

  it('of unknown size has the limit as its reason', async () => {
    await slices.enrich({ oversized: [big(null)] });
    expect(await quarantined()).toMatchObject([
      { reason: 'its data is larger than 32 MiB: raise MAX_PAGE_MB to read it' },
    ]);
  });
});

describe('a metric whose name begins with U+FEFF', () => {
  it('is published beside the one without', async () => {
    const metric = (key: string) => ({ key, value: 1, timestamp: START, step: 0 });
    const logged = {
      ...run('a', 'a'),
      data: { metrics: [metric('acc'), metric('\ufeffacc')], params: [], tags: [] },
    };
    await slices.enrich({ pages: [slices.page(NOON, logged)] });
    const names = await slices.rows(
      partitionKey('enriched_metrics', DAY),
      'SELECT strlen(metric_name)::INTEGER AS bytes FROM read_parquet($file) ORDER BY 1',
    );
    expect(names).toEqual([{ bytes: 3 }, { bytes: 6 }]);
  });
});
