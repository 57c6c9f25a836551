import { createHash } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { DOUBLE, VARCHAR } from '@duckdb/node-api';
import { dayOf } from '../domain/time.js';
import { publish } from '../observability/diagnostics.js';
import {
  type QuarantinedRecord,
  type QuarantineList,
  readQuarantineList,
  updateQuarantineList,
} from '../state/quarantine-list.js';
import { type DuckSession, sql } from '../storage/duck.js';
import { PreconditionFailedError } from '../storage/errors.js';
import { partitionKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';

interface BadRecord {
  run_id: string | null;
  reason: string;
  record: string;
  observed: number;
}

/**
 * Puts the parsed runs that cannot be read into quarantine, once per content, and lets out those whose run was read
 * well. Reads the tables `parsed`, `page_answers` and `facts`.
 * @returns how many runs of this slice are in quarantine
 */
export async function quarantine(
  session: DuckSession,
  store: ObjectStore,
  pipelineRunId: string,
): Promise<number> {
  const bad = await session.rows<BadRecord>(sql(import.meta.url, './sql/bad_records.sql'));
  const days = new Set<string>();
  const waiting = Object.values(await readQuarantineList(store)).flatMap(({ run_id }) => run_id ?? []);
  if (bad.length === 0 && waiting.length === 0) return 0;
  const well = await readWell(session, waiting);
  const list = await updateQuarantineList(store, (current) => {
    days.clear();
    const records: Record<string, QuarantinedRecord> = { ...current };
    for (const [digest, record] of Object.entries(records)) {
      if (record.run_id !== null && well.has(record.run_id)) {
        delete records[digest];
        days.add(dayOf(record.observed));
      }
    }
    for (const { run_id, reason, record, observed } of bad) {
      const digest = createHash('sha256').update(record).digest('hex');
      records[digest] ??= { run_id, reason, record, observed, pipeline_run_id: pipelineRunId };
      days.add(dayOf(records[digest].observed));
    }
    return records;
  });
  for (const day of days) await writeDay(session, store, day, list);
  return bad.length;
}

async function readWell(session: DuckSession, runIds: readonly string[]): Promise<Set<string>> {
  if (runIds.length === 0) return new Set();
  const rows = await session.rows<{ run_id: string }>(
    `SELECT run_id FROM facts WHERE run_id IN (SELECT unnest(from_json($ids, '["VARCHAR"]')))`,
    { ids: JSON.stringify(runIds) },
  );
  return new Set(rows.map(({ run_id }) => run_id));
}

/** Writes the object of a day from the stored list: whoever writes last writes the newest list it saw, so a lost race reads it again. */
async function writeDay(
  session: DuckSession,
  store: ObjectStore,
  day: string,
  list: QuarantineList,
): Promise<void> {
  const key = partitionKey('quarantine', day);
  const before = await store.head(key);
  const rows = Object.entries(list)
    .filter(([, { observed }]) => dayOf(observed) === day)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  await session.createTable('quarantined', {
    observed: { type: DOUBLE, values: rows.map(([, { observed }]) => observed) },
    record_digest: { type: VARCHAR, values: rows.map(([digest]) => digest) },
    pipeline_run_id: { type: VARCHAR, values: rows.map(([, { pipeline_run_id }]) => pipeline_run_id) },
    run_id: { type: VARCHAR, values: rows.map(([, { run_id }]) => run_id) },
    reason: { type: VARCHAR, values: rows.map(([, { reason }]) => reason) },
    record: { type: VARCHAR, values: rows.map(([, { record }]) => record) },
  });
  const file = session.tempFile(`quarantine-${day}.parquet`);
  try {
    await session.run(sql(import.meta.url, './sql/copy_quarantine.sql'), { file });
    await store.put(key, { file }, before ? { ifMatch: before.etag } : { ifNoneMatch: '*' });
  } catch (error) {
    if (!(error instanceof PreconditionFailedError)) throw error;
    publish({ type: 'store_conflict', object: 'dataset' });
    await writeDay(session, store, day, await readQuarantineList(store));
  } finally {
    await unlink(file).catch(() => undefined);
  }
}
