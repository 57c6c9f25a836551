import { type INestApplication, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../app.module.js';
import { createLogger } from '../config/logger.js';
import type { Settings } from '../config/settings.js';
import { MonitorError } from '../domain/errors.js';
import { SourceCheck } from '../ingestion/ingestion.module.js';
import { openResources } from '../resources.js';

/** Runs the service until SIGTERM or SIGINT: a running job then finishes or is handed back. */
export async function serve(settings: Settings): Promise<void> {
  const logger = createLogger(settings, process.stdout.isTTY === true);
  Logger.overrideLogger(logger);
  const resources = await openResources(settings);
  let app: INestApplication | undefined;
  try {
    app = await NestFactory.create(AppModule.register(resources, settings.ROLES.includes('scheduler')), {
      logger,
      abortOnError: false,
    });
    if (settings.ROLES.includes('worker')) await checkSource(app, new Logger('Service'));
    await app.listen(settings.PORT, settings.HOST);
  } catch (error) {
    await app?.close();
    await resources.close();
    throw error;
  }
  const log = new Logger('Service');
  log.log(
    `Watching ${settings.MLFLOW_TRACKING_URI.replace(/\/\/[^/@]*@/, '//')} into ${resources.store.description}; ${resources.queue.backend} queue`,
  );
  log.log(`The platform now: ${await app.getUrl()}/api/v1/platform/current`);
  const signal = await new Promise<string>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  log.log(`${signal}: running jobs are finished first`);
  await app.close();
  await resources.close();
}

/** Another tracking server is refused; one that is down is waited for. */
async function checkSource(app: INestApplication, log: Logger): Promise<void> {
  try {
    await app.get(SourceCheck, { strict: false }).check();
  } catch (error) {
    if (!(error instanceof MonitorError) || !error.retryable) throw error;
    log.warn(`${error.message}; it is asked again with every pipeline run`);
  }
}
