import { HttpModule, HttpService } from '@nestjs/axios';
import { Global, Module } from '@nestjs/common';
import { STOPPING } from '../config/runtime.js';
import { SETTINGS, type Settings } from '../config/settings.js';
import { SERVER_CLOCK } from '../state/tracking-server.js';
import { IngestionProcessor } from './ingestion.processor.js';
import { MLFLOW_CLIENT, type MlflowClient } from './mlflow-api.js';
import { createMlflowClient } from './mlflow-client.js';
import { TrackingServerCheck } from './tracking-server-check.service.js';

@Global()
@Module({
  imports: [HttpModule],
  providers: [
    {
      provide: MLFLOW_CLIENT,
      inject: [HttpService, SETTINGS, STOPPING],
      useFactory: (http: HttpService, settings: Settings, stopping: AbortSignal) =>
        createMlflowClient(http, settings, { stopping }),
    },
    {
      provide: SERVER_CLOCK,
      inject: [MLFLOW_CLIENT],
      useFactory: (client: MlflowClient) => () => client.serverTime(),
    },
    TrackingServerCheck,
    IngestionProcessor,
  ],
  exports: [SERVER_CLOCK, TrackingServerCheck],
})
export class IngestionModule {}
