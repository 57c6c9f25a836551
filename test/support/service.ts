import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../../src/app.module.js';
import { loadSettings } from '../../src/config/settings.js';
import type { PipelineKind } from '../../src/domain/model.js';
import { ENGINE, type Engine } from '../../src/pipeline/engine.js';
import type { PipelineRun } from '../../src/pipeline/pipeline-run.js';
import { openResources, type Resources } from '../../src/resources.js';
import { borrowQueueConnection } from './shared-queue.js';

/** The service in this process on a folder of its own, listening on a free port; it makes no pipeline runs by itself. */
export interface TestService {
  readonly url: string;
  readonly app: INestApplication;
  readonly engine: Engine;
  readonly resources: Resources;
  /** Runs one pipeline run to its end. */
  run(kind: PipelineKind): Promise<PipelineRun>;
  close(): Promise<void>;
}

export interface TestServiceOptions {
  readonly trackingUri: string;
  /** Metadata and thresholds. */
  readonly catalog: object;
  readonly clock: () => number;
  readonly env?: Readonly<Record<string, string>>;
}

export async function startTestService(options: TestServiceOptions): Promise<TestService> {
  const folder = await mkdtemp(join(tmpdir(), 'service-'));
  const catalog = join(folder, 'catalog.json');
  await writeFile(catalog, JSON.stringify(options.catalog));
  const settings = loadSettings({
    MLFLOW_TRACKING_URI: options.trackingUri,
    METRICS_API_URL: `file:${catalog}`,
    THRESHOLDS_API_URL: `file:${catalog}`,
    STORAGE_DIR: join(folder, 'store'),
    MAX_RETRIES: '0',
    STAGE_TRIES: '1',
    PORT: '0',
    ...options.env,
  });
  const resources = await openResources(settings, options.clock, borrowQueueConnection);
  const app = await NestFactory.create(AppModule.register(resources, false), {
    logger: false,
    abortOnError: false,
  });
  await app.listen(0, '127.0.0.1');
  const engine = app.get<Engine>(ENGINE);
  let closed: Promise<void> | undefined;
  const close = async () => {
    await app.close();
    await resources.close();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    url: await app.getUrl(),
    app,
    engine,
    resources,
    async run(kind) {
      const finished = new Promise<PipelineRun>((resolve) => {
        const look = (record: PipelineRun) => {
          if (record.kind !== kind) return;
          engine.events.off('finished', look);
          resolve(record);
        };
        engine.events.on('finished', look);
      });
      await engine.create(kind, { scheduledAt: null });
      return finished;
    },
    close() {
      closed ??= close();
      return closed;
    },
  };
}
