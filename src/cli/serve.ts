import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type INestApplication, Logger } from '@nestjs/common';
import type { UnfollowedVariable } from '../config/client-variables.js';
import { mlflowOptions, type Settings } from '../config/settings.js';
import { errorMessage } from '../domain/errors.js';
import { checkTokenFile, LOCAL_ADMIN } from '../http/admin-tokens.js';
import { LoginCodes } from '../http/login-codes.js';
import { createLogger } from '../observability/logger.js';
import { openQueueConnection } from '../queue/open-queue.js';
import { describePrefix, type QueueConnection } from '../queue/queue-connection.js';
import { openResources, type Resources } from '../resources.js';
import { holdPort, releasePort } from './startup-server.js';
import { takeStopSignal } from './stop-signals.js';
import { warnUnfollowed } from './unfollowed.js';

/** How long a start that was interrupted may take to close what it has opened. */
const MAX_INTERRUPTED_MS = 5_000;

/** A running service that accepts requests. */
export interface Service {
  readonly app: INestApplication;
  readonly resources: Resources;
  /** Resolves with SIGTERM or SIGINT. */
  readonly stopped: Promise<NodeJS.Signals>;
  /** Lets running jobs finish, or returns them to the queue. */
  close(): Promise<void>;
}

type Open = (settings: Settings, stop: AbortSignal) => Promise<Resources>;
const openAll: Open = (settings, stop) => openResources(settings, Date.now, openQueueConnection, stop);

/**
 * @param open opens the resources of the service, unless the signal aborts
 * @returns `undefined` if SIGTERM or SIGINT came during the start; everything is closed again then
 * @throws {MonitorError} `port_taken`, `token_file`, and the errors of `open`; everything is closed again then
 */
export async function startService(settings: Settings, open: Open = openAll): Promise<Service | undefined> {
  const { signal: stop, release } = takeStopSignal();
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    stop.addEventListener('abort', () => resolve(stop.reason));
  });
  const interrupted = stopped.then((signal) => Promise.reject(new Error(signal)));
  interrupted.catch(() => undefined);
  const unlessStopped = <T>(step: Promise<T>): Promise<T> => Promise.race([step, interrupted]);
  const logger = createLogger(settings, process.stdout.isTTY === true);
  Logger.overrideLogger(logger);
  let placeholder: Server | undefined;
  let resources: Resources | undefined;
  let app: INestApplication | undefined;
  let isInitialized = false;
  const close = async () => {
    resources?.stopping.abort();
    if (placeholder) await releasePort(placeholder);
    try {
      // Before, there is nothing to end, and BullMQ complains about it.
      if (isInitialized) await app?.close();
    } finally {
      await resources?.close();
    }
  };
  try {
    // The port comes first: a start that fails later would already have opened the store and begun a pipeline run.
    placeholder = await holdPort(settings.PORT, settings.HOST);
    if (settings.ROLES.includes('api')) await checkTokenFile(settings.ADMIN_TOKEN_SHA256_FILE);
    // Opening waits for responses most of the time. The application is loaded meanwhile.
    const loading = import('./application.js');
    loading.catch(() => undefined);
    // Not left behind at a signal, for it closes what it has opened.
    resources = await untilInterrupted(stop, (starting) => open(settings, starting));
    const application = await unlessStopped(loading);
    app = await unlessStopped(application.createApplication(resources, logger));
    if (settings.ROLES.includes('worker'))
      await unlessStopped(application.checkTrackingServer(app, new Logger('Service')));
    await unlessStopped(app.init());
    isInitialized = true;
    await releasePort(placeholder);
    await unlessStopped(app.listen(settings.PORT, settings.HOST));
    // Somebody may wait for the page; the pipeline run of the start takes many times as long.
    if (settings.ROLES.includes('api')) await unlessStopped(application.loadPage(app));
    if (settings.ROLES.includes('scheduler')) await unlessStopped(application.startScheduler(app));
    return { app, resources, stopped, close };
  } catch (error) {
    if (!stop.aborted) {
      release();
      await close();
      throw error;
    }
    new Logger('Service').log(`${stop.reason} received: the start is interrupted`);
    await Promise.race([close().catch(() => undefined), delay(MAX_INTERRUPTED_MS)]);
    return undefined;
  }
}

/**
 * Runs a step that ends by itself when its signal aborts.
 * @param stop aborts that signal during the step only
 * @throws {Error} if it has not ended a while after the signal
 */
async function untilInterrupted<T>(stop: AbortSignal, step: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const during = new AbortController();
  const done = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const onStop = () => {
      during.abort(stop.reason);
      timer = setTimeout(() => reject(new Error(`${stop.reason}`)), MAX_INTERRUPTED_MS);
    };
    if (stop.aborted) onStop();
    else stop.addEventListener('abort', onStop, { once: true, signal: done.signal });
  });
  try {
    return await Promise.race([step(during.signal), late]);
  } finally {
    done.abort();
    clearTimeout(timer);
  }
}

/**
 * Runs the service until SIGTERM or SIGINT.
 * @param notFollowed what is in the environment but not followed
 */
export async function serve(settings: Settings, notFollowed: readonly UnfollowedVariable[]): Promise<void> {
  const service = await startService(settings);
  if (!service) return;
  const { app, resources, stopped, close } = service;
  const log = new Logger('Service');
  warnUnfollowed(notFollowed, log);
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
