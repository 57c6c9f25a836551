import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../../src/app.module.js';
import { loadSettings } from '../../src/config/settings.js';
import { TrackingServer } from '../../src/demo/tracking-server.js';
import type { PipelineKind } from '../../src/domain/model.js';
import type { Engine } from '../../src/pipeline/engine.js';
import type { RunRecord } from '../../src/pipeline/run-record.js';
import { ENGINE } from '../../src/pipeline/tokens.js';
import { openResources, type Resources } from '../../src/resources.js';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const NOW = Date.parse('2026-03-10T15:30:00Z');
export const MIDNIGHT = Date.parse('2026-03-10T00:00:00Z');

export interface Outcome {
  readonly record: RunRecord;
  readonly resources: Resources;
}

/** The main job in this process, on a tracking server in memory. */
export class MainJob {
  private readonly folders: string[] = [];
  /** Both clocks, ms; each pipeline run begins a minute after the one before. */
  private now = NOW;

  private constructor(readonly mlflow: TrackingServer) {}

  static async start(): Promise<MainJob> {
    Logger.overrideLogger(false);
    const job: MainJob = new MainJob(await TrackingServer.start(() => job.now));
    return job;
  }

  async close(): Promise<void> {
    await this.mlflow.close();
    for (const folder of this.folders) await rm(folder, { recursive: true, force: true });
  }

  async newFolder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'main-job-'));
    this.folders.push(folder);
    const limits = { metric_name: 'accuracy', critical_threshold: 0.7, warning_threshold: 0.8 };
    await writeFile(join(folder, 'catalog.json'), JSON.stringify({ metrics: [], thresholds: [limits] }));
    return folder;
  }

  /** Runs one pipeline run on a folder, and looks at what it left before all is closed. */
  async run<T>(
    folder: string,
    kind: PipelineKind,
    env: Record<string, string>,
    look: (outcome: Outcome) => Promise<T>,
  ): Promise<T> {
    const settings = loadSettings({
      MLFLOW_TRACKING_URI: this.mlflow.uri,
      THRESHOLDS_API_URL: `file:${join(folder, 'catalog.json')}`,
      STORAGE_DIR: join(folder, 'store'),
      LOOKBACK_DAYS_HISTORICAL: '10',
      MAX_RETRIES: '0',
      STAGE_TRIES: '1',
      ROLES: 'worker',
      ...env,
    });
    this.now += 60_000;
    const resources = await openResources(settings, () => this.now);
    try {
      const app = await NestFactory.createApplicationContext(AppModule.register(resources, false), {
        logger: false,
        abortOnError: false,
      });
      const engine = app.get<Engine>(ENGINE);
      const finished = new Promise<RunRecord>((resolve) => {
        engine.events.on('finished', (record) => record.kind === kind && resolve(record));
      });
      await engine.create(kind, { nominal: null });
      const record = await finished;
      const result = await look({ record, resources });
      await app.close();
      return result;
    } finally {
      await resources.close();
    }
  }

  /** 120 runs of three applications over several days, in one order or the other. */
  seed(reversed = false): void {
    const experiment = this.mlflow.experiment('churn');
    const numbers = Array.from({ length: 120 }, (_, i) => (reversed ? 119 - i : i));
    for (const i of numbers) {
      // Many equal start times: more than a small page holds.
      const start = MIDNIGHT - 3 * DAY + Math.floor(i / 9) * 7 * HOUR;
      const value = i % 17 === 0 ? Number.NaN : [0.7, 0.65, 0.8, 0.9, 0.75][i % 5];
      this.mlflow.run({
        run_id: `run${String(i).padStart(4, '0')}`,
        experiment_id: experiment.experiment_id,
        start_time: Math.min(start, NOW - 1),
        // The first runs end after midnight of the next day.
        end_time: Math.min(start + 26 * HOUR, NOW),
        metrics: [
          { key: 'accuracy', value: value ?? 0, step: 1, timestamp: start },
          { key: 'loss', value: i / 10, step: 1, timestamp: start },
        ],
        tags: { application: `app-${i % 3}` },
      });
    }
  }
}

export const rowsOf = <T>(
  { resources }: Outcome,
  dataset: string,
  day: string,
  columns: string,
): Promise<T[]> =>
  resources.store
    .fetch(`${dataset}/${day}/part-0.parquet`)
    .then((stored) =>
      resources.duck.session((session) =>
        session.rows<T>(`SELECT ${columns} FROM read_parquet($file)`, { file: stored?.file ?? '' }),
      ),
    );

/** SHA-256 of every derived object. */
export async function derived({ resources }: Outcome): Promise<Record<string, string>> {
  const digests: Record<string, string> = {};
  for await (const { key } of resources.store.list('')) {
    if (key.startsWith('_') || key.startsWith('quarantine/')) continue;
    const file = await resources.store.fetch(key);
    digests[key] = createHash('sha256')
      .update(await readFile(file?.file ?? ''))
      .digest('hex');
  }
  return digests;
}
