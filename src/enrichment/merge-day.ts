import { unlink } from 'node:fs/promises';
import { MonitorError } from '../domain/errors.js';
import { DATE_LAG_MS, type MergeDecision } from '../domain/merge-precedence.js';
import { publish } from '../observability/diagnostics.js';
import { type DuckSession, sql } from '../storage/duck.js';
import { PreconditionFailedError } from '../storage/errors.js';
import { baseKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';

export interface MergeCounts {
  inserted: number;
  updated: number;
  unchanged: number;
  superseded: number;
  written: boolean;
  /** Runs of which no answer is known to be the newest: to be asked for again. */
  undecided: UndecidedRun[];
}

export interface UndecidedRun {
  readonly run_id: string;
  readonly experiment_id: string;
}

export interface MergeTools {
  readonly store: ObjectStore;
  /** The tracking server's clock, asked now; ms. */
  readonly serverNow: () => Promise<number>;
}

const ROUNDS = 20;

/**
 * Merges `facts` and `gone` of one day into its base object by the base rule, with compare-and-swap: a lost race
 * reads the winner's object and decides again. An unchanged base is not written.
 */
export async function mergeDay(session: DuckSession, tools: MergeTools, day: string): Promise<MergeCounts> {
  const key = baseKey(day);
  for (let round = 0; round < ROUNDS; round++) {
    const stored = await tools.store.fetch(key);
    await loadStored(session, stored?.file);
    const counts = await decide(session, tools, day);
    if (!counts.written) return counts;
    const file = session.tempFile(`base-${day}.parquet`);
    try {
      await session.run(sql(import.meta.url, './sql/write_base.sql'));
      const [row] = await session.rows<{ content: string }>(sql(import.meta.url, './sql/content_digest.sql'));
      await session.run(sql(import.meta.url, './sql/copy_base.sql'), { file, content: row?.content ?? '' });
      await tools.store.put(key, { file }, stored ? { ifMatch: stored.etag } : { ifNoneMatch: '*' });
      return counts;
    } catch (error) {
      if (!(error instanceof PreconditionFailedError)) throw error;
      publish({ type: 'store_conflict', object: 'dataset' });
    } finally {
      await unlink(file).catch(() => undefined);
      await session.run('DROP TABLE IF EXISTS merged');
    }
  }
  throw new MonitorError(
    'base_contended',
    `The base of ${day} changed under ${ROUNDS} attempts`,
    { day },
    true,
  );
}

async function loadStored(session: DuckSession, file: string | undefined): Promise<void> {
  // A view takes no parameters; the path is this service's own and is quoted all the same.
  if (file) {
    const path = `'${file.replaceAll("'", "''")}'`;
    await session.run(`CREATE OR REPLACE TEMP VIEW stored_rows AS SELECT * FROM read_parquet(${path})`);
  } else {
    await session.run(sql(import.meta.url, './sql/base_schema.sql'));
  }
  await session.run(
    `CREATE OR REPLACE TEMP TABLE stored AS
     SELECT run_id, experiment_id, content_digest, lifecycle_stage, observed_at, asked_at FROM stored_rows`,
  );
}

interface Decided {
  decision: MergeDecision;
  n: number;
  ahead: number;
}

async function decide(session: DuckSession, tools: MergeTools, day: string): Promise<MergeCounts> {
  const statement = sql(import.meta.url, './sql/decide.sql');
  const decideWith = async (serverNow: number | null) => {
    const server_now = serverNow === null ? null : BigInt(serverNow);
    await session.run(statement, { day, server_now, date_lag: DATE_LAG_MS });
    return session.rows<Decided>(
      `SELECT decision, count(*)::INTEGER AS n, count(*) FILTER (stored_is_ahead)::INTEGER AS ahead
       FROM decided GROUP BY decision`,
    );
  };
  let decisions = await decideWith(null);
  // Only a row from the future can be told from a newer row by the server's clock, asked after the row was read.
  if (decisions.some(({ ahead }) => ahead > 0)) decisions = await decideWith(await tools.serverNow());
  const of = (wanted: MergeDecision) => decisions.find(({ decision }) => decision === wanted)?.n ?? 0;
  const inserted = of('insert');
  const updated = of('replace') + of('overrule');
  return {
    inserted,
    updated,
    unchanged: of('unchanged'),
    superseded: of('supersede'),
    written: inserted + updated > 0,
    undecided: await session.rows<UndecidedRun>(
      'SELECT run_id, experiment_id FROM decided WHERE undecided ORDER BY run_id',
    ),
  };
}
