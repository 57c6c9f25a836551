import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type INestApplication, type InjectionToken, Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { serveOpenApi } from '../../src/admin/open-api.js';
import { AppModule } from '../../src/app.module.js';
import { loadSettings } from '../../src/config/settings.js';
import type { PipelineKind, Window } from '../../src/domain/model.js';
import { localTokenFile } from '../../src/http/admin-tokens.js';
import { ENGINE, type Engine } from '../../src/pipeline/engine.js';
import { type PipelineRun, readPipelineRun } from '../../src/pipeline/pipeline-run.js';
import { SchedulerService } from '../../src/pipeline/scheduler.service.js';
import { openResources, type Resources } from '../../src/resources.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import { digestsOf } from './digests.js';
import { type HttpResponse, httpRequest, type RequestOptions } from './http-request.js';
import { borrowQueueConnection } from './shared-queue.js';

/** `accuracy`: critical below 0.7, warning below 0.8. */
export const ACCURACY_CATALOG = {
  metrics: [],
  thresholds: [{ metric_name: 'accuracy', critical_threshold: 0.7, warning_threshold: 0.8 }],
};

export interface ServiceOptions {
  readonly trackingUri: string;
  /** The service's clock, ms; also that of the header `Date`, which the page follows. */
  readonly clock?: () => number;
  /** An existing folder continues with its store; by default a new one, which `close` removes. */
  readonly folder?: string;
  /** Written to a file that serves metadata and thresholds; null: no catalog is configured. */
  readonly catalog?: object | null;
  /** Settings, with precedence over the harness's: no retries, one attempt per stage, a history of 10 days. */
  readonly env?: Readonly<Record<string, string>>;
  /** Listens on a free loopback port, whatever `HOST` says, in all roles. Without it, only the workers run. */
  readonly http?: boolean;
  /** Starts pipeline runs on schedule. Without it, only the test starts them. */
  readonly scheduled?: boolean;
  /** Replaces the store by another access to it. */
  readonly wrapStore?: (store: ObjectStore) => ObjectStore;
  /** Values that replace providers. */
  readonly overrides?: ReadonlyMap<InjectionToken, unknown>;
}

/** The service inside the test process. */
export interface OpenService {
  readonly folder: string;
  readonly app: INestApplication;
  readonly engine: Engine;
  readonly resources: Resources;
  /** Address of the HTTP server, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  request(method: string, path: string, options?: RequestOptions): Promise<HttpResponse>;
  /** A request with the admin token that the service has created. */
  requestAsAdmin(method: string, path: string, options?: RequestOptions): Promise<HttpResponse>;
  /** Creates a pipeline run and resolves with its record once it has finished. */
  run(kind: PipelineKind, window?: Window): Promise<PipelineRun>;
  /** Resolves with the record of this pipeline run once it has finished. */
  finished(id: string): Promise<PipelineRun>;
  /** Resolves with the next pipeline run of a kind that finishes, requested by the test or scheduled. */
  nextFinished(kind: PipelineKind): Promise<PipelineRun>;
  /** Resolves once this many steps of the pipeline run are done; call it before they can be. */
  stepsDone(id: string, steps: number): Promise<void>;
  /** Replaces the content of the catalog file by this value as JSON. */
  writeCatalog(content: unknown): Promise<void>;
  /** Rows of a published object. @param day `YYYY/MM/DD` */
  rows<T>(dataset: string, day: string, columns: string, where?: string): Promise<T[]>;
  /** SHA-256 of every derived object, and the content digest of every base object. */
  digests(): Promise<Record<string, string>>;
  /** Stops the service; its store stays open. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

export async function openService(options: ServiceOptions): Promise<OpenService> {
  const { trackingUri, clock = Date.now, catalog = ACCURACY_CATALOG, env, http = false } = options;
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'service-')));
  const catalogFile = join(folder, 'catalog.json');
  const writeCatalog = (content: unknown) => writeFile(catalogFile, JSON.stringify(content));
  if (catalog) await writeCatalog(catalog);
  const settings = loadSettings({
    MLFLOW_TRACKING_URI: trackingUri,
    ...(catalog ? { METRICS_API_URL: `file:${catalogFile}`, THRESHOLDS_API_URL: `file:${catalogFile}` } : {}),
    STORAGE_DIR: join(folder, 'store'),
    MAX_RETRIES: '0',
    STAGE_TRIES: '1',
    PORT: '0',
    ...(http ? {} : { LOOKBACK_DAYS_HISTORICAL: '10', ROLES: 'worker' }),
    ...env,
  });
  const opened = await openResources(settings, clock, borrowQueueConnection);
  const resources = { ...opened, store: options.wrapStore?.(opened.store) ?? opened.store };
  let app: INestApplication;
  try {
    app = await createApplication(resources, options);
  } catch (error) {
    await resources.close();
    throw error;
  }
  const engine = app.get<Engine>(ENGINE);
  const url = http ? await app.getUrl() : '';
  const port = http ? Number(new URL(url).port) : 0;
  let stopped: Promise<void> | undefined;
  let closed: Promise<void> | undefined;
  const stop = () => {
    stopped ??= app.close();
    return stopped;
  };
  const close = async () => {
    await stop();
    await resources.close();
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
  };
  return {
    folder,
    app,
    engine,
    resources,
    url,
    port,
    request: (method, path, requestOptions) => httpRequest(port, method, path, requestOptions),
    requestAsAdmin: async (method, path, options = {}) => {
      const token = (await readFile(localTokenFile(settings.STORAGE_DIR), 'utf8')).trim();
      const headers = { authorization: `Bearer ${token}`, ...options.headers };
      return httpRequest(port, method, path, { ...options, headers });
    },
    run: (kind, window) => runToEnd(engine, kind, window),
    finished: (id) =>
      new Promise((resolve, reject) => {
        engine.events.on('finished', (record) => record.id === id && resolve(record));
        readPipelineRun(resources.store, id).then((record) => {
          if (record && record.status !== 'active') resolve(record);
        }, reject);
      }),
    nextFinished: (kind) =>
      new Promise((resolve) => {
        const onFinished = (record: PipelineRun) => {
          if (record.kind !== kind) return;
          engine.events.off('finished', onFinished);
          resolve(record);
        };
        engine.events.on('finished', onFinished);
      }),
    stepsDone: (id, steps) =>
      new Promise((resolve) => {
        engine.events.on('progress', (run, done) => run === id && done >= steps && resolve());
      }),
    writeCatalog,
    async rows<T>(dataset: string, day: string, columns: string, where = 'true') {
      const stored = await resources.store.fetch(`${dataset}/${day}/part-0.parquet`);
      if (!stored) throw new Error(`There is no ${dataset} of ${day}`);
      return resources.duck.session((session) =>
        session.rows<T>(`SELECT ${columns} FROM read_parquet($file) WHERE ${where}`, { file: stored.file }),
      );
    },
    digests: () => digestsOf(resources),
    stop,
    close() {
      closed ??= close();
      return closed;
    },
  };
}

async function createApplication(
  resources: Resources,
  { http = false, scheduled = false, overrides }: ServiceOptions,
): Promise<INestApplication> {
  const builder = Test.createTestingModule({ imports: [AppModule.register(resources, scheduled)] });
  for (const [token, value] of overrides ?? []) builder.overrideProvider(token).useValue(value);
  const app = (await builder.compile()).createNestApplication({ logger: false, abortOnError: false });
  // After `compile`, which sets a logger.
  Logger.overrideLogger(false);
  try {
    app.use((_: IncomingMessage, response: ServerResponse, next: () => void) => {
      response.setHeader('Date', new Date(resources.clock()).toUTCString());
      next();
    });
    if (http && resources.settings.ROLES.includes('api')) serveOpenApi(app);
    await (http ? app.listen(0, '127.0.0.1') : app.init());
    if (scheduled) await app.get(SchedulerService).start();
    return app;
  } catch (error) {
    await app.close();
    throw error;
  }
}

async function runToEnd(engine: Engine, kind: PipelineKind, window?: Window): Promise<PipelineRun> {
  const ended: PipelineRun[] = [];
  let check: () => void = () => undefined;
  const onFinished = (record: PipelineRun) => {
    ended.push(record);
    check();
  };
  engine.events.on('finished', onFinished);
  try {
    const id = await engine.create(kind, { scheduledAt: null, ...(window ? { window } : {}) });
    return await new Promise<PipelineRun>((resolve) => {
      check = () => {
        const record = ended.find((each) => each.id === id);
        if (record) resolve(record);
      };
      check();
    });
  } finally {
    engine.events.off('finished', onFinished);
  }
}
