import { DATE_LAG_MS, type MergeDecision } from '../domain/merge-precedence.js';
import { type DuckSession, sql } from '../storage/duck.js';
import { baseKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import { createPartMacro, type DayPart } from '../storage/parts.js';
import { type Look, publishObject, type StoredFile } from '../storage/publish.js';
import { BATCH_BYTES, writeBatches } from './heavy-rows.js';

export interface MergeCounts {
  inserted: number;
  updated: number;
  unchanged: number;
  /** Runs whose stored row was kept, as the fetched content may be older. */
  superseded: number;
  /** MLflow runs whose newest content may not be stored yet: later pipeline runs fetch them again. */
  undecided: UndecidedRun[];
}

export interface UndecidedRun {
  readonly run_id: string;
  readonly experiment_id: string;
}

/**
 * Merges `facts` and `gone` of one day into its base objects.
 * @param files the number of parts of the day
 * @param beforePut called before each put of a base object
 * @returns the counts of all parts
 */
export async function mergeDay(
  session: DuckSession,
  store: ObjectStore,
  serverNow: () => Promise<number>,
  day: string,
  files: number,
  beforePut: () => Promise<void>,
  look?: Look,
): Promise<MergeCounts> {
  await createPartMacro(session);
  const touched = await session.rows<{ part: number }>(sql(import.meta.url, './sql/touched_parts.sql'), {
    day,
    files,
  });
  const total: MergeCounts = { inserted: 0, updated: 0, unchanged: 0, superseded: 0, undecided: [] };
  for (const { part } of touched) {
    const counts = await mergePart(session, store, serverNow, { day, part, files }, beforePut, look);
    total.inserted += counts.inserted;
    total.updated += counts.updated;
    total.unchanged += counts.unchanged;
    total.superseded += counts.superseded;
    total.undecided.push(...counts.undecided);
  }
  return total;
}

/**
 * Merges the `facts` and `gone` of one part into its base object by merge precedence. After a lost race the winner's object
 * is read and every run is decided again. An unchanged base is not written.
 * @param serverNow requests the tracking server's clock, ms
 * @param look finds the ETag of the base, if many were read at once
 */
async function mergePart(
  session: DuckSession,
  store: ObjectStore,
  serverNow: () => Promise<number>,
  part: DayPart,
  beforePut: () => Promise<void>,
  look?: Look,
): Promise<MergeCounts> {
  let counts: MergeCounts = { inserted: 0, updated: 0, unchanged: 0, superseded: 0, undecided: [] };
  const prepare = async (stored: StoredFile | undefined) => {
    await loadStored(session, stored?.file);
    counts = await decide(session, serverNow, part);
    if (counts.inserted + counts.updated === 0) return undefined;
    await beforePut();
    return (file: string) => writeBase(session, file);
  };
  await publishObject(store, session, baseKey(part.day, part.part), prepare, 'base_contended', look);
  return counts;
}

/** Writes the `facts` of a day to a file, as the base object that they would be if nothing else were stored. */
export async function writeFacts(session: DuckSession, day: string, file: string): Promise<void> {
  await createPartMacro(session);
  await loadStored(session, undefined);
  await decide(session, () => Promise.reject(new RangeError('nothing is stored')), {
    day,
    part: 0,
    files: 1,
  });
  await writeBase(session, file);
}

/** Makes `stored_rows`, a view of the base object, and `stored`. */
async function loadStored(session: DuckSession, file: string | undefined): Promise<void> {
  if (file) {
    // A view takes no parameters, and a table would copy every metric into memory.
    const path = `'${file.replaceAll("'", "''")}'`;
    await session.run(`CREATE OR REPLACE TEMP VIEW stored_rows AS SELECT * FROM read_parquet(${path})`);
  } else {
    await session.run(sql(import.meta.url, './sql/no_stored_rows.sql'));
  }
  await session.run(sql(import.meta.url, './sql/stored.sql'));
}

interface DecisionCount {
  readonly decision: MergeDecision;
  readonly runs: number;
  /** How many of these stored rows have a time after that of the new response. */
  readonly stored_ahead: number;
}

async function decide(
  session: DuckSession,
  serverNow: () => Promise<number>,
  { day, part, files }: DayPart,
): Promise<MergeCounts> {
  const decideAt = async (now: number | null): Promise<DecisionCount[]> => {
    await session.run(sql(import.meta.url, './sql/decide.sql'), {
      day,
      part,
      files,
      server_now: now === null ? null : BigInt(now),
      date_lag: DATE_LAG_MS,
    });
    return session.rows(sql(import.meta.url, './sql/decision_counts.sql'));
  };
  let decisions = await decideAt(null);
  // A later time of the stored row is right or in the future: the server's clock, requested after the row was read, decides.
  if (decisions.some(({ stored_ahead }) => stored_ahead > 0)) decisions = await decideAt(await serverNow());
  const runs = (wanted: MergeDecision) => decisions.find(({ decision }) => decision === wanted)?.runs ?? 0;
  return {
    inserted: runs('insert'),
    updated: runs('replace') + runs('overrule'),
    unchanged: runs('unchanged'),
    superseded: runs('supersede'),
    undecided: await session.rows<UndecidedRun>(sql(import.meta.url, './sql/undecided_runs.sql')),
  };
}

/** Writes the merged rows of the part to a file. */
async function writeBase(session: DuckSession, file: string): Promise<void> {
  await session.run(sql(import.meta.url, './sql/heavy_bytes.sql'));
  await session.run(sql(import.meta.url, './sql/merged_keys.sql'), { batch_bytes: BATCH_BYTES });
  const [row] = await session.rows<{ content: string }>(sql(import.meta.url, './sql/content_digest.sql'));
  const content = row?.content ?? '';
  const batches = await session.rows<{ first: string; last: string }>(
    sql(import.meta.url, './sql/merged_batches.sql'),
  );
  const writeBatch = (range: { first: string; last: string }, part: string) =>
    session.run(sql(import.meta.url, './sql/copy_base.sql'), { ...range, file: part, content });
  await writeBatches(session, file, batches, writeBatch, (files) =>
    session.run(sql(import.meta.url, './sql/join_base.sql'), { files, file, content }),
  );
}
