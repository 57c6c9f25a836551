import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DERIVED_DATASETS } from '../../../src/storage/keys.js';
import { Commands, WEEK } from './commands.js';

const DAYS = ['--from', '2026-02-03', '--to', '2026-02-04'] as const;
const DATASET = 'metric_timeseries';

let commands: Commands;
beforeAll(async () => {
  commands = await Commands.open();
});
afterAll(() => commands.close());

const fileOf = (dataset: string, day: number) =>
  join(commands.folder, 'store', dataset, `2026/02/0${day}/part-0.parquet`);

/** When each object of the week was written. */
async function times(): Promise<Record<string, bigint>> {
  const written: Record<string, bigint> = {};
  for (const dataset of DERIVED_DATASETS) {
    for (let day = 1; day <= 7; day++) {
      written[`${dataset} ${day}`] = (await stat(fileOf(dataset, day), { bigint: true })).mtimeNs;
    }
  }
  return written;
}

/** Runs a rebuild. @returns its result and the objects that it has written */
async function rebuild(...options: string[]) {
  const before = await times();
  const result = await commands.run(['rebuild', ...options]);
  const after = await times();
  const written = Object.keys(after).filter((name) => after[name] !== before[name]);
  return { ...result, written };
}

it('rebuild writes the objects of a dataset again, and no others, through a service and without', async () => {
  const service = await commands.openServiceWithHistory();
  const original = await readFile(fileOf(DATASET, 3));
  try {
    await writeFile(fileOf(DATASET, 3), 'damaged');
    const url = ['--url', `http://127.0.0.1:${service.port}/`];
    const sent = await rebuild('--dataset', DATASET, ...DAYS, ...url);
    expect([sent.code, sent.written]).toEqual([0, [`${DATASET} 3`, `${DATASET} 4`]]);
    expect(sent.out).toMatch(/^reevaluation-\d+ done: 2 objects of metric_timeseries written, /m);
    expect(await readFile(fileOf(DATASET, 3))).toEqual(original);

    const owned = await commands.run(['rebuild', '--dataset', DATASET, ...DAYS]);
    expect(owned.err).toContain(`rebuild --dataset ${DATASET} ${DAYS.join(' ')} --url http://127.0.0.1:3000`);
    const future = await commands.run([
      'rebuild',
      '--dataset',
      'runs',
      '--from',
      '2026-02-01',
      '--to',
      '2099-01-01',
      ...url,
    ]);
    expect([future.code, future.err]).toEqual([1, expect.stringContaining('2099-01-01 is in the future')]);
    const unknown = await service.requestAsAdmin('GET', '/api/v1/admin/rebuilds/reevaluation-99');
    expect(unknown.status).toBe(404);
  } finally {
    await service.close();
  }
  for (const dataset of ['runs', 'metric_forecast', 'platform_summary']) {
    const { code, out, written } = await rebuild('--dataset', dataset, ...DAYS);
    expect([code, written]).toEqual([0, [`${dataset} 3`, `${dataset} 4`]]);
    expect(out).toContain('2 partitions written');
  }
});

it('rejects a dataset that does not exist', async () => {
  const { code, err } = await commands.run(['rebuild', '--dataset', '_base', ...WEEK]);
  expect([code, err]).toEqual([1, expect.stringContaining('Allowed choices are runs, enriched_metrics,')]);
});
