import { randomUUID } from 'node:crypto';
import { stat, unlink } from 'node:fs/promises';
import { MonitorError } from '../domain/errors.js';
import type { ResponseTime } from '../domain/merge-precedence.js';
import type { OversizedRun, Page } from '../pipeline/stage-contracts.js';
import type { DuckSession } from '../storage/duck.js';
import type { ObjectStore } from '../storage/object-store.js';
import { downloadPage, type PageInfo, readPageInfo } from './download-page.js';
import type { MlflowClient } from './mlflow-api.js';
import { firstRunOf, PageTooBigError, RUN_ID } from './page-limit.js';
import { PageSize } from './page-size.js';
import { type PageOrigin, pageKey, type StoredPages } from './stored-pages.js';

export interface RunSearchOptions {
  /** Prefix of the keys of stored pages: `_raw/<pipeline run>/<slice>`. */
  readonly prefix: string;
  readonly pageSize: number;
  /** Pages of earlier executions of the slice, which are not requested again. */
  readonly stored?: StoredPages;
  /** Called after each page. */
  readonly heartbeat: () => void;
}

/** An MLflow run that was searched for and not returned, with the time of the response. */
export interface MissingRun {
  readonly run_id: string;
  readonly response: ResponseTime;
}

interface FetchedPage {
  readonly info: PageInfo;
  readonly response: ResponseTime;
}

/** No search of a slice has more pages. */
const MAX_PAGES = 100_000;
/** So many pages in succession without a new run: the server returns the same runs again and again. */
const MAX_REPEATED_PAGES = 10;
/** Ids in one `IN`: keeps the filter far below the limits of servers. */
const IDS_PER_SEARCH = 100;
/** Ids that one filter excludes; SQLite limits the depth of a condition to 1000. */
const MAX_EXCLUDED = 200;

const idsOf = ({ ids }: PageInfo): string[] => ids.filter((id) => id !== null);
const isSafe = (id: string | null): id is string => id !== null && RUN_ID.test(id);

/** A request for a page. */
interface PageRequest {
  readonly experiments: readonly string[];
  readonly filter: string;
  /** Ids of runs that are excluded besides. */
  readonly excluded: readonly string[];
  readonly token: string | undefined;
}

/**
 * The run searches of one execution of a slice. Stores each page under its own key: as MLflow sent it, but for long values
 * (`shortenPage`) and text that is not valid JSON (`repairPage`).
 *
 * An execution that follows one that was killed begins with the pages which that one stored, as long as they are the responses
 * to what it would request. It is then the same execution with a pause, and for any pause the searches miss no run.
 */
export class RunSearch {
  readonly pages: Page[] = [];
  readonly returnedIds = new Set<string>();
  /** Runs that alone are larger than a response may be. They count as returned. */
  readonly oversized: OversizedRun[] = [];
  bytes = 0;
  private readonly execution = randomUUID().slice(0, 8);
  /** Until the first response that is not stored. */
  private isResuming: boolean;
  private readonly size: PageSize;

  constructor(
    private readonly store: ObjectStore,
    private readonly client: MlflowClient,
    private readonly session: DuckSession,
    private readonly options: RunSearchOptions,
  ) {
    this.size = new PageSize(options.pageSize);
    this.isResuming = options.stored !== undefined;
  }

  /**
   * Fetches all pages of a search. Each page starts at the last start time of the page before, so that a run that is deleted
   * between two pages shifts no other run out of view. Tokens are used only within equal start times. If one of the runs with
   * that start time was deleted meanwhile, the token may have skipped another, and these runs are fetched again.
   * Tokens are offsets: they stay valid for another page size, and when the run at the offset is excluded.
   * @param terms further conditions of the filter
   * @param from earliest start time, ms; null: no limit
   */
  async search(experiments: readonly string[], terms: readonly string[], from: number | null): Promise<void> {
    let cursor = from;
    let token: string | undefined;
    /** The runs fetched since the cursor moved. */
    let sinceCursor: string[] = [];
    /** Runs at the cursor that need not be fetched again: they are heavy. */
    let known: readonly string[] = [];
    const tokens = new Set<string>();
    let repeated = 0;
    for (let n = 0; n < MAX_PAGES; n++) {
      const lower = cursor === null ? [] : [`attributes.start_time >= ${cursor}`];
      const filter = [...lower, ...terms].join(' AND ');
      const excluded = () => this.exclusions(cursor, known);
      const { info } = await this.fetchFitting({ experiments, filter, token }, excluded);
      const unknown = new Set(sinceCursor);
      const ids = idsOf(info).filter(isSafe);
      repeated = token !== undefined && ids.every((id) => unknown.has(id)) ? repeated + 1 : 0;
      sinceCursor.push(...ids);
      const isLast = info.token === null || info.runs === 0;
      const moves = info.last_start !== null && (cursor === null || info.last_start > cursor);
      if (!isLast && !moves) {
        token = info.token ?? undefined;
        if (token !== undefined && tokens.has(token)) throw repeatedPages('the same page token twice', terms);
        if (repeated >= MAX_REPEATED_PAGES) throw repeatedPages('the same runs on every page', terms);
        if (token !== undefined) tokens.add(token);
        continue;
      }
      const isComplete =
        token === undefined || (await this.findMissing(experiments, sinceCursor)).length === 0;
      if (isComplete && isLast) return;
      if (isComplete) {
        cursor = info.last_start;
        const atCursor = info.last_ids.filter(isSafe);
        known = this.size.isReduced && atCursor.length <= MAX_EXCLUDED / 2 ? atCursor : [];
      }
      token = undefined;
      sinceCursor = [];
      tokens.clear();
      repeated = 0;
    }
    throw new MonitorError('too_many_pages', `A search of runs has more than ${MAX_PAGES} pages`, { terms });
  }

  /** Searches for runs by id. @returns those that MLflow does not return */
  async findMissing(experiments: readonly string[], runIds: readonly string[]): Promise<MissingRun[]> {
    const missing: MissingRun[] = [];
    let left = [...runIds];
    while (left.length > 0) {
      const ids = left.slice(0, Math.min(IDS_PER_SEARCH, this.size.current));
      const list = ids.map((id) => `'${id}'`).join(',');
      let page: FetchedPage;
      try {
        const filter = `attributes.run_id IN (${list})`;
        page = await this.fetchPage({ experiments, filter, excluded: [], token: undefined }, ids.length);
      } catch (error) {
        const [only] = ids;
        if (error instanceof PageTooBigError && ids.length === 1 && only !== undefined) {
          this.addOversized(error, { run_id: only, experiment_id: null, start_time: null, record: '' });
          left = left.slice(1);
        } else if (!this.size.shrink(error, ids.length)) throw error;
        continue;
      }
      const { info, response } = page;
      const returned = new Set(info.ids);
      const absent = ids.filter((id) => !returned.has(id));
      // A page may have fewer runs than requested: only the last page shows which are missing.
      const isLast = info.token === null || absent.length === ids.length;
      if (isLast) missing.push(...absent.map((run_id) => ({ run_id, response })));
      left = [...(isLast ? [] : absent), ...left.slice(ids.length)];
    }
    return missing;
  }

  /** The oversized and known runs that a search excludes; those before the cursor do not match anyway. */
  private exclusions(cursor: number | null, known: readonly string[]): string[] {
    const ids = this.oversized
      .filter(({ start_time }) => cursor === null || start_time === null || start_time >= cursor)
      .map(({ run_id }) => run_id);
    if (ids.length > MAX_EXCLUDED) {
      const message = `More than ${MAX_EXCLUDED} runs are larger than MAX_PAGE_MB: raise it to read them`;
      throw new MonitorError('page_too_big', message);
    }
    return [...ids, ...known];
  }

  /** Fetches a page with fewer runs until it fits. A single run that does not fit is added to `oversized` and excluded. */
  private async fetchFitting(
    request: Omit<PageRequest, 'excluded'>,
    excluded: () => readonly string[],
  ): Promise<FetchedPage> {
    for (;;) {
      const requested = this.size.current;
      try {
        return await this.fetchPage({ ...request, excluded: excluded() }, requested);
      } catch (error) {
        if (this.size.shrink(error, requested)) continue;
        if (!(error instanceof PageTooBigError)) throw error;
        const run = firstRunOf(error.cut.prefix);
        // Without its id the run cannot be excluded; a server that returns it all the same ignores the filter.
        if (!run || this.returnedIds.has(run.run_id)) throw error;
        this.addOversized(error, run);
      }
    }
  }

  private addOversized(error: PageTooBigError, run: ReturnType<typeof firstRunOf> & object): void {
    const { limit, total, prefix } = error.cut;
    const { run_id, experiment_id, start_time, record } = firstRunOf(prefix) ?? run;
    this.returnedIds.add(run_id);
    this.oversized.push({
      run_id,
      experiment_id,
      start_time,
      bytes: total ?? null,
      limit,
      date: error.cut.date,
      record: record || JSON.stringify({ info: { run_id } }),
    });
    this.options.heartbeat();
  }

  private async fetchPage(request: PageRequest, size: number): Promise<FetchedPage> {
    const origin = {
      ...request,
      previous: this.pages.at(-1)?.key ?? '',
      oversized: this.oversized.map(({ run_id }) => run_id),
    };
    const page = (await this.readStored(origin)) ?? (await this.requestPage(request, size, origin));
    for (const id of idsOf(page.info)) this.returnedIds.add(id);
    this.options.heartbeat();
    return page;
  }

  /** The stored response to this request; `undefined` if it is to be requested. */
  private async readStored(origin: PageOrigin): Promise<FetchedPage | undefined> {
    const page = this.isResuming ? this.options.stored?.find(origin) : undefined;
    const object = page && (await this.store.fetch(page.key));
    if (!object) {
      this.isResuming = false;
      return undefined;
    }
    const { size } = await stat(object.file);
    const info = await readPageInfo(this.session, object.file, size);
    this.bytes += size;
    this.pages.push({ ...page, runs: info.runs, bytes: size });
    return { info, response: page };
  }

  private async requestPage(
    { experiments, filter, excluded, token }: PageRequest,
    size: number,
    origin: PageOrigin,
  ): Promise<FetchedPage> {
    const file = this.session.tempFile('page.json');
    try {
      const query = {
        experiment_ids: experiments,
        filter: [filter, ...excluded.map((id) => `attributes.run_id != '${id}'`)]
          .filter(Boolean)
          .join(' AND '),
        max_results: size,
        ...(token === undefined ? {} : { page_token: token }),
      };
      const options = { failOnTimeout: this.size.shrinksOnTimeout };
      const { info, bytes, response } = await downloadPage(this.client, this.session, query, file, options);
      const { date, began } = response;
      this.bytes += bytes;
      this.size.grow(info.runs, response.bytes);
      if (info.runs > 0) {
        const key = pageKey(this.options.prefix, this.execution, this.pages.length, response, origin);
        await this.store.put(key, { file });
        this.pages.push({ key, date, began, runs: info.runs, bytes });
      }
      return { info, response };
    } finally {
      await unlink(file).catch(() => undefined);
    }
  }
}

const repeatedPages = (what: string, terms: readonly string[]): MonitorError =>
  new MonitorError('repeated_page', `A search of runs returned ${what}`, { terms });
