import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SingleBar } from 'cli-progress';
import { AppModule } from '../app.module.js';
import { createLogger } from '../config/logger.js';
import type { Settings } from '../config/settings.js';
import type { PipelineKind } from '../domain/model.js';
import type { Engine } from '../pipeline/engine.js';
import { summarizeRun } from '../pipeline/finish.js';
import { Markers } from '../pipeline/markers.js';
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
  Logger.overrideLogger(logger);
  const resources = await openResources({ ...settings, ROLES: ['worker'] });
  try {
    const module = AppModule.register({ ...resources, settings: { ...settings, ROLES: ['worker'] } }, false);
    const app = await NestFactory.createApplicationContext(module, { logger, abortOnError: false });
    const begun = resources.clock();
    const record = await follow(app.get<Engine>(ENGINE), kind);
    const summary = await summarizeRun(new Markers(resources.store, record.id));
    const seconds = ((resources.clock() - begun) / 1000).toFixed(1);
    const { runs, metrics, quarantined, partitions_written, partitions_unchanged } = summary;
    console.log(
      `${record.id} ${record.status}: ${runs} runs, ${metrics} metrics, ${quarantined} quarantined, ` +
        `${partitions_written} partitions written, ${partitions_unchanged} unchanged, ${seconds} s`,
    );
    for (const { experiment_id, message } of record.refused) {
      console.log(`experiment ${experiment_id} lags: ${message}`);
    }
    if (record.error) console.error(`${record.error.slice}.${record.error.stage}: ${record.error.message}`);
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
