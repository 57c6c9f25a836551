import { createHash } from 'node:crypto';
import { DOUBLE, VARCHAR } from '@duckdb/node-api';
import { formatBytes } from '../domain/text.js';
import { dayOf } from '../domain/time.js';
import type { OversizedRun } from '../pipeline/stage-contracts.js';
import {
  type QuarantinedRecord,
  type QuarantineList,
  readQuarantineList,
  updateQuarantineList,
} from '../state/quarantine-list.js';
import { type DuckSession, sql } from '../storage/duck.js';
import { partitionKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import { publishObject } from '../storage/publish.js';

interface BadRecord {
  readonly run_id: string | null;
  readonly reason: string;
  readonly record: string;
  readonly observed: number;
}

/**
 * Adds the runs of `parsed` that cannot be read to the quarantine, once per content, and removes the records of runs that
 * `facts` has: they could be read. Reads `parsed`, `page_times` and `facts`.
 * @param oversized runs of the slice that were not downloaded
 * @param beforePut called with the days whose quarantine changes, before the first put
 * @returns how many records of this slice are in quarantine
 */
export async function quarantine(
  session: DuckSession,
  store: ObjectStore,
  pipelineRunId: string,
  oversized: readonly OversizedRun[],
  beforePut: (days: readonly string[]) => Promise<void>,
): Promise<number> {
  const unreadable = await session.rows<BadRecord>(sql(import.meta.url, './sql/bad_records.sql'));
  const bad = [...unreadable, ...oversized.map(badRecordOf)];
  const quarantined = Object.values(await readQuarantineList(store)).flatMap(({ run_id }) => run_id ?? []);
  if (bad.length === 0 && quarantined.length === 0) return 0;
  const readable = await readableRuns(session, quarantined);
  const days = new Set<string>();
  await updateQuarantineList(store, async (current) => {
    days.clear();
    const records: Record<string, QuarantinedRecord> = { ...current };
    for (const [digest, record] of Object.entries(records)) {
      if (record.run_id !== null && readable.has(record.run_id)) {
        delete records[digest];
        days.add(dayOf(record.observed));
      }
    }
    for (const { run_id, reason, record, observed } of bad) {
      const digest = createHash('sha256').update(record).digest('hex');
      if (records[digest]) continue;
      records[digest] = { run_id, reason, record, observed, pipeline_run_id: pipelineRunId };
      days.add(dayOf(observed));
    }
    if (days.size > 0) await beforePut([...days]);
    return records;
  });
  for (const day of days) await publishQuarantine(session, store, day);
  return bad.length;
}

function badRecordOf({ run_id, record, date, bytes, limit }: OversizedRun): BadRecord {
  const size = bytes === null ? '' : ` (${formatBytes(bytes)})`;
  const reason = `its data is larger than ${formatBytes(limit)}${size}: raise MAX_PAGE_MB to read it`;
  return { run_id, reason, record, observed: date };
}

async function readableRuns(session: DuckSession, runIds: readonly string[]): Promise<Set<string>> {
  if (runIds.length === 0) return new Set();
  const rows = await session.rows<{ run_id: string }>(sql(import.meta.url, './sql/readable_runs.sql'), {
    run_ids: JSON.stringify(runIds),
  });
  return new Set(rows.map(({ run_id }) => run_id));
}

/** Publishes the records of one day. The list is read after the ETag, so the last writer publishes the newest list. */
export async function publishQuarantine(
  session: DuckSession,
  store: ObjectStore,
  day: string,
): Promise<void> {
  await publishObject(store, session, partitionKey('quarantine', day), async () => {
    await createQuarantinedTable(session, day, await readQuarantineList(store));
    return (file) => session.run(sql(import.meta.url, './sql/copy_quarantine.sql'), { file });
  });
}

/** Makes `quarantined`: the records of one day. */
async function createQuarantinedTable(
  session: DuckSession,
  day: string,
  list: QuarantineList,
): Promise<void> {
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
}
