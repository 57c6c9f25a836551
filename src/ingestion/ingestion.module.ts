import { HttpModule, HttpService } from '@nestjs/axios';
import { Processor } from '@nestjs/bullmq';
import { Global, Inject, Injectable, Module } from '@nestjs/common';
import { CLOCK, type Clock, STOPPING } from '../config/runtime.js';
import { mlflowOptions, SETTINGS, type Settings } from '../config/settings.js';
import { ENGINE, type Engine, type HandlersOf } from '../pipeline/engine.js';
import { StageProcessor } from '../pipeline/stage.processor.js';
import { WORKER_OPTIONS } from '../queue/worker-options.js';
import { assertTrackingServer, SERVER_CLOCK } from '../state/tracking-server.js';
import { DUCK, type Duck, SCRATCH } from '../storage/duck.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { createPlan } from './create-plan.js';
import { fetchSlice } from './fetch-slice.js';
import type { MlflowClient } from './mlflow-api.js';
import { HttpMlflowClient, type MlflowClientOptions } from './mlflow-client.js';

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
export class TrackingServerCheck {
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
    await assertTrackingServer(this.store, experiments, uri, this.settings.ALLOW_SOURCE_CHANGE);
  }
}

@Processor('ingestion', WORKER_OPTIONS)
export class IngestionProcessor extends StageProcessor<'ingestion'> {
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
      plan: ({ record }) => createPlan({ store, client, clock, settings }, record),
      fetch: ({ record, plan, slice, heartbeat }) =>
        fetchSlice(
          { store, client, duck, scratch, heartbeat },
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
    TrackingServerCheck,
    IngestionProcessor,
  ],
  exports: [SERVER_CLOCK, TrackingServerCheck],
})
export class IngestionModule {}
