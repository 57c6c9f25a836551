import { setTimeout as wait } from 'node:timers/promises';
import { type INestApplication, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../app.module.js';
import type { UnfollowedVariable } from '../config/client-variables.js';
import { mlflowOptions, type Settings } from '../config/settings.js';
import { PlatformView } from '../dashboard/platform-view.js';
import { errorMessage, MonitorError } from '../domain/errors.js';
import { LOCAL_ADMIN } from '../http/admin-tokens.js';
import { LoginCodes } from '../http/login-codes.js';
import { TrackingServerCheck } from '../ingestion/tracking-server-check.service.js';
import { createLogger } from '../observability/logger.js';
import { SchedulerService } from '../pipeline/scheduler.service.js';
import { describePrefix, type QueueConnection } from '../queue/queue-connection.js';
import { openResources, type Resources } from '../resources.js';
import { brokenKeyOf } from '../storage/json-document.js';
import { holdPort, releasePort } from './startup-server.js';

const MAX_PAGE_MS = 5_000;

/** A running service that accepts requests. */
export interface Service {
  readonly app: INestApplication;
  readonly resources: Resources;
  /** Resolves with SIGTERM or SIGINT. Signals are handled from the moment the resources are open. */
  readonly stopped: Promise<NodeJS.Signals>;
  /** Lets running jobs finish, or returns them to the queue. */
  close(): Promise<void>;
}

/**
 * @param open opens the resources of the service
 * @throws {MonitorError} `port_taken`, and the errors of `open`; everything is closed again then
 */
export async function startService(
  settings: Settings,
  open: (settings: Settings) => Promise<Resources> = openResources,
): Promise<Service> {
  // The port comes first: a start that fails later would already have opened the store and begun a pipeline run.
  const placeholder = await holdPort(settings.PORT, settings.HOST);
  const logger = createLogger(settings, process.stdout.isTTY === true);
  Logger.overrideLogger(logger);
  let resources: Resources | undefined;
  let app: INestApplication | undefined;
  const close = async () => {
    resources?.stopping.abort();
    await releasePort(placeholder);
    await app?.close();
    await resources?.close();
  };
  try {
    resources = await open(settings);
    // Before the application starts, because pipeline runs begin while it does.
    const stopped = stopSignal();
    app = await NestFactory.create(AppModule.register(resources, settings.ROLES.includes('scheduler')), {
      logger,
      abortOnError: false,
    });
    if (settings.ROLES.includes('api')) {
      const { serveOpenApi } = await import('../admin/open-api.js');
      serveOpenApi(app);
    }
    if (settings.ROLES.includes('worker')) await checkTrackingServer(app, new Logger('Service'));
    await app.init();
    await releasePort(placeholder);
    await app.listen(settings.PORT, settings.HOST);
    // Somebody may wait for the page; the pipeline run of the start takes many times as long.
    if (settings.ROLES.includes('api')) await loadPage(app);
    if (settings.ROLES.includes('scheduler')) await app.get(SchedulerService).start();
    return { app, resources, stopped, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Runs the service until SIGTERM or SIGINT.
 * @param notFollowed what is in the environment but not followed
 */
export async function serve(settings: Settings, notFollowed: readonly UnfollowedVariable[]): Promise<void> {
  const { app, resources, stopped, close } = await startService(settings);
  const log = new Logger('Service');
  for (const { name, advice } of notFollowed) log.warn(`${name} is not followed. ${advice}.`);
  log.log(
    `Monitoring ${mlflowOptions(settings).uri} (store: ${resources.store.description}, queue: ${resources.queue.backend})`,
  );
  await logOtherInstallations(resources.queue, log);
  if (settings.ROLES.includes('api')) log.log(`Page: ${await app.getUrl()}/`);
  const adminLink = await adminLinkOf({ app, resources });
  // Not to the log, which others may read.
  if (adminLink && process.stdout.isTTY)
    console.log(`Sign in as admin (works once, for 15 minutes): ${adminLink}`);
  const signal = await stopped;
  log.log(`${signal} received: finishing running jobs`);
  await close();
}

/** A link that signs a browser in as an admin; `undefined` if the tokens are those of `ADMIN_TOKEN_SHA256_FILE`. */
export async function adminLinkOf({
  app,
  resources: { settings },
}: Pick<Service, 'app' | 'resources'>): Promise<string | undefined> {
  if (settings.ADMIN_TOKEN_SHA256_FILE || !settings.ROLES.includes('api')) return undefined;
  const path = app.get(LoginCodes, { strict: false }).createPath(LOCAL_ADMIN);
  return new URL(path, await app.getUrl()).href;
}

/** An operator who expects a Redis of its own sees here that it is shared. */
async function logOtherInstallations(queue: QueueConnection, log: Logger): Promise<void> {
  try {
    const others = await queue.otherPrefixes();
    if (others.length === 0) return;
    const { prefix } = queue.options;
    log.log(
      `Redis has queues of other installations: ${others.map(describePrefix).join(', ')}. This one: ${prefix}`,
    );
  } catch (error) {
    log.warn(`Cannot list the installations on Redis: ${errorMessage(error)}`);
  }
}

/** Fills the cache of the page. A store that is slow or damaged delays the pipeline runs no longer than `MAX_PAGE_MS`. */
async function loadPage(app: INestApplication): Promise<void> {
  const page = app.get(PlatformView, { strict: false }).current();
  await Promise.race([page.catch(() => undefined), wait(MAX_PAGE_MS, undefined, { ref: false })]);
}

/** Resolves with the first SIGTERM or SIGINT. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
}

/** Stops the start if the store belongs to another tracking server; one that is down only causes a warning. */
async function checkTrackingServer(app: INestApplication, log: Logger): Promise<void> {
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
