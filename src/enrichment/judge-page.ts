import { unlink } from 'node:fs/promises';
import { inSlices } from '../config/event-loop.js';
import type { StoredExperiment } from '../state/experiments.js';
import { rulesOnSteps } from '../state/rulebook.js';
import type { RunTimes } from '../state/run-times.js';
import { type DuckSession, sql } from '../storage/duck.js';
import { readPairs } from './base-facts.js';
import { createFacts, type PageFile } from './create-facts.js';
import { createScope, queryOf } from './day-scope.js';
import { judge, type RulebookSource } from './judge-day.js';
import { writeFacts } from './merge-day.js';

export interface PageJudge {
  readonly rulebook: RulebookSource;
  readonly experiments: Readonly<Record<string, StoredExperiment>>;
  /** The stored times of runs without a start time. */
  readonly runTimes: () => Promise<RunTimes>;
}

/**
 * Judges the runs of a page as pipeline runs do, but stores nothing: for each day, newest first, it makes the tables `active`
 * and `judged`, until `visit` finds what it looks for. Also makes `parsed`, with the runs that are in no day.
 * @param bytes the size of the file
 */
export async function judgePage<T>(
  session: DuckSession,
  page: PageFile,
  bytes: number,
  { rulebook, experiments, runTimes }: PageJudge,
  visit: (day: string) => Promise<T | undefined>,
): Promise<T | undefined> {
  const addTimes = async (ended: RunTimes) => ({ ...ended, ...(await runTimes()) });
  await createFacts(session, [page], bytes, addTimes, []);
  for (const { day } of await session.rows<{ day: string }>(sql(import.meta.url, './sql/touched_days.sql'))) {
    const file = session.tempFile('facts.parquet');
    try {
      await writeFacts(session, day, file);
      const pairs = await readPairs(session, file);
      const scopeBy = createScope(async () => pairs, experiments);
      const book = await rulebook.rulebookFor(async (stored) =>
        queryOf(await scopeBy(await inSlices(rulesOnSteps(stored, day)))),
      );
      const rules = await inSlices(rulesOnSteps(book, day));
      await judge(session, [file], await scopeBy(rules), rules, { part: 0, files: 1 });
      const found = await visit(day);
      if (found !== undefined) return found;
    } finally {
      await unlink(file).catch(() => undefined);
    }
  }
  return undefined;
}
