import { BIGINT, BOOLEAN, DOUBLE, VARCHAR } from '@duckdb/node-api';
import { groupBy } from '../domain/group-by.js';
import type { QualityRow } from '../domain/quality/verdicts.js';
import { isKept } from '../domain/retention.js';
import { dayOf } from '../domain/time.js';
import { readFirstDays } from '../state/retention.js';
import { type Duck, type DuckSession, sql } from '../storage/duck.js';
import { partitionKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import { publishObject } from '../storage/publish.js';

/** Publishes rows to the dataset `data_quality`. Rows that it already has of the same pipeline runs are replaced. */
export async function publishQualityRows(
  store: ObjectStore,
  duck: Duck,
  rows: readonly QualityRow[],
): Promise<void> {
  const first = await readFirstDays(store);
  for (const [day, ofDay] of groupBy(rows, ({ at }) => dayOf(at))) {
    if (!isKept(first, 'data_quality', day)) continue;
    await duck.session(async (session) => {
      await createChecksTable(session, ofDay);
      await publishObject(store, session, partitionKey('data_quality', day), async (stored) => {
        await loadStored(session, stored?.file);
        return (file) => session.run(sql(import.meta.url, './sql/copy_data_quality.sql'), { file });
      });
    });
  }
}

/** Makes `new_checks`: the rows, `at` in ms. */
async function createChecksTable(session: DuckSession, rows: readonly QualityRow[]): Promise<void> {
  const text = (name: 'pipeline_run_id' | 'check_name' | 'application' | 'severity' | 'sample') => ({
    type: VARCHAR,
    values: rows.map((row) => row[name]),
  });
  await session.createTable('new_checks', {
    at: { type: DOUBLE, values: rows.map(({ at }) => at) },
    pipeline_run_id: text('pipeline_run_id'),
    check_name: text('check_name'),
    application: text('application'),
    severity: text('severity'),
    passed: { type: BOOLEAN, values: rows.map(({ passed }) => passed) },
    measured: { type: DOUBLE, values: rows.map(({ measured }) => measured) },
    limit: { type: DOUBLE, values: rows.map(({ limit }) => limit) },
    affected_rows: { type: BIGINT, values: rows.map(({ affected_rows }) => BigInt(affected_rows)) },
    sample: text('sample'),
  });
}

/** Makes `stored_checks`: the rows of the stored object. */
async function loadStored(session: DuckSession, file: string | undefined): Promise<void> {
  if (file) {
    const statement = 'CREATE OR REPLACE TEMP TABLE stored_checks AS SELECT * FROM read_parquet($file)';
    await session.run(statement, { file });
  } else {
    await session.run(sql(import.meta.url, './sql/no_stored_checks.sql'));
  }
}
