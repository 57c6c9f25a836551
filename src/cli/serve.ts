import { type INestApplication, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../app.module.js';
import { mlflowOptions, type Settings } from '../config/settings.js';
import { MonitorError } from '../domain/errors.js';
import { TrackingServerCheck } from '../ingestion/tracking-server-check.service.js';
import { createLogger } from '../observability/logger.js';
import { openResources, type Resources } from '../resources.js';
import { holdPort, releasePort } from './startup-server.js';

/** The service, listening. */
export interface Service {
  readonly app: INestApplication;
  readonly resources: Resources;
  /** SIGTERM or SIGINT, heard from the moment at which there is something to end in order. */
  readonly stopped: Promise<NodeJS.Signals>;
  /** Running jobs are finished first, or handed back. */
  close(): Promise<void>;
}

/**
 * @param open what the service works with
 * @throws {MonitorError} `port_taken` and what `open` refuses; nothing stays open then
 */
export async function startService(
  settings: Settings,
  open: (settings: Settings) => Promise<Resources> = openResources,
): Promise<Service> {
  // Taken first: afterwards there would be a store to open, a queue, and a pipeline run under way.
  const starting = await holdPort(settings.PORT, settings.HOST);
  const logger = createLogger(settings, process.stdout.isTTY === true);
  Logger.overrideLogger(logger);
  let resources: Resources | undefined;
  let app: INestApplication | undefined;
  const close = async () => {
    resources?.stopping.abort();
    await releasePort(starting);
    await app?.close();
    await resources?.close();
  };
  try {
    resources = await open(settings);
    // While the application starts, pipeline runs begin already.
    const stopped = stopSignal();
    app = await NestFactory.create(AppModule.register(resources, settings.ROLES.includes('scheduler')), {
      logger,
      abortOnError: false,
    });
    if (settings.ROLES.includes('api')) {
      const { serveOpenApi } = await import('../admin/open-api.js');
      serveOpenApi(app);
    }
    if (settings.ROLES.includes('worker')) await checkSource(app, new Logger('Service'));
    await app.init();
    await releasePort(starting);
    await app.listen(settings.PORT, settings.HOST);
    return { app, resources, stopped, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Runs the service until SIGTERM or SIGINT. */
export async function serve(settings: Settings): Promise<void> {
  const { app, resources, stopped, close } = await startService(settings);
  const log = new Logger('Service');
  log.log(
    `Watching ${mlflowOptions(settings).uri} into ${resources.store.description}; ${resources.queue.backend} queue`,
  );
  if (settings.ROLES.includes('api')) log.log(`The page: ${await app.getUrl()}/`);
  const signal = await stopped;
  log.log(`${signal}: running jobs are finished first`);
  await close();
}

/** Waits until the process is told to stop. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
}

/** Another tracking server is refused; one that is down is waited for. */
async function checkSource(app: INestApplication, log: Logger): Promise<void> {
  try {
    await app.get(TrackingServerCheck, { strict: false }).check();
  } catch (error) {
    if (!(error instanceof MonitorError) || !error.retryable) throw error;
    log.warn(`${error.message}. Nothing new is read until it does.`);
  }
}
