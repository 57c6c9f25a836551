import { HttpModule, HttpService } from '@nestjs/axios';
import { Processor } from '@nestjs/bullmq';
import { Global, Inject, Injectable, Module } from '@nestjs/common';
import { mlflowOptions, type Settings } from '../config/settings.js';
import { CLOCK, type Clock, SETTINGS, STOPPING } from '../config/tokens.js';
import type { Engine, HandlersOf } from '../pipeline/engine.js';
import { StageWorker } from '../pipeline/stage-worker.js';
import { ENGINE, SCRATCH, SERVER_CLOCK } from '../pipeline/tokens.js';
import { WORKER_OPTIONS } from '../pipeline/worker-options.js';
import type { Duck } from '../storage/duck.js';
import type { ObjectStore } from '../storage/object-store.js';
import { DUCK, OBJECT_STORE } from '../storage/tokens.js';
import { fetchSlice } from './fetch-slice.js';
import type { MlflowClient } from './mlflow.js';
import { HttpMlflowClient, type MlflowClientOptions } from './mlflow-client.js';
import { makePlan } from './plan.js';
import { guardSource } from './source-guard.js';

const MLFLOW = Symbol('MLFLOW');
/** More than any page that MLflow makes: 50,000 runs with hundreds of metrics each. */
const MAX_PAGE_BYTES = 2 ** 30;

const clientOf = (
  http: HttpService,
  settings: Settings,
  special: Partial<MlflowClientOptions> = {},
): MlflowClient =>
  new HttpMlflowClient(http, { ...mlflowOptions(settings), maxPageBytes: MAX_PAGE_BYTES, ...special });

const START_CHECK = { maxRetries: 0, timeoutSeconds: 5 };

/** Refuses another tracking server than the one the store belongs to. Asks once: a start does not wait for a server that is down. */
@Injectable()
export class SourceCheck {
  private readonly client: MlflowClient;

  constructor(
    http: HttpService,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {
    this.client = clientOf(http, settings, START_CHECK);
  }

  /** @throws {MonitorError} `other_source`, or what keeps the tracking server from answering */
  async check(): Promise<void> {
    const { experiments } = await this.client.listExperiments();
    const { uri } = mlflowOptions(this.settings);
    await guardSource(this.store, experiments, uri, this.settings.ALLOW_SOURCE_CHANGE);
  }
}

@Processor('ingestion', WORKER_OPTIONS)
export class IngestionWorker extends StageWorker<'ingestion'> {
  protected readonly concurrency: number;
  protected readonly handlers: HandlersOf<'ingestion'>;

  constructor(
    @Inject(ENGINE) protected readonly engine: Engine,
    @Inject(OBJECT_STORE) store: ObjectStore,
    @Inject(DUCK) duck: Duck,
    @Inject(SCRATCH) scratch: (name: string) => string,
    @Inject(MLFLOW) client: MlflowClient,
    @Inject(SETTINGS) settings: Settings,
    @Inject(CLOCK) clock: Clock,
  ) {
    super();
    this.concurrency = settings.INGESTION_CONCURRENCY;
    this.handlers = {
      plan: ({ record }) => makePlan({ store, client, clock, settings }, record),
      fetch: ({ record, plan, slice, progressed }) =>
        fetchSlice(
          { store, client, duck, scratch, progressed },
          { runId: record.id, kind: record.kind, plan, slice },
        ),
    };
  }
}

@Global()
@Module({
  imports: [HttpModule],
  providers: [
    {
      provide: MLFLOW,
      inject: [HttpService, SETTINGS, STOPPING],
      useFactory: (http: HttpService, settings: Settings, stopping: AbortSignal) =>
        clientOf(http, settings, { stopping }),
    },
    {
      provide: SERVER_CLOCK,
      inject: [MLFLOW],
      useFactory: (client: MlflowClient) => async () => (await client.listExperiments()).date,
    },
    SourceCheck,
    IngestionWorker,
  ],
  exports: [SERVER_CLOCK, SourceCheck],
})
export class IngestionModule {}
