import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../app.module.js';
import type { UnfollowedVariable } from '../config/client-variables.js';
import type { Settings } from '../config/settings.js';
import type { PipelineKind } from '../domain/model.js';
import { createLogger } from '../observability/logger.js';
import { describePipelineRun } from '../pipeline/complete-run.js';
import { DISPATCH_PERIOD_MS, ENGINE, type Engine } from '../pipeline/engine.js';
import { type PipelineRun, readPipelineRun } from '../pipeline/pipeline-run.js';
import { openResources, type Resources } from '../resources.js';
import type { ObjectStore } from '../storage/object-store.js';
import { showProgress } from './progress.js';
import { warnUnfollowed } from './unfollowed.js';

/** Stores the pipeline run to execute. @returns its id */
export type CreateRun = (engine: Engine, resources: Resources) => Promise<string | undefined>;

/**
 * Executes one pipeline run in this process and prints its summary.
 * @param notFollowed what is in the environment but not followed
 * @returns whether it succeeded
 */
export async function runOnce(
  settings: Settings,
  kind: PipelineKind,
  createRun: CreateRun = (engine) => engine.create(kind, { scheduledAt: null }),
  notFollowed: readonly UnfollowedVariable[] = [],
): Promise<boolean> {
  const logger = createLogger({ ...settings, LOG_LEVEL: 'warn' }, process.stdout.isTTY === true);
  Logger.overrideLogger(logger);
  warnUnfollowed(notFollowed, new Logger('Service'));
  const resources = await openResources({ ...settings, ROLES: ['worker'] });
  try {
    const module = AppModule.register({ ...resources, settings: { ...settings, ROLES: ['worker'] } }, false);
    const app = await NestFactory.createApplicationContext(module, { logger, abortOnError: false });
    const engine = app.get<Engine>(ENGINE);
    const pipelineRun = await executeRun(engine, resources.store, kind, () => createRun(engine, resources));
    // The engine logs a failed run as an error.
    if (pipelineRun.status === 'done') console.log(describePipelineRun(pipelineRun));
    await app.close();
    return pipelineRun.status === 'done';
  } finally {
    await resources.close();
  }
}

/** How often the record is read: another process may close the pipeline run, ms. */
export const RECORD_PERIOD_MS = 2_000;

/**
 * Stores a pipeline run and waits until it is finished, here or in another process of the store.
 * @returns its final record
 */
export async function executeRun(
  engine: Pick<Engine, 'events' | 'dispatch'>,
  store: ObjectStore,
  kind: PipelineKind,
  createRun: () => Promise<string | undefined>,
): Promise<PipelineRun> {
  let runId: string | undefined;
  const progress = showProgress(kind);
  // The run may finish before its id is known here; an older run may finish first.
  const finishedRuns: PipelineRun[] = [];
  let resolveFinished: (pipelineRun: PipelineRun) => void = () => undefined;
  const finished = new Promise<PipelineRun>((resolve) => {
    resolveFinished = resolve;
  });
  engine.events.on('finished', (pipelineRun) => {
    finishedRuns.push(pipelineRun);
    if (pipelineRun.id === runId) resolveFinished(pipelineRun);
  });
  engine.events.on('progress', (id, done, all) => progress.show(id, done, all, 'steps'));
  const readRecord = async () => {
    const record = runId === undefined ? undefined : await readPipelineRun(store, runId);
    if (record && record.status !== 'active') resolveFinished(record);
  };
  const timers = [
    setInterval(() => engine.dispatch().catch(() => undefined), DISPATCH_PERIOD_MS),
    setInterval(() => readRecord().catch(() => undefined), RECORD_PERIOD_MS),
  ];
  try {
    runId = await createRun();
    return finishedRuns.find(({ id }) => id === runId) ?? (await finished);
  } finally {
    for (const timer of timers) clearInterval(timer);
    progress.stop();
  }
}
