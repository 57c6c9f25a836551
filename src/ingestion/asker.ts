import { randomUUID } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import type { AnswerTime } from '../domain/base-rule.js';
import { MonitorError } from '../domain/errors.js';
import type { Page } from '../pipeline/stages.js';
import { type DuckSession, sql } from '../storage/duck.js';
import type { ObjectStore } from '../storage/object-store.js';
import type { MlflowClient } from './mlflow.js';

export interface AskTools {
  readonly store: ObjectStore;
  readonly client: MlflowClient;
  readonly scratch: (name: string) => string;
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

/** Asks the questions of one execution of a slice: every answer goes to scratch as it came, under a key of its own. */
export class Asker {
  readonly pages: Page[] = [];
  readonly seen = new Set<string>();
  bytes = 0;
  private readonly execution = randomUUID().slice(0, 8);

  constructor(
    private readonly tools: AskTools,
    private readonly session: DuckSession,
    /** `_raw/<run>/<slice>` */
    private readonly prefix: string,
    private readonly pageSize: number,
  ) {}

  /**
   * Asks one question to its last page. Each page begins at the last start time of the one before, so that a run that
   * leaves between two pages shifts nothing; a token serves only inside equal times.
   * @param from ms; null: without a lower end
   */
  async ask(experiments: readonly string[], terms: readonly string[], from: number | null): Promise<void> {
    let cursor = from;
    let token: string | undefined;
    for (let n = 0; n < MAX_PAGES; n++) {
      const lower = cursor === null ? [] : [`attributes.start_time >= ${cursor}`];
      const { info } = await this.page(experiments, [...lower, ...terms].join(' AND '), token);
      if (info.token === null || info.runs === 0) return;
      if (info.last_start !== null && (cursor === null || info.last_start > cursor)) {
        cursor = info.last_start;
        token = undefined;
      } else {
        token = info.token;
      }
    }
    throw new MonitorError('too_many_pages', `A question has more than ${MAX_PAGES} pages`, { terms });
  }

  /** Asks for runs by name. @returns those that were not returned, with the time of the answer */
  async askFor(
    experiments: readonly string[],
    runIds: readonly string[],
  ): Promise<{ readonly run_id: string; readonly answer: AnswerTime }[]> {
    const missing: { run_id: string; answer: AnswerTime }[] = [];
    const size = Math.min(IDS_PER_QUESTION, this.pageSize);
    for (let at = 0; at < runIds.length; at += size) {
      const ids = runIds.slice(at, at + size);
      const list = ids.map((id) => `'${id}'`).join(',');
      const { info, answer } = await this.page(experiments, `attributes.run_id IN (${list})`, undefined);
      const returned = new Set(info.ids);
      for (const run_id of ids) if (!returned.has(run_id)) missing.push({ run_id, answer });
    }
    return missing;
  }

  private async page(
    experiments: readonly string[],
    filter: string,
    token: string | undefined,
  ): Promise<{ info: PageInfo; answer: AnswerTime }> {
    const { store, client, scratch } = this.tools;
    const file = scratch('page.json');
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
      for (const id of info.ids) if (id !== null) this.seen.add(id);
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
