import { randomUUID } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { MonitorError } from '../domain/errors.js';
import type { ResponseTime } from '../domain/merge-precedence.js';
import type { Page } from '../pipeline/stage-contracts.js';
import { type DuckSession, sql } from '../storage/duck.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { MlflowClient } from './mlflow-api.js';

export interface RunSearchTools {
  readonly store: ObjectStore;
  readonly client: MlflowClient;
  /** Called after each page. */
  readonly heartbeat: () => void;
}

interface PageInfo {
  runs: number;
  ids: (string | null)[];
  last_start: number | null;
  token: string | null;
}

/** No question of one slice has more pages; a server that always names another one is stopped here. */
const MAX_PAGES = 100_000;
/** Ids in one `IN`: the filter stays far below what servers take. */
const IDS_PER_QUESTION = 100;

/** What may stand between the quotes of a filter; a run of another name is quarantined. */
const RUN_ID = /^[A-Za-z0-9_-]{1,64}$/;
const idsOf = ({ ids }: PageInfo): string[] => ids.filter((id) => id !== null);

/** Asks the questions of one execution of a slice: every answer goes to scratch as it came, under a key of its own. */
export class RunSearch {
  readonly pages: Page[] = [];
  readonly seen = new Set<string>();
  bytes = 0;
  private readonly execution = randomUUID().slice(0, 8);

  constructor(
    private readonly tools: RunSearchTools,
    private readonly session: DuckSession,
    /** `_raw/<run>/<slice>` */
    private readonly prefix: string,
    private readonly pageSize: number,
  ) {}

  /**
   * Asks one question to its last page. Each page begins at the last start time of the one before, so that a run that
   * leaves between two pages shifts nothing. A token serves only inside equal times; where one of their runs has left
   * meanwhile, the token may have passed over another, and these times are read again.
   * @param from ms; null: without a lower end
   */
  async search(experiments: readonly string[], terms: readonly string[], from: number | null): Promise<void> {
    let cursor = from;
    let token: string | undefined;
    /** The runs read since the cursor moved. */
    let tied: string[] = [];
    for (let n = 0; n < MAX_PAGES; n++) {
      const lower = cursor === null ? [] : [`attributes.start_time >= ${cursor}`];
      const { info } = await this.page(experiments, [...lower, ...terms].join(' AND '), token);
      tied.push(...idsOf(info).filter((id) => RUN_ID.test(id)));
      const last = info.token === null || info.runs === 0;
      const moves = info.last_start !== null && (cursor === null || info.last_start > cursor);
      if (!last && !moves) {
        token = info.token ?? undefined;
        continue;
      }
      const whole = token === undefined || (await this.findByIds(experiments, tied)).length === 0;
      if (whole && last) return;
      if (whole) cursor = info.last_start;
      token = undefined;
      tied = [];
    }
    throw new MonitorError('too_many_pages', `A question has more than ${MAX_PAGES} pages`, { terms });
  }

  /** Asks for runs by name. @returns those that were not returned, with the time of the answer */
  async findByIds(
    experiments: readonly string[],
    runIds: readonly string[],
  ): Promise<{ readonly run_id: string; readonly answer: ResponseTime }[]> {
    const missing: { run_id: string; answer: ResponseTime }[] = [];
    const size = Math.min(IDS_PER_QUESTION, this.pageSize);
    for (let at = 0; at < runIds.length; at += size) {
      let ids = runIds.slice(at, at + size);
      while (ids.length > 0) {
        const list = ids.map((id) => `'${id}'`).join(',');
        const { info, answer } = await this.page(experiments, `attributes.run_id IN (${list})`, undefined);
        const returned = new Set(info.ids);
        const left = ids.filter((id) => !returned.has(id));
        // A page may hold fewer runs than were asked for; only a last one says what is not there.
        const last = info.token === null || left.length === ids.length;
        if (last) missing.push(...left.map((run_id) => ({ run_id, answer })));
        ids = last ? [] : left;
      }
    }
    return missing;
  }

  private async page(
    experiments: readonly string[],
    filter: string,
    token: string | undefined,
  ): Promise<{ info: PageInfo; answer: ResponseTime }> {
    const { store, client, heartbeat } = this.tools;
    const file = this.session.tempFile('page.json');
    try {
      const answer = await client.searchRuns(
        {
          experiment_ids: experiments,
          filter,
          max_results: this.pageSize,
          ...(token === undefined ? {} : { page_token: token }),
        },
        file,
      );
      const info = await this.read(file, answer.bytes);
      for (const id of idsOf(info)) this.seen.add(id);
      this.bytes += answer.bytes;
      if (info.runs > 0) {
        const key = `${this.prefix}/${this.execution}-${this.pages.length}.json`;
        await store.put(key, { file });
        this.pages.push({
          key,
          date: answer.date,
          began: answer.began,
          runs: info.runs,
          bytes: answer.bytes,
        });
      }
      heartbeat();
      return { info, answer };
    } finally {
      await unlink(file).catch(() => undefined);
    }
  }

  private async read(file: string, bytes: number): Promise<PageInfo> {
    try {
      const [info] = await this.session.rows<PageInfo>(sql(import.meta.url, './sql/page_info.sql'), {
        file,
        bytes,
      });
      if (info) return info;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new MonitorError(
        'mlflow_not_json',
        `A page of runs is not what MLflow sends: ${reason}`,
        {},
        true,
        {
          cause: error,
        },
      );
    }
    throw new MonitorError('mlflow_not_json', 'A page of runs is empty', {}, true);
  }
}
