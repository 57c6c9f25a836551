import { Processor } from '@nestjs/bullmq';
import { Inject } from '@nestjs/common';
import { CLOCK, type Clock } from '../config/runtime.js';
import { SETTINGS, type Settings } from '../config/settings.js';
import { ENGINE, type Engine } from '../pipeline/engine.js';
import { StageProcessor } from '../pipeline/stage.processor.js';
import type { HandlersOf } from '../pipeline/stage-execution.js';
import { WORKER_OPTIONS } from '../queue/worker-options.js';
import { JudgingSettings } from '../state/judging-settings.js';
import { DUCK, type Duck } from '../storage/duck.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { createPlan } from './create-plan.js';
import { fetchSlice } from './fetch-slice.js';
import { MLFLOW_CLIENT, type MlflowClient } from './mlflow-api.js';

/** Processes the queue `ingestion`: plans pipeline runs and downloads their slices. */
@Processor('ingestion', WORKER_OPTIONS)
export class IngestionProcessor extends StageProcessor<'ingestion'> {
  protected readonly concurrency: number;
  protected readonly handlers: HandlersOf<'ingestion'>;

  constructor(
    @Inject(ENGINE) protected readonly engine: Engine,
    @Inject(OBJECT_STORE) store: ObjectStore,
    @Inject(DUCK) duck: Duck,
    @Inject(MLFLOW_CLIENT) client: MlflowClient,
    @Inject(SETTINGS) settings: Settings,
    @Inject(CLOCK) clock: Clock,
    judging: JudgingSettings,
  ) {
    super();
    this.concurrency = settings.INGESTION_CONCURRENCY;
    this.handlers = {
      plan: ({ record }) => createPlan({ store, duck, client, settings, clock, judging }, record),
      fetch: ({ record, plan, slice, heartbeat }) =>
        fetchSlice(store, client, duck, {
          pipelineRunId: record.id,
          kind: record.kind,
          plan,
          slice,
          heartbeat,
        }),
    };
  }
}
