import { randomUUID } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { errorMessage, MonitorError } from '../domain/errors.js';
import type { ResponseTime } from '../domain/merge-precedence.js';
import type { Page } from '../pipeline/stage-contracts.js';
import { type DuckSession, sql } from '../storage/duck.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { MlflowClient } from './mlflow-api.js';

export interface RunSearchOptions {
  /** Prefix of the keys of stored pages: `_raw/<pipeline run>/<slice>`. */
  readonly prefix: string;
  readonly pageSize: number;
  /** Called after each page. */
  readonly heartbeat: () => void;
}

/** An MLflow run that was searched for and not returned, with the time of the response. */
export interface MissingRun {
  readonly run_id: string;
  readonly response: ResponseTime;
}

interface PageInfo {
  readonly runs: number;
  readonly ids: readonly (string | null)[];
  readonly last_start: number | null;
  readonly token: string | null;
}

/** No search of a slice has more pages. Stops at a server that always returns another token. */
const MAX_PAGES = 100_000;
/** Ids in one `IN`: keeps the filter far below the limits of servers. */
const IDS_PER_SEARCH = 100;

/** What is safe between the quotes of a filter; runs with other ids are quarantined. */
const RUN_ID = /^[A-Za-z0-9_-]{1,64}$/;
const idsOf = ({ ids }: PageInfo): string[] => ids.filter((id) => id !== null);

/** The run searches of one execution of a slice. Stores each page as MLflow sent it, under its own key. */
export class RunSearch {
  readonly pages: Page[] = [];
  readonly returnedIds = new Set<string>();
  bytes = 0;
  private readonly execution = randomUUID().slice(0, 8);

  constructor(
    private readonly store: ObjectStore,
    private readonly client: MlflowClient,
    private readonly session: DuckSession,
    private readonly options: RunSearchOptions,
  ) {}

  /**
   * Fetches all pages of a search. Each page starts at the last start time of the page before, so that a run that is deleted
   * between two pages shifts no other run out of view. Tokens are used only within equal start times. If one of the runs with
   * that start time was deleted meanwhile, the token may have skipped another, and these runs are fetched again.
   * @param terms further conditions of the filter
   * @param from earliest start time, ms; null: no limit
   */
  async search(experiments: readonly string[], terms: readonly string[], from: number | null): Promise<void> {
    let cursor = from;
    let token: string | undefined;
    /** The runs fetched since the cursor moved. */
    let sinceCursor: string[] = [];
    for (let n = 0; n < MAX_PAGES; n++) {
      const lower = cursor === null ? [] : [`attributes.start_time >= ${cursor}`];
      const { info } = await this.fetchPage(experiments, [...lower, ...terms].join(' AND '), token);
      sinceCursor.push(...idsOf(info).filter((id) => RUN_ID.test(id)));
      const isLast = info.token === null || info.runs === 0;
      const moves = info.last_start !== null && (cursor === null || info.last_start > cursor);
      if (!isLast && !moves) {
        token = info.token ?? undefined;
        continue;
      }
      const isComplete =
        token === undefined || (await this.findMissing(experiments, sinceCursor)).length === 0;
      if (isComplete && isLast) return;
      if (isComplete) cursor = info.last_start;
      token = undefined;
      sinceCursor = [];
    }
    throw new MonitorError('too_many_pages', `A search of runs has more than ${MAX_PAGES} pages`, { terms });
  }

  /** Searches for runs by id. @returns those that MLflow does not return */
  async findMissing(experiments: readonly string[], runIds: readonly string[]): Promise<MissingRun[]> {
    const missing: MissingRun[] = [];
    const size = Math.min(IDS_PER_SEARCH, this.options.pageSize);
    for (let at = 0; at < runIds.length; at += size) {
      let ids = runIds.slice(at, at + size);
      while (ids.length > 0) {
        const list = ids.map((id) => `'${id}'`).join(',');
        const filter = `attributes.run_id IN (${list})`;
        const { info, response } = await this.fetchPage(experiments, filter, undefined);
        const returned = new Set(info.ids);
        const left = ids.filter((id) => !returned.has(id));
        // A page may have fewer runs than requested: only the last page shows which are missing.
        const isLast = info.token === null || left.length === ids.length;
        if (isLast) missing.push(...left.map((run_id) => ({ run_id, response })));
        ids = isLast ? [] : left;
      }
    }
    return missing;
  }

  private async fetchPage(
    experiments: readonly string[],
    filter: string,
    token: string | undefined,
  ): Promise<{ info: PageInfo; response: ResponseTime }> {
    const { prefix, pageSize, heartbeat } = this.options;
    const file = this.session.tempFile('page.json');
    try {
      const response = await this.client.searchRuns(
        {
          experiment_ids: experiments,
          filter,
          max_results: pageSize,
          ...(token === undefined ? {} : { page_token: token }),
        },
        file,
      );
      const { bytes, date, began } = response;
      const info = await this.readPageInfo(file, bytes);
      for (const id of idsOf(info)) this.returnedIds.add(id);
      this.bytes += bytes;
      if (info.runs > 0) {
        const key = `${prefix}/${this.execution}-${this.pages.length}.json`;
        await this.store.put(key, { file });
        this.pages.push({ key, date, began, runs: info.runs, bytes });
      }
      heartbeat();
      return { info, response };
    } finally {
      await unlink(file).catch(() => undefined);
    }
  }

  private async readPageInfo(file: string, bytes: number): Promise<PageInfo> {
    try {
      const statement = sql(import.meta.url, './sql/page_info.sql');
      const [info] = await this.session.rows<PageInfo>(statement, { file, bytes });
      if (info) return info;
    } catch (error) {
      const message = `A page of runs is not valid JSON of MLflow: ${errorMessage(error)}`;
      throw new MonitorError('mlflow_not_json', message, {}, true, { cause: error });
    }
    throw new MonitorError('mlflow_not_json', 'A page of runs is empty', {}, true);
  }
}
