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

/** Stores the pipeline run to execute. @returns its id */
export type CreateRun = (engine: Engine, resources: Resources) => Promise<string | undefined>;

/**
 * Executes one pipeline run in this process and prints its summary.
 * @returns whether it succeeded
 */
export async function runOnce(
  settings: Settings,
  kind: PipelineKind,
  createRun: CreateRun = (engine) => engine.create(kind, { scheduledAt: null }),
): Promise<boolean> {
  const logger = createLogger({ ...settings, LOG_LEVEL: 'warn' }, process.stdout.isTTY === true);
  Logger.overrideLogger(logger);
  const resources = await openResources({ ...settings, ROLES: ['worker'] });
  try {
    const module = AppModule.register({ ...resources, settings: { ...settings, ROLES: ['worker'] } }, false);
    const app = await NestFactory.createApplicationContext(module, { logger, abortOnError: false });
    const engine = app.get<Engine>(ENGINE);
    const pipelineRun = await executeRun(engine, kind, () => createRun(engine, resources));
    // The engine logs a failed run as an error.
    if (pipelineRun.status === 'done') console.log(describePipelineRun(pipelineRun));
    await app.close();
    return pipelineRun.status === 'done';
  } finally {
    await resources.close();
  }
}

async function executeRun(
  engine: Engine,
  kind: PipelineKind,
  createRun: () => Promise<string | undefined>,
): Promise<PipelineRun> {
  let runId: string | undefined;
  const progress = showProgress(kind);
  // The run may finish before its id is known here; an older run may finish first.
  const finishedRuns: PipelineRun[] = [];
  const finished = new Promise<PipelineRun>((resolve) => {
    engine.events.on('finished', (pipelineRun) => {
      finishedRuns.push(pipelineRun);
      if (pipelineRun.id === runId) resolve(pipelineRun);
    });
  });
  engine.events.on('progress', (id, done, all) => progress.show(id, done, all, 'steps'));
  const timer = setInterval(() => engine.dispatch().catch(() => undefined), DISPATCH_PERIOD_MS);
  try {
    runId = await createRun();
    return finishedRuns.find(({ id }) => id === runId) ?? (await finished);
  } finally {
    clearInterval(timer);
    progress.stop();
  }
}
