import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type InjectionToken, Logger } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { AppModule } from '../../src/app.module.js';
import { loadSettings } from '../../src/config/settings.js';
import type { PipelineKind, Window } from '../../src/domain/model.js';
import { ENGINE, type Engine } from '../../src/pipeline/engine.js';
import type { PipelineRun } from '../../src/pipeline/pipeline-run.js';
import { openResources, type Resources } from '../../src/resources.js';
import { readFooter } from '../../src/storage/footer.js';
import { borrowQueueConnection } from './shared-queue.js';

/** `accuracy`: critical under 0.7, warning under 0.8. */
const CATALOG = {
  metrics: [],
  thresholds: [{ metric_name: 'accuracy', critical_threshold: 0.7, warning_threshold: 0.8 }],
};

export interface PipelineOptions {
  readonly uri: string;
  /** Our clock, ms. */
  readonly clock: () => number;
  /** An existing one goes on with its store; by default a new one, which is removed when the pipeline is closed. */
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What takes the place of providers. */
  readonly instead?: ReadonlyMap<InjectionToken, unknown>;
}

/** The service's workers in this process, without its schedule: pipeline runs begin when a test says so. */
export class Pipeline {
  private constructor(
    readonly folder: string,
    readonly resources: Resources,
    readonly app: TestingModule,
    private readonly temporary: boolean,
  ) {}

  static async open({ uri, clock, folder, env, instead }: PipelineOptions): Promise<Pipeline> {
    const home = folder ?? (await mkdtemp(join(tmpdir(), 'pipeline-')));
    const catalog = join(home, 'catalog.json');
    await writeFile(catalog, JSON.stringify(CATALOG));
    const settings = loadSettings({
      MLFLOW_TRACKING_URI: uri,
      METRICS_API_URL: `file:${catalog}`,
      THRESHOLDS_API_URL: `file:${catalog}`,
      STORAGE_DIR: join(home, 'store'),
      LOOKBACK_DAYS_HISTORICAL: '10',
      MAX_RETRIES: '0',
      STAGE_TRIES: '1',
      ROLES: 'worker',
      ...env,
    });
    const resources = await openResources(settings, clock, borrowQueueConnection);
    try {
      const builder = Test.createTestingModule({ imports: [AppModule.register(resources, false)] });
      for (const [token, value] of instead ?? []) builder.overrideProvider(token).useValue(value);
      const app = await builder.compile();
      // After `compile`, which sets a logger of its own.
      Logger.overrideLogger(false);
      await app.init();
      return new Pipeline(home, resources, app, folder === undefined);
    } catch (error) {
      await resources.close();
      throw error;
    }
  }

  get engine(): Engine {
    return this.app.get<Engine>(ENGINE);
  }

  /** Runs one pipeline run to its end. */
  async run(kind: PipelineKind, window?: Window): Promise<PipelineRun> {
    const ended: PipelineRun[] = [];
    let look: () => void = () => undefined;
    const listen = (record: PipelineRun) => {
      ended.push(record);
      look();
    };
    this.engine.events.on('finished', listen);
    try {
      const id = await this.engine.create(kind, { scheduledAt: null, ...(window ? { window } : {}) });
      return await new Promise<PipelineRun>((resolve) => {
        look = () => {
          const record = ended.find((each) => each.id === id);
          if (record) resolve(record);
        };
        look();
      });
    } finally {
      this.engine.events.off('finished', listen);
    }
  }

  /** The next end of a pipeline run of the kind that somebody else begins. */
  async ended(kind: PipelineKind): Promise<PipelineRun> {
    for (;;) {
      const [record]: PipelineRun[] = await once(this.engine.events, 'finished');
      if (record?.kind === kind) return record;
    }
  }

  /** Puts another catalog in the place of the file. */
  async writeCatalog(thresholds: readonly object[], metrics: readonly object[] = []): Promise<void> {
    await writeFile(join(this.folder, 'catalog.json'), JSON.stringify({ metrics, thresholds }));
  }

  /** @param day `YYYY/MM/DD` */
  async rows<T>(dataset: string, day: string, columns: string, where = 'true'): Promise<T[]> {
    const stored = await this.resources.store.fetch(`${dataset}/${day}/part-0.parquet`);
    if (!stored) throw new Error(`There is no ${dataset} of ${day}`);
    return this.resources.duck.session((session) =>
      session.rows<T>(`SELECT ${columns} FROM read_parquet($file) WHERE ${where}`, { file: stored.file }),
    );
  }

  /** SHA-256 of every derived object, and the content digest of every base object. */
  digests(): Promise<Record<string, string>> {
    return digestsOf(this.resources);
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.resources.close();
    if (this.temporary) await rm(this.folder, { recursive: true, force: true });
  }
}

/** SHA-256 of every derived object of a store, and the content digest of every base object. */
export async function digestsOf({
  store,
  duck,
}: Pick<Resources, 'store' | 'duck'>): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for await (const { key } of store.list('')) {
    const isBase = key.startsWith('_base/');
    if (/^(quarantine|threshold_changes)\//.test(key) || (key.startsWith('_') && !isBase)) continue;
    const file = (await store.fetch(key))?.file ?? '';
    digests[key] = isBase
      ? ((await duck.session((session) => readFooter(session, file, 'content'))) ?? 'none')
      : createHash('sha256')
          .update(await readFile(file))
          .digest('hex');
  }
  return digests;
}
