import type { Ledger } from '../domain/ledger.js';
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
  /** Runs that were new or changed although deltas had read their time before. */
  missed: number;
}

export interface UndecidedRun {
  readonly run_id: string;
  readonly experiment_id: string;
}

export interface MergeOptions {
  /** Called before each put of a base object. */
  readonly beforePut: () => Promise<void>;
  /** Finds the ETag of a base object, if many were read at once. */
  readonly look?: Look | undefined;
  /** Gets what became of each run. */
  readonly ledger: Ledger;
  /** Of a sweep: until when deltas have read each experiment, ms. Called only if runs are new or changed. */
  readonly readUntil?: (() => Promise<ReadonlyMap<string, number>>) | undefined;
}

/**
 * Merges `facts` and `gone` of one day into its base objects.
 * @param day of a run in `facts` or `gone`
 * @param files the number of parts of the day
 * @returns the counts of all parts
 */
export async function mergeDay(
  session: DuckSession,
  store: ObjectStore,
  serverNow: () => Promise<number>,
  day: string,
  files: number,
  options: MergeOptions,
): Promise<MergeCounts> {
  await createPartMacro(session);
  const total = noCounts();
  for (const part of await touchedParts(session, day, files)) {
    const counts = await mergePart(session, store, serverNow, { day, part, files }, options);
    total.inserted += counts.inserted;
    total.updated += counts.updated;
    total.unchanged += counts.unchanged;
    total.superseded += counts.superseded;
    total.undecided.push(...counts.undecided);
    total.missed += counts.missed;
  }
  return total;
}

/** @param day of a run in `facts` or `gone` */
async function touchedParts(session: DuckSession, day: string, files: number): Promise<number[]> {
  if (files === 1) return [0];
  const statement = sql(import.meta.url, './sql/touched_parts.sql');
  const rows = await session.rows<{ part: number }>(statement, { day, files });
  return rows.map(({ part }) => part);
}

/**
 * Merges the `facts` and `gone` of one part into its base object by merge precedence. After a lost race the winner's object
 * is read and every run is decided again. An unchanged base is not written.
 * @param serverNow requests the tracking server's clock, ms
 */
async function mergePart(
  session: DuckSession,
  store: ObjectStore,
  serverNow: () => Promise<number>,
  part: DayPart,
  { beforePut, look, ledger, readUntil }: MergeOptions,
): Promise<MergeCounts> {
  let counts = noCounts();
  let decisions: DecisionCount[] = [];
  const prepare = async (stored: StoredFile | undefined) => {
    await loadStored(session, stored?.file);
    decisions = await decide(session, serverNow, part);
    counts = await countsOf(session, decisions);
    if (counts.inserted + counts.updated === 0) return undefined;
    await beforePut();
    return (file: string) => writeBase(session, file);
  };
  await publishObject(store, session, baseKey(part.day, part.part), prepare, 'base_contended', look);
  // After the last round: of a lost race nothing counts.
  for (const { experiment_id, gone, decision, runs } of decisions) {
    if (!gone) ledger.add(experiment_id, COUNT_OF_DECISION[decision], runs);
  }
  if (readUntil && counts.inserted + counts.updated > 0) {
    const read_until = [...(await readUntil())].map(([experiment_id, ms]) => ({ experiment_id, ms }));
    // Before the first delta there is nothing that it could have missed.
    if (read_until.length === 0) return counts;
    const [row] = await session.rows<{ runs: number }>(sql(import.meta.url, './sql/missed_runs.sql'), {
      read_until: JSON.stringify(read_until),
    });
    counts.missed = row?.runs ?? 0;
  }
  return counts;
}

const noCounts = (): MergeCounts => ({
  inserted: 0,
  updated: 0,
  unchanged: 0,
  superseded: 0,
  undecided: [],
  missed: 0,
});

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
  readonly experiment_id: string | null;
  readonly gone: boolean;
  readonly decision: MergeDecision;
  readonly runs: number;
  /** How many of these stored rows have a time after that of the new response. */
  readonly stored_ahead: number;
}

const COUNT_OF_DECISION = {
  insert: 'inserted',
  unchanged: 'unchanged',
  replace: 'updated',
  overrule: 'updated',
  supersede: 'superseded',
} as const satisfies Record<MergeDecision, string>;

async function countsOf(session: DuckSession, decisions: readonly DecisionCount[]): Promise<MergeCounts> {
  const counts = noCounts();
  for (const { decision, runs } of decisions) counts[COUNT_OF_DECISION[decision]] += runs;
  counts.undecided = await session.rows<UndecidedRun>(sql(import.meta.url, './sql/undecided_runs.sql'));
  return counts;
}

/** Makes `decided`. */
async function decide(
  session: DuckSession,
  serverNow: () => Promise<number>,
  { day, part, files }: DayPart,
): Promise<DecisionCount[]> {
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
  const decisions = await decideAt(null);
  // A later time of the stored row is right or in the future: the server's clock, requested after the row was read, decides.
  return decisions.some(({ stored_ahead }) => stored_ahead > 0) ? decideAt(await serverNow()) : decisions;
}

/** Writes the merged rows of the part to a file. */
async function writeBase(session: DuckSession, file: string): Promise<void> {
  await session.define(sql(import.meta.url, './sql/heavy_bytes.sql'));
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
