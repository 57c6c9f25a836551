import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { domainSettings, loadSettings } from '../../../src/config/settings.js';
import { DATE_LAG_MS } from '../../../src/domain/merge-precedence.js';
import { enrichSlice } from '../../../src/enrichment/enrich-slice.js';
import type { FetchResult, Page } from '../../../src/pipeline/stage-contracts.js';
import { NO_DIRTY_DAYS } from '../../../src/state/dirty-days.js';
import { type OpenMlflowRun, readOpenMlflowRuns } from '../../../src/state/open-mlflow-runs.js';
import { EMPTY_QUERY, type Rulebook } from '../../../src/state/rulebook.js';
import { Duck } from '../../../src/storage/duck.js';
import { FolderStore } from '../../../src/storage/folder-store.js';
import { readFooter } from '../../../src/storage/footer.js';
import { baseKey, partitionKey } from '../../../src/storage/keys.js';

export const DAY = '2026-03-09';
export const START = Date.parse(`${DAY}T10:00:00Z`);
export const NOON = Date.parse('2026-03-10T12:00:00Z');
export const SECOND = 1000;
/** So much later than `NOON` that a response of this time was read after one of noon. */
export const LATER = NOON + DATE_LAG_MS + 10 * SECOND;

/** A run as MLflow sends it. */
export const run = (run_id: string, name: string, info: object = {}) => ({
  info: {
    run_id,
    run_name: name,
    experiment_id: '1',
    status: 'FINISHED',
    start_time: START,
    end_time: START + 60 * SECOND,
    lifecycle_stage: 'active',
    ...info,
  },
  data: { metrics: [], params: [], tags: [] },
});

export const gone = (run_id: string, date: number, day: string | null = DAY) => ({
  run_id,
  day,
  date,
  began: date - SECOND,
});

export interface BaseRow {
  run_id: string;
  run_name: string;
  lifecycle_stage: string;
  observed: number;
}

type Fetched = Partial<Pick<FetchResult, 'gone' | 'oversized'>> & {
  readonly pages?: readonly Promise<Page>[];
};

/** A folder store into which slices are merged. */
export class SliceStore {
  /** The open MLflow runs that the last call of `enrich` added. */
  opened: readonly Omit<OpenMlflowRun, 'token'>[] = [];
  /** The tracking server's clock, and how often it was requested. */
  serverNow = NOON;
  clockRequests = 0;
  private pages = 0;
  private slices = 0;

  private constructor(
    private readonly folder: string,
    private readonly duck: Duck,
    private readonly store: FolderStore,
  ) {}

  static async open(): Promise<SliceStore> {
    const folder = await mkdtemp(join(tmpdir(), 'enrich-slice-'));
    return new SliceStore(folder, await Duck.open(folder), await FolderStore.open({ dir: folder }));
  }

  async close(): Promise<void> {
    this.duck.close();
    await this.store.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A page that MLflow sent at `date`, one second after the request began. */
  async page(date: number, ...runs: object[]): Promise<Page> {
    const key = `_raw/r/s/${this.pages++}.json`;
    const body = Buffer.from(JSON.stringify({ runs }));
    await this.store.put(key, body);
    return { key, date, began: date - SECOND, runs: runs.length, bytes: body.length };
  }

  /** Enriches a slice with these pages. */
  async enrich(
    fetched: Fetched,
    plannedOpenRuns: readonly string[] = [],
    readUntil?: Parameters<typeof enrichSlice>[4]['readUntil'],
  ) {
    const settings = domainSettings(loadSettings({ MLFLOW_TRACKING_URI: 'http://mlflow' }));
    const book: Rulebook = {
      version: 1,
      asked: EMPTY_QUERY,
      entries: [],
      settings: [{ first_day: null, settings }],
    };
    const clock = async () => {
      this.clockRequests++;
      return this.serverNow;
    };
    await this.store.delete('_state/open-runs.json');
    const pages = await Promise.all(fetched.pages ?? []);
    const result = await enrichSlice(this.store, this.duck, { rulebookFor: async () => book }, clock, {
      pipelineRunId: `delta-${++this.slices}`,
      sliceId: 's',
      dirty: NO_DIRTY_DAYS,
      fetched: { gone: [], answered: ['1'], refused: [], bytes: 0, ...fetched, pages },
      plannedOpenRuns: new Set(plannedOpenRuns),
      readUntil,
      heartbeat: () => undefined,
    });
    this.opened = (await readOpenMlflowRuns(this.store)).map(({ token: _, ...open }) => open);
    return result;
  }

  /** The rows of a statement on an object, which it names `$file`. */
  async rows<T>(key: string, statement: string): Promise<T[]> {
    const stored = await this.store.fetch(key);
    return this.duck.session((session) => session.rows<T>(statement, { file: stored?.file ?? '' }));
  }

  base(): Promise<BaseRow[]> {
    return this.rows(
      baseKey(DAY),
      `SELECT run_id, run_name, lifecycle_stage, epoch_ms(observed_at)::DOUBLE AS observed
       FROM read_parquet($file) ORDER BY run_id`,
    );
  }

  /** The ids of the published runs. */
  async published(): Promise<string[]> {
    const statement = 'SELECT run_id FROM read_parquet($file) ORDER BY run_id';
    const rows = await this.rows<{ run_id: string }>(partitionKey('runs', DAY), statement);
    return rows.map(({ run_id }) => run_id);
  }

  /** The content digest that the base names. */
  async contentOfBase(): Promise<string | undefined> {
    const stored = await this.store.fetch(baseKey(DAY));
    return this.duck.session((session) => readFooter(session, stored?.file ?? '', 'content'));
  }

  headOfBase() {
    return this.store.head(baseKey(DAY));
  }

  async deleteBase(): Promise<void> {
    await this.store.delete(baseKey(DAY));
  }
}
