import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CHECKS, COUNTED_CHECKS, type CountedCheck, keepsLimit } from '../../../src/domain/quality/checks.js';
import { measureCounts } from '../../../src/domain/quality/measure.js';
import type { CheckedDataset } from '../../../src/quality/day-views.js';
import { type DayFiles, measureDay } from '../../../src/quality/measure-day.js';
import { DATASETS } from '../../../src/storage/datasets.js';
import { Duck } from '../../../src/storage/duck.js';

const NOW = Date.parse('2026-03-10T15:30:00Z');
let folder: string;
let duck: Duck;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'measure-day-'));
  duck = await Duck.open(folder);
});
afterAll(async () => {
  duck.close();
  await rm(folder, { recursive: true, force: true });
});

/** Columns of a row; those that are left out are null. */
type Row = Readonly<Record<string, string | number | boolean | null>>;

const metric = (application: string, i: number, rest: Row = {}): Row => ({
  date: '2026-03-10',
  timestamp: '2026-03-10 12:00:00+00',
  run_id: `${application}-${i}`,
  experiment_id: '1',
  application,
  eligible: true,
  metric_name: 'accuracy',
  value: 0.9,
  status: 'healthy',
  min_value: 0,
  max_value: 1,
  higher_is_better: true,
  critical_threshold: 0.7,
  warning_threshold: 0.8,
  ...rest,
});
const run = (application: string, i: number, rest: Row = {}): Row => ({
  date: '2026-03-10',
  timestamp: '2026-03-10 12:00:00+00',
  run_id: `${application}-${i}`,
  experiment_id: '1',
  application,
  eligible: true,
  run_status: 'FINISHED',
  status: 'healthy',
  ...rest,
});

let files = 0;
/** Writes a published file. @param columns of the dataset that it has, with other types than usual */
const columnsOf = (dataset: CheckedDataset): Record<string, string> =>
  Object.fromEntries(DATASETS[dataset].columns.map(({ name, type }) => [name, type]));

async function write(
  dataset: CheckedDataset,
  rows: readonly Row[],
  columns: Readonly<Record<string, string>> = columnsOf(dataset),
): Promise<string> {
  const file = join(folder, `${dataset}-${files++}.parquet`);
  const literal = (value: Row[string] | undefined) =>
    value === undefined || value === null ? 'NULL' : typeof value === 'string' ? `'${value}'` : String(value);
  const selects = rows.map((row) =>
    Object.entries(columns)
      .map(([name, type]) => `${literal(row[name])}::${type} AS "${name}"`)
      .join(', '),
  );
  const nothing = `SELECT ${Object.entries(columns)
    .map(([name, type]) => `NULL::${type} AS "${name}"`)
    .join(', ')} WHERE false`;
  const union = [nothing, ...selects.map((select) => `SELECT ${select}`)].join(' UNION ALL ');
  await duck.session((session) => session.run(`COPY (${union}) TO '${file}' (FORMAT parquet)`));
  return file;
}

async function filesOf(rows: Partial<Record<CheckedDataset, readonly Row[]>>): Promise<DayFiles> {
  const written = async (dataset: CheckedDataset) => [await write(dataset, rows[dataset] ?? [])];
  return {
    runs: await written('runs'),
    enriched_metrics: await written('enriched_metrics'),
    quarantine: await written('quarantine'),
  };
}

const ALL = new Set<string>(COUNTED_CHECKS);
/** By application ('' for all together): whether the check passes. */
async function verdicts(check: CountedCheck, day: DayFiles): Promise<Record<string, boolean>> {
  const { measures, errors } = await measureDay(duck, day, ALL, NOW);
  expect(errors).toEqual({});
  return Object.fromEntries(
    measureCounts(check, [measures]).map(({ application, measured }) => [
      application ?? '',
      keepsLimit(check, measured, CHECKS[check].limit),
    ]),
  );
}
/** So many good metrics, and then bad ones. */
const metrics = (application: string, good: number, bad: number, fault: Row): Row[] => [
  ...Array.from({ length: good }, (_, i) => metric(application, i)),
  ...Array.from({ length: bad }, (_, i) => metric(application, good + i, fault)),
];

describe('each check on published files, just inside and just outside its limit', () => {
  it('null_values: 5 % of the metrics have no value', async () => {
    const enriched_metrics = [
      ...metrics('inside', 95, 5, { value: null }),
      ...metrics('outside', 94, 6, { value: null }),
    ];
    const found = await verdicts('null_values', await filesOf({ enriched_metrics }));
    expect(found).toEqual({ '': false, inside: true, outside: false });
  });

  it('null_values: a required column is empty', async () => {
    const enriched_metrics = metrics('outside', 1, 1, { experiment_id: null });
    expect(await verdicts('null_values', await filesOf({ enriched_metrics }))).toMatchObject({
      outside: false,
    });
  });

  it('duplicate_records: a metric, or a run, is stored twice', async () => {
    const enriched_metrics = [
      metric('inside', 1),
      metric('inside', 1, { metric_name: 'loss' }),
      metric('metric', 1),
      metric('metric', 1),
    ];
    const runs = [run('inside', 1), run('run', 1), run('run', 1)];
    const found = await verdicts('duplicate_records', await filesOf({ enriched_metrics, runs }));
    expect(found).toEqual({ '': false, inside: true, metric: false, run: false });
  });

  it('metric_ranges: a value is on an end of its range, or beyond it', async () => {
    const enriched_metrics = [
      metric('inside', 1, { value: 0 }),
      metric('inside', 2, { value: 1 }),
      metric('above', 1, { value: 1.0001 }),
      metric('below', 1, { value: -0.0001, max_value: null }),
      metric('unknown', 1, { value: 99, min_value: null, max_value: null }),
    ];
    const found = await verdicts('metric_ranges', await filesOf({ enriched_metrics }));
    expect(found).toEqual({ '': false, above: false, below: false, inside: true });
  });

  it('schema_compliance: a status does not exist, a run starts in the future, a record is in quarantine', async () => {
    const runs = [
      run('inside', 1),
      run('soon', 1, { timestamp: '2026-03-10 15:34:00+00' }),
      run('future', 1, { timestamp: '2026-03-10 15:36:00+00' }),
      run('unknown', 1, { run_status: 'PAUSED' }),
    ];
    const found = await verdicts('schema_compliance', await filesOf({ runs }));
    expect(found).toEqual({ '': false, future: false, inside: true, soon: true, unknown: false });
    const quarantine = [{ run_id: 'bad', reason: 'its start_time is not a time' }];
    expect(await verdicts('schema_compliance', await filesOf({ quarantine }))).toEqual({ '': false });
  });

  it('threshold_order: the critical limit is on the better side of the warning limit', async () => {
    const enriched_metrics = [
      metric('inside', 1),
      metric('equal', 1, { critical_threshold: 0.8 }),
      metric('outside', 1, { critical_threshold: 0.9 }),
      metric('lower', 1, { higher_is_better: false }),
    ];
    const found = await verdicts('threshold_order', await filesOf({ enriched_metrics }));
    expect(found).toEqual({ '': false, equal: true, inside: true, lower: false, outside: false });
  });

  it('catalog_coverage: half of the metrics have a threshold', async () => {
    const without = { status: 'unmonitored', critical_threshold: null, warning_threshold: null };
    const enriched_metrics = [
      metric('inside', 1),
      metric('inside', 1, { ...without, metric_name: 'a' }),
      metric('outside', 1),
      metric('outside', 1, { ...without, metric_name: 'a' }),
      metric('outside', 2, { ...without, metric_name: 'b' }),
    ];
    const found = await verdicts('catalog_coverage', await filesOf({ enriched_metrics }));
    expect(found).toEqual({ '': false, inside: true, outside: false });
  });
});

describe('files that are not as they should be', () => {
  it('are a finding of schema_compliance that names the column', async () => {
    const { value: _, ...columns } = columnsOf('enriched_metrics');
    const day = { ...(await filesOf({})), enriched_metrics: [await write('enriched_metrics', [], columns)] };
    const { measures } = await measureDay(duck, day, ALL, NOW);
    const { affected, sample } = measures.counts.schema_compliance[''] ?? {};
    expect([affected, sample]).toEqual([
      1,
      '[{"dataset":"enriched_metrics","column":"value","reason":"is missing"}]',
    ]);
  });

  it('do not keep the other files from being checked if a type is wrong', async () => {
    const wrong = { ...columnsOf('enriched_metrics'), value: 'VARCHAR' };
    const { enriched_metrics, ...others } = await filesOf({
      enriched_metrics: metrics('a', 0, 1, { value: null }),
    });
    const second = await write('enriched_metrics', [metric('b', 1, { value: 'high' })], wrong);
    const { measures, errors } = await measureDay(
      duck,
      { ...others, enriched_metrics: [...enriched_metrics, second] },
      ALL,
      NOW,
    );
    expect(errors).toEqual({});
    expect(measures.counts.null_values).toMatchObject({ a: { rows: 1, affected: 1 } });
    expect(measures.counts.schema_compliance['']?.sample).toContain('is VARCHAR instead of DOUBLE');
  });

  it('of schema version 1 have no range, which is no finding', async () => {
    const { min_value: _, max_value: __, ...columns } = columnsOf('enriched_metrics');
    const file = await write('enriched_metrics', [metric('old', 1, { value: 99 })], columns);
    const day = { ...(await filesOf({})), enriched_metrics: [file] };
    expect(await verdicts('metric_ranges', day)).toEqual({ '': true });
    expect(await verdicts('schema_compliance', day)).toEqual({ '': true, old: true });
  });

  it('do not exist: nothing is wrong', async () => {
    const { measures, errors } = await measureDay(
      duck,
      { runs: [], enriched_metrics: [], quarantine: [] },
      ALL,
      NOW,
    );
    expect([measures.runs, errors]).toEqual([{}, {}]);
  });
});
