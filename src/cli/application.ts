import { setTimeout as delay } from 'node:timers/promises';
import { type INestApplication, type Logger, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { serveOpenApi } from '../admin/open-api.js';
import { AppModule } from '../app.module.js';
import { PlatformView } from '../dashboard/platform-view.js';
import { errorMessage, MonitorError } from '../domain/errors.js';
import { TrackingServerCheck } from '../ingestion/tracking-server-check.service.js';
import { SchedulerService } from '../pipeline/scheduler.service.js';
import type { Resources } from '../resources.js';
import { brokenKeyOf } from '../storage/json-document.js';

const MAX_PAGE_MS = 5_000;

/** The application of the service over what is opened. It is not initialized and listens to nothing. */
export async function createApplication(
  resources: Resources,
  logger: LoggerService,
): Promise<INestApplication> {
  const { ROLES } = resources.settings;
  const app = await NestFactory.create(AppModule.register(resources, ROLES.includes('scheduler')), {
    logger,
    abortOnError: false,
  });
  if (ROLES.includes('api')) serveOpenApi(app);
  return app;
}

/** Fills the cache of the page. A store that is slow or damaged delays the pipeline runs no longer than `MAX_PAGE_MS`. */
export async function loadPage(app: INestApplication): Promise<void> {
  const page = app.get(PlatformView, { strict: false }).current();
  await Promise.race([page.catch(() => undefined), delay(MAX_PAGE_MS, undefined, { ref: false })]);
}

/** Stops the start if the store belongs to another tracking server; one that is down only causes a warning. */
export async function checkTrackingServer(app: INestApplication, log: Logger): Promise<void> {
  try {
    await app.get(TrackingServerCheck, { strict: false }).check();
  } catch (error) {
    // A document that is invalid fails each plan, and `/health` names it: the page must be up to show this.
    if (brokenKeyOf(error) !== undefined) {
      log.error(errorMessage(error));
      return;
    }
    if (!(error instanceof MonitorError) || !error.retryable) throw error;
    log.warn(`${errorMessage(error)}. No new data until the tracking server is available.`);
  }
}

/** Creates the pipeline run of the start and those by schedule. */
export const startScheduler = (app: INestApplication): Promise<void> => app.get(SchedulerService).start();
