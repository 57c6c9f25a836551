import { WHITE_SPACE } from '../domain/text.js';
import { type DuckSession, sql } from '../storage/duck.js';

const IS_TEXT = sql(import.meta.url, './sql/is_text.sql').replace("'{white_space}'", `'${WHITE_SPACE}'`);

/**
 * Makes `parsed` from local page files. Pages are read once, with the types that MLflow sends. If one does not fit them, or
 * has a run that cannot be read, all are read again run by run: that finds the reason for each run and keeps its text.
 * @param bytes the size of the largest file
 */
export async function readPages(
  session: DuckSession,
  files: readonly string[],
  bytes: number,
): Promise<void> {
  if (!(await readTypedPages(session, files, bytes))) await readUntypedPages(session, files, bytes);
}

/** @returns whether all runs of the pages were read */
export async function readTypedPages(
  session: DuckSession,
  files: readonly string[],
  bytes: number,
): Promise<boolean> {
  if (files.length === 0) return false;
  try {
    await session.run(sql(import.meta.url, './sql/read_runs.sql'), { files, bytes });
  } catch {
    // An error that is not of the types, such as too little memory, occurs again when the pages are read run by run.
    return false;
  }
  await parseRuns(session);
  const [row] = await session.rows<{ unreadable: number }>(
    'SELECT count(reason)::INTEGER AS unreadable FROM parsed',
  );
  return row?.unreadable === 0;
}

export async function readUntypedPages(
  session: DuckSession,
  files: readonly string[],
  bytes: number,
): Promise<void> {
  if (files.length > 0) await session.run(sql(import.meta.url, './sql/raw_runs.sql'), { files, bytes });
  else await session.run('CREATE OR REPLACE TEMP TABLE raw_runs (file VARCHAR, run JSON)');
  await session.run(sql(import.meta.url, './sql/convert_runs.sql'));
  await session.run('DROP TABLE raw_runs');
  await parseRuns(session);
}

/** Makes `parsed` from `page_runs`. */
async function parseRuns(session: DuckSession): Promise<void> {
  await session.define(IS_TEXT);
  await session.run(sql(import.meta.url, './sql/parse_runs.sql'));
  await session.run('DROP TABLE page_runs');
}
