import { HttpService } from '@nestjs/axios';
import { Inject, Injectable } from '@nestjs/common';
import { mlflowOptions, SETTINGS, type Settings } from '../config/settings.js';
import { assertTrackingServer } from '../state/tracking-server.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import type { MlflowClient } from './mlflow-api.js';
import { createMlflowClient } from './mlflow-client.js';

/** One attempt: a tracking server that is down does not keep the service from starting. */
const START_CHECK = { maxRetries: 0, timeoutSeconds: 5 };

/** Checks at start that the store belongs to the configured tracking server. */
@Injectable()
export class TrackingServerCheck {
  private readonly client: MlflowClient;

  constructor(
    http: HttpService,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {
    this.client = createMlflowClient(http, settings, START_CHECK);
  }

  /** @throws {MonitorError} `other_source` if it does not, or the error of the request to the tracking server */
  async check(): Promise<void> {
    const { experiments } = await this.client.listExperiments();
    const { source } = mlflowOptions(this.settings);
    await assertTrackingServer(this.store, experiments, source, this.settings.ALLOW_SOURCE_CHANGE);
  }
}
