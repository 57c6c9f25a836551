import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { judge } from '../../../src/enrichment/judge-day.js';
import { Duck, type DuckSession } from '../../../src/storage/duck.js';
import { domainDefaults } from '../../support/defaults.js';

const PARTS = 25;
const RUNS_PER_PART = 100;

let folder: string;
let duck: Duck;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heavy-day-'));
  await mkdir(join(folder, '.tmp'));
  duck = await Duck.open(folder, { memory: '150MB', threads: 1 });
});
afterEach(async () => {
  duck.close();
  await rm(folder, { recursive: true, force: true });
});

/** A base object of 375 MB of params in row groups of 15 MB, as `writeBatches` makes it. */
async function writeHeavyBase(session: DuckSession): Promise<string> {
  const files: string[] = [];
  for (let part = 0; part < PARTS; part++) {
    const file = session.tempFile('part.parquet');
    files.push(file);
    await session.run(
      `COPY (
        SELECT
          DATE '2026-03-10' AS date, TIMESTAMPTZ '2026-03-10 12:00:00Z' AS "timestamp",
          printf('run%05d', range + $first) AS run_id, NULL::VARCHAR AS run_name, '1' AS experiment_id,
          NULL::VARCHAR AS user_id, 'FINISHED' AS run_status, NULL::TIMESTAMPTZ AS start_time,
          NULL::TIMESTAMPTZ AS end_time, 'active' AS lifecycle_stage,
          map_from_entries(list_transform(generate_series(1, 25), lambda i: {key: 'p' || i, value: repeat('x', 6000)})) AS params,
          MAP {}::MAP(VARCHAR, VARCHAR) AS tags,
          [{key: 'accuracy', "timestamp": 0, step: 0, "value": 0.9, model_id: NULL::VARCHAR, dataset_name: NULL::VARCHAR}] AS metrics
        FROM range(${RUNS_PER_PART})
      ) TO $file (FORMAT parquet, COMPRESSION zstd)`,
      { file, first: part * RUNS_PER_PART },
    );
  }
  const base = session.tempFile('base.parquet');
  await session.run(
    'COPY (SELECT * FROM read_parquet($files)) TO $base (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 1)',
    { files, base },
  );
  return base;
}

describe('a day whose params are larger than the memory of DuckDB', () => {
  it('is judged', async () => {
    const counts = await duck.session(async (session) => {
      const base = await writeHeavyBase(session);
      const experiments = [{ experiment_id: '1', name: 'churn', tag: null }];
      const rules = { metadata: [], thresholds: [], settings: domainDefaults };
      await judge(session, [base], { experiments, excluded: [], rules: [] }, rules, { part: 0, files: 1 });
      return session.rows('SELECT count(*)::INTEGER AS runs, max(batch) AS last FROM active');
    });
    expect(counts).toEqual([{ runs: PARTS * RUNS_PER_PART, last: 21 }]);
  });
});
