import { createHash } from 'node:crypto';
import { DOUBLE, VARCHAR } from '@duckdb/node-api';
import { isKept } from '../domain/retention.js';
import { formatBytes } from '../domain/text.js';
import { dayStart } from '../domain/time.js';
import type { OversizedRun } from '../pipeline/stage-contracts.js';
import { changeQuarantine, type QuarantineOfDay, readQuarantineOf } from '../state/quarantine-list.js';
import {
  MAX_OMITTED_PER_DAY,
  MAX_RECORDS_PER_DAY,
  type QuarantinedRecord,
} from '../state/quarantine-records.js';
import { readFirstDays } from '../state/retention.js';
import { type DuckSession, sql } from '../storage/duck.js';
import { partitionKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import { publishObject } from '../storage/publish.js';

interface BadRecord {
  readonly run_id: string | null;
  readonly experiment_id: string | null;
  readonly reason: string;
  readonly record: string;
  readonly observed: number;
}

/**
 * Adds the runs of `parsed` that cannot be read to the quarantine, once per content, and removes the records of runs that
 * `facts` has: they could be read. Reads `parsed`, `page_times` and `facts`.
 * @param oversized runs of the slice that were not downloaded
 * @param beforePut called with the days whose quarantine changes, before the first put
 * @returns the experiment of each record of this slice that is in quarantine; null if it names none
 */
export async function quarantine(
  session: DuckSession,
  store: ObjectStore,
  pipelineRunId: string,
  oversized: readonly OversizedRun[],
  beforePut: (days: readonly string[]) => Promise<void>,
): Promise<(string | null)[]> {
  const unreadable = await session.rows<BadRecord>(sql(import.meta.url, './sql/bad_records.sql'));
  const bad = [...unreadable, ...oversized.map(badRecordOf)];
  const records: Record<string, QuarantinedRecord> = {};
  for (const { run_id, reason, record, observed } of bad) {
    const digest = createHash('sha256').update(record).digest('hex');
    records[digest] ??= { run_id, reason, record, observed, pipeline_run_id: pipelineRunId };
  }
  const days = await changeQuarantine(store, {
    unreadable: records,
    readable: (runIds) => readableRuns(session, runIds),
    beforePut,
  });
  for (const day of days) await publishQuarantine(session, store, day);
  return bad.map(({ experiment_id }) => experiment_id);
}

function badRecordOf({ run_id, experiment_id, record, date, bytes, limit }: OversizedRun): BadRecord {
  const size = bytes === null ? '' : ` (${formatBytes(bytes)})`;
  const reason = `its data is larger than ${formatBytes(limit)}${size}: raise MAX_PAGE_MB to read it`;
  return { run_id, experiment_id, reason, record, observed: date };
}

async function readableRuns(session: DuckSession, runIds: readonly string[]): Promise<Set<string>> {
  const rows = await session.rows<{ run_id: string }>(sql(import.meta.url, './sql/readable_runs.sql'), {
    run_ids: JSON.stringify(runIds),
  });
  return new Set(rows.map(({ run_id }) => run_id));
}

/** Publishes the records of one day. They are read after the ETag, so the last writer publishes the newest ones. */
export async function publishQuarantine(
  session: DuckSession,
  store: ObjectStore,
  day: string,
): Promise<void> {
  if (!isKept(await readFirstDays(store), 'quarantine', day)) return;
  await publishObject(store, session, partitionKey('quarantine', day), async () => {
    const quarantined = await readQuarantineOf(store, day);
    if (!quarantined) return undefined;
    await createQuarantinedTable(session, day, quarantined);
    return (file) => session.run(sql(import.meta.url, './sql/copy_quarantine.sql'), { file });
  });
}

interface Row extends Omit<QuarantinedRecord, 'pipeline_run_id'> {
  readonly digest: string;
  readonly pipeline_run_id: string | null;
}

/** Makes `quarantined`: the records of one day. */
async function createQuarantinedTable(
  session: DuckSession,
  day: string,
  { records, omitted }: QuarantineOfDay,
): Promise<void> {
  const rows: Row[] = Object.entries(records)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([digest, record]) => ({ digest, ...record }));
  if (omitted > 0) {
    const count = omitted < MAX_OMITTED_PER_DAY ? `${omitted}` : `at least ${omitted}`;
    const reason = `${count} more records of this day are not kept: at most ${MAX_RECORDS_PER_DAY} are`;
    rows.push({
      digest: '',
      observed: dayStart(day),
      pipeline_run_id: null,
      run_id: null,
      reason,
      record: '',
    });
  }
  await session.createTable('quarantined', {
    observed: { type: DOUBLE, values: rows.map(({ observed }) => observed) },
    record_digest: { type: VARCHAR, values: rows.map(({ digest }) => digest) },
    pipeline_run_id: { type: VARCHAR, values: rows.map(({ pipeline_run_id }) => pipeline_run_id) },
    run_id: { type: VARCHAR, values: rows.map(({ run_id }) => run_id) },
    reason: { type: VARCHAR, values: rows.map(({ reason }) => reason) },
    record: { type: VARCHAR, values: rows.map(({ record }) => record) },
  });
}
