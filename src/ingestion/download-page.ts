import { errorMessage, MonitorError } from '../domain/errors.js';
import type { ResponseTime } from '../domain/merge-precedence.js';
import { type DuckSession, sql } from '../storage/duck.js';
import type { MlflowClient, RunQuery, SearchOptions } from './mlflow-api.js';
import { repairPage } from './repair-page.js';
import { shortenPage } from './shorten-page.js';

/** What a search needs to know of a page. */
export interface PageInfo {
  readonly runs: number;
  readonly ids: readonly (string | null)[];
  readonly last_start: number | null;
  /** The ids of the runs with the start time `last_start`. */
  readonly last_ids: readonly (string | null)[];
  readonly token: string | null;
}

/** A page in a local file. */
export interface DownloadedPage {
  readonly info: PageInfo;
  /** The size of the file. */
  readonly bytes: number;
  /** `bytes`: the size of the response. */
  readonly response: ResponseTime & { readonly bytes: number };
}

/**
 * Searches for runs and saves the page as MLflow sent it, but for long values (`shortenPage`) and text that is not valid JSON
 * (`repairPage`).
 * @param file a local file to write, also if it fails
 * @throws {PageTooBigError}, {MonitorError} `mlflow_not_json`
 */
export async function downloadPage(
  client: MlflowClient,
  session: DuckSession,
  query: RunQuery,
  file: string,
  options?: SearchOptions,
): Promise<DownloadedPage> {
  const response = await client.searchRuns(query, file, options);
  const bytes = await shortenPage(file, response.bytes);
  const info = await readPageInfo(session, file, bytes).catch(() => undefined);
  if (info) return { info, bytes, response };
  const repaired = await repairPage(file);
  return { info: await readPageInfo(session, file, repaired), bytes: repaired, response };
}

/** @throws {MonitorError} `mlflow_not_json` */
export async function readPageInfo(session: DuckSession, file: string, bytes: number): Promise<PageInfo> {
  try {
    const statement = sql(import.meta.url, './sql/page_info.sql');
    const [info] = await session.rows<PageInfo>(statement, { file, bytes });
    if (info) return info;
  } catch (error) {
    const message = `A page of runs is not valid JSON of MLflow: ${errorMessage(error)}`;
    throw new MonitorError('mlflow_not_json', message, {}, true, { cause: error });
  }
  throw new MonitorError('mlflow_not_json', 'A page of runs is empty', {}, true);
}
