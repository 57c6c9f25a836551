import { HttpModule, HttpService } from '@nestjs/axios';
import { type DynamicModule, Module } from '@nestjs/common';
import { CLOCK, type Clock, STOPPING } from '../config/runtime.js';
import { SETTINGS, type Settings } from '../config/settings.js';
import { createMlflowClient } from '../ingestion/mlflow-client.js';
import { readRulebook } from '../state/rulebook.js';
import { readRunTimes } from '../state/run-times.js';
import { DUCK, type Duck } from '../storage/duck.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { createRules } from './gate-rules.js';
import { GATE_SOURCE, type GateSource } from './load-run.js';
import { TagWritebackService } from './tag-writeback.service.js';
import { VerdictsController } from './verdicts.controller.js';

/** Verdicts on request, and as tags of model versions. */
@Module({})
export class GateModule {
  /** @param serves whether this process serves HTTP @param writesTags whether it writes tags */
  static register(serves: boolean, writesTags: boolean): DynamicModule {
    return {
      module: GateModule,
      imports: [HttpModule],
      controllers: serves ? [VerdictsController] : [],
      providers: [
        {
          provide: GATE_SOURCE,
          inject: [HttpService, SETTINGS, STOPPING, OBJECT_STORE, DUCK, CLOCK],
          useFactory: (
            http: HttpService,
            settings: Settings,
            stopping: AbortSignal,
            store: ObjectStore,
            duck: Duck,
            clock: Clock,
          ): GateSource => ({
            // Someone waits for the response: an upstream that is down is reported at once, not after all retries.
            client: createMlflowClient(http, settings, { stopping, maxRetries: 1 }),
            duck,
            rulebook: createRules(http, settings, () => readRulebook(store), clock),
            runTimes: () => readRunTimes(store),
          }),
        },
        ...(writesTags ? [TagWritebackService] : []),
      ],
    };
  }
}
