import { unlink } from 'node:fs/promises';
import { DOUBLE, INTEGER, VARCHAR } from '@duckdb/node-api';
import { MonitorError } from '../domain/errors.js';
import { dayOf } from '../domain/time.js';
import { publish } from '../observability/diagnostics.js';
import type { EnrichResult } from '../pipeline/stage-contracts.js';
import { readRulebook } from '../state/rulebook.js';
import { type ChangeSpan, type ThresholdChange, thresholdChanges } from '../state/threshold-changes.js';
import { type DuckSession, sql } from '../storage/duck.js';
import { PreconditionFailedError } from '../storage/errors.js';
import { partitionKey } from '../storage/keys.js';
import type { RebuildTools } from './rebuild-day.js';

type ChangedRuns = NonNullable<EnrichResult['changed']>;

interface Row extends ThresholdChange {
  readonly runs_changed: number;
}

const ROUNDS = 20;

/** Puts the changes of a span into the dataset `threshold_changes`, in the place of rows that it may hold of them already. */
export async function publishThresholdChanges(
  tools: RebuildTools,
  span: ChangeSpan,
  counted: ChangedRuns,
): Promise<void> {
  const book = await readRulebook(tools.store);
  const runs = new Map<string, number>();
  for (const change of counted) runs.set(keyOf(change), (runs.get(keyOf(change)) ?? 0) + change.runs);
  const days = new Map<string, Row[]>();
  for (const change of book ? thresholdChanges(book, span) : []) {
    const day = dayOf(change.changed_at);
    const rows = days.get(day) ?? [];
    rows.push({ ...change, runs_changed: runs.get(keyOf(change)) ?? 0 });
    days.set(day, rows);
  }
  for (const [day, rows] of days) {
    await tools.duck.session((session) => writeDay(tools, session, day, rows));
  }
}

const keyOf = (change: Pick<Row, 'metric_name' | 'experiment_id' | 'changed_at'>): string =>
  JSON.stringify([change.metric_name, change.experiment_id, change.changed_at]);

async function writeDay(
  { store }: RebuildTools,
  session: DuckSession,
  day: string,
  rows: readonly Row[],
): Promise<void> {
  const key = partitionKey('threshold_changes', day);
  const limit = (side: 'before' | 'after', which: 'critical_threshold' | 'warning_threshold') => ({
    type: DOUBLE,
    values: rows.map((row) => row[side]?.[which] ?? null),
  });
  await session.createTable('changes', {
    changed_at: { type: DOUBLE, values: rows.map(({ changed_at }) => changed_at) },
    metric_name: { type: VARCHAR, values: rows.map(({ metric_name }) => metric_name) },
    experiment_id: { type: VARCHAR, values: rows.map(({ experiment_id }) => experiment_id) },
    old_critical_threshold: limit('before', 'critical_threshold'),
    old_warning_threshold: limit('before', 'warning_threshold'),
    new_critical_threshold: limit('after', 'critical_threshold'),
    new_warning_threshold: limit('after', 'warning_threshold'),
    updated_by: { type: VARCHAR, values: rows.map(({ after }) => after?.updated_by ?? null) },
    runs_changed: { type: INTEGER, values: rows.map(({ runs_changed }) => runs_changed) },
  });
  for (let round = 0; round < ROUNDS; round++) {
    const stored = await store.fetch(key);
    await loadStored(session, stored?.file);
    const file = session.tempFile(`threshold-changes-${day}.parquet`);
    try {
      await session.run(sql(import.meta.url, './sql/copy_threshold_changes.sql'), { file });
      await store.put(key, { file }, stored ? { ifMatch: stored.etag } : { ifNoneMatch: '*' });
      return;
    } catch (error) {
      if (!(error instanceof PreconditionFailedError)) throw error;
      publish({ type: 'store_conflict', object: 'dataset' });
    } finally {
      await unlink(file).catch(() => undefined);
    }
  }
  throw new MonitorError('publish_contended', `${key} changed under ${ROUNDS} attempts`, { key }, true);
}

async function loadStored(session: DuckSession, file: string | undefined): Promise<void> {
  await session.run(
    file
      ? 'CREATE OR REPLACE TEMP TABLE stored_changes AS SELECT * FROM read_parquet($file)'
      : `CREATE OR REPLACE TEMP TABLE stored_changes AS
         SELECT NULL::DATE AS date, NULL::TIMESTAMPTZ AS "timestamp", changes.* EXCLUDE (changed_at)
         FROM changes WHERE false`,
    file ? { file } : {},
  );
}
