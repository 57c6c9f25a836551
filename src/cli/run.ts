import { NestFactory } from '@nestjs/core';
import { SingleBar } from 'cli-progress';
import { AppModule } from '../app.module.js';
import { createLogger } from '../config/logger.js';
import type { Settings } from '../config/settings.js';
import type { PipelineKind } from '../domain/model.js';
import type { Engine } from '../pipeline/engine.js';
import { describeRun } from '../pipeline/finish.js';
import type { RunRecord } from '../pipeline/run-record.js';
import { ENGINE } from '../pipeline/tokens.js';
import { openResources } from '../resources.js';

const DISPATCH_MS = 60_000;

/**
 * Runs one pipeline run to its end in this process and prints what it did.
 * @returns whether it succeeded
 */
export async function runOnce(settings: Settings, kind: PipelineKind): Promise<boolean> {
  const logger = createLogger({ ...settings, LOG_LEVEL: 'warn' }, process.stdout.isTTY === true);
  const resources = await openResources({ ...settings, ROLES: ['worker'] });
  try {
    const module = AppModule.register({ ...resources, settings: { ...settings, ROLES: ['worker'] } }, false);
    const app = await NestFactory.createApplicationContext(module, { logger, abortOnError: false });
    const record = await follow(app.get<Engine>(ENGINE), kind);
    // One that failed has been logged as an error.
    if (record.status === 'done') console.log(describeRun(record));
    await app.close();
    return record.status === 'done';
  } finally {
    await resources.close();
  }
}

/** A bar on a terminal, lines elsewhere. */
async function follow(engine: Engine, kind: PipelineKind): Promise<RunRecord> {
  let wanted: string | undefined;
  const bar = process.stdout.isTTY ? new SingleBar({ format: '{bar} {value}/{total} {run}' }) : undefined;
  const ended: RunRecord[] = [];
  const finished = new Promise<RunRecord>((resolve) => {
    engine.events.on('finished', (record) => {
      ended.push(record);
      if (record.id === wanted) resolve(record);
    });
  });
  let shown = '';
  bar?.start(1, 0, { run: kind });
  engine.events.on('progress', (run, done, all) => {
    bar?.setTotal(all);
    bar?.update(done, { run });
    const line = `${run}: ${done} of ${all} steps`;
    if (!bar && line !== shown) console.log(line);
    shown = line;
  });
  const timer = setInterval(() => engine.dispatch().catch(() => undefined), DISPATCH_MS);
  try {
    wanted = await engine.create(kind, { nominal: null });
    return ended.find(({ id }) => id === wanted) ?? (await finished);
  } finally {
    clearInterval(timer);
    bar?.stop();
  }
}
