import type { ResponseTime } from '../domain/merge-precedence.js';
import type { FetchResult } from '../pipeline/stage-contracts.js';
import type { RunTimes } from '../state/run-times.js';
import { type DuckSession, sql } from '../storage/duck.js';
import { chooseRunTimes } from './choose-run-times.js';
import { readPages } from './read-pages.js';

/** A local file with a page of runs, and the time of its response. */
export interface PageFile extends ResponseTime {
  readonly file: string;
}

/**
 * Makes `page_times`, `parsed`, `latest`, `facts` and `gone` from pages.
 * @param bytes the size of the largest page
 * @param addTimes adds times of runs that have none yet, and returns all
 */
export async function createFacts(
  session: DuckSession,
  pages: readonly PageFile[],
  bytes: number,
  addTimes: (ended: RunTimes) => Promise<RunTimes>,
  gone: FetchResult['gone'],
): Promise<void> {
  await session.run(sql(import.meta.url, './sql/page_times.sql'), { pages: JSON.stringify(pages) });
  await readPages(
    session,
    pages.map(({ file }) => file),
    bytes,
  );
  const chosen = await chooseRunTimes(session, addTimes);
  await session.run(sql(import.meta.url, './sql/latest.sql'), { chosen: JSON.stringify(chosen) });
  await session.run(sql(import.meta.url, './sql/facts.sql'));
  await session.run(sql(import.meta.url, './sql/gone.sql'), { gone: JSON.stringify(gone) });
}
