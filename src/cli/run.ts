import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../app.module.js';
import type { Settings } from '../config/settings.js';
import type { PipelineKind } from '../domain/model.js';
import { createLogger } from '../observability/logger.js';
import { describePipelineRun } from '../pipeline/complete-run.js';
import { DISPATCH_PERIOD_MS, ENGINE, type Engine } from '../pipeline/engine.js';
import type { PipelineRun } from '../pipeline/pipeline-run.js';
import { openResources, type Resources } from '../resources.js';
import { showProgress } from './progress.js';

/** Stores the run that is to be done. @returns its id */
export type Begin = (engine: Engine, resources: Resources) => Promise<string | undefined>;

/**
 * Runs one pipeline run to its end in this process and prints what it did.
 * @returns whether it succeeded
 */
export async function runOnce(
  settings: Settings,
  kind: PipelineKind,
  begin: Begin = (engine) => engine.create(kind, { scheduledAt: null }),
): Promise<boolean> {
  const logger = createLogger({ ...settings, LOG_LEVEL: 'warn' }, process.stdout.isTTY === true);
  Logger.overrideLogger(logger);
  const resources = await openResources({ ...settings, ROLES: ['worker'] });
  try {
    const module = AppModule.register({ ...resources, settings: { ...settings, ROLES: ['worker'] } }, false);
    const app = await NestFactory.createApplicationContext(module, { logger, abortOnError: false });
    const engine = app.get<Engine>(ENGINE);
    const record = await follow(engine, kind, () => begin(engine, resources));
    // One that failed has been logged as an error.
    if (record.status === 'done') console.log(describePipelineRun(record));
    await app.close();
    return record.status === 'done';
  } finally {
    await resources.close();
  }
}

async function follow(
  engine: Engine,
  kind: PipelineKind,
  begin: () => Promise<string | undefined>,
): Promise<PipelineRun> {
  let wanted: string | undefined;
  const progress = showProgress(kind);
  const ended: PipelineRun[] = [];
  const finished = new Promise<PipelineRun>((resolve) => {
    engine.events.on('finished', (record) => {
      ended.push(record);
      if (record.id === wanted) resolve(record);
    });
  });
  engine.events.on('progress', (run, done, all) => progress.show(run, done, all, 'steps'));
  const timer = setInterval(() => engine.dispatch().catch(() => undefined), DISPATCH_PERIOD_MS);
  try {
    wanted = await begin();
    return ended.find(({ id }) => id === wanted) ?? (await finished);
  } finally {
    clearInterval(timer);
    progress.stop();
  }
}
