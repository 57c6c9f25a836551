import { DOUBLE, INTEGER, VARCHAR } from '@duckdb/node-api';
import { groupBy } from '../domain/group-by.js';
import { isKept } from '../domain/retention.js';
import { dayOf } from '../domain/time.js';
import type { ChangedRuns } from '../pipeline/stage-contracts.js';
import { readFirstDays } from '../state/retention.js';
import { readRulebook } from '../state/rulebook.js';
import { type ChangeSpan, type ThresholdChange, thresholdChanges } from '../state/threshold-changes.js';
import { type Duck, type DuckSession, sql } from '../storage/duck.js';
import { partitionKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import { publishObject } from '../storage/publish.js';

interface Row extends ThresholdChange {
  readonly runs_changed: number;
}

/**
 * Publishes the threshold changes of a span to the dataset `threshold_changes`. Rows that the dataset already has of the
 * same changes are replaced.
 * @param changedRuns of each stored day
 */
export async function publishThresholdChanges(
  store: ObjectStore,
  duck: Duck,
  span: ChangeSpan,
  changedRuns: ChangedRuns,
): Promise<void> {
  const book = await readRulebook(store);
  const runs = new Map<string, number>();
  for (const change of changedRuns) runs.set(keyOf(change), (runs.get(keyOf(change)) ?? 0) + change.runs);
  const changes = book ? thresholdChanges(book, span) : [];
  const rows = changes.map((change) => ({ ...change, runs_changed: runs.get(keyOf(change)) ?? 0 }));
  const first = await readFirstDays(store);
  for (const [day, ofDay] of groupBy(rows, ({ changed_at }) => dayOf(changed_at))) {
    if (!isKept(first, 'threshold_changes', day)) continue;
    await duck.session((session) => publishDay(store, session, day, ofDay));
  }
}

const keyOf = (change: Pick<Row, 'metric_name' | 'experiment_id' | 'changed_at'>): string =>
  JSON.stringify([change.metric_name, change.experiment_id, change.changed_at]);

async function publishDay(
  store: ObjectStore,
  session: DuckSession,
  day: string,
  rows: readonly Row[],
): Promise<void> {
  await createChangesTable(session, rows);
  await publishObject(store, session, partitionKey('threshold_changes', day), async (stored) => {
    await loadStored(session, stored?.file);
    return (file) => session.run(sql(import.meta.url, './sql/copy_threshold_changes.sql'), { file });
  });
}

/** Makes `changes`: a row per change, `changed_at` in ms. */
async function createChangesTable(session: DuckSession, rows: readonly Row[]): Promise<void> {
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
}

/** Makes `stored_changes`: the rows of the stored object. */
async function loadStored(session: DuckSession, file: string | undefined): Promise<void> {
  if (file) {
    const statement = 'CREATE OR REPLACE TEMP TABLE stored_changes AS SELECT * FROM read_parquet($file)';
    await session.run(statement, { file });
  } else {
    await session.run(sql(import.meta.url, './sql/no_stored_changes.sql'));
  }
}
