import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { Duck } from '../../../src/storage/duck.js';
import { type CommandResult, runInProcess, runProgram } from '../../support/command.js';
import { type OpenService, openService } from '../../support/open-service.js';

const DAY = 86_400_000;
const FIRST = Date.parse('2026-02-01T12:00:00Z');
/** The days of all runs, as options of `backfill`. */
export const WEEK = ['--from', '2026-02-01', '--to', '2026-02-07'] as const;

type Env = Readonly<Record<string, string>>;

/** A tracking server with 140 runs, 20 on each day of `WEEK`, and commands that run against it in an empty folder. */
export class Commands {
  private constructor(
    readonly mlflow: TrackingServer,
    readonly folder: string,
    /** The settings of all commands. */
    readonly env: Env,
  ) {}

  static async open(): Promise<Commands> {
    Logger.overrideLogger(false);
    const mlflow = await TrackingServer.start();
    const { experiment_id } = mlflow.experiment('churn');
    for (let i = 0; i < 140; i++) {
      const start_time = FIRST + (i % 7) * DAY + i;
      const metric = (key: string, value: number) => ({ key, value, step: 0, timestamp: start_time });
      mlflow.run({
        experiment_id,
        start_time,
        metrics: [
          metric('accuracy', i === 3 ? Number.NaN : 0.9 + (i % 50) / 1000),
          metric('entropy', i),
          ...(i < 7 ? [metric('rare_loss', i)] : []),
        ],
      });
    }
    const folder = await mkdtemp(join(tmpdir(), 'commands-'));
    const env = { MLFLOW_TRACKING_URI: mlflow.uri, STORAGE_DIR: join(folder, 'store'), MAX_RETRIES: '0' };
    return new Commands(mlflow, folder, env);
  }

  /** Runs a command to its end in this process. @param more settings, with precedence over `env` */
  run(args: readonly string[], more: Env = {}): Promise<CommandResult> {
    return runInProcess(args, { env: { ...this.env, ...more }, cwd: this.folder });
  }

  /** Runs a command as a process of its own, for tests of just that: each costs a second or more of CPU. */
  runProgram(args: readonly string[]): Promise<CommandResult> {
    return runProgram(args, { env: this.env, cwd: this.folder });
  }

  openService(more: Env = {}): Promise<OpenService> {
    const env = { ...this.env, ...more };
    return openService({ trackingUri: this.mlflow.uri, catalog: null, http: true, env });
  }

  /** A service that has published the week. */
  async openServiceWithHistory(): Promise<OpenService> {
    const service = await this.openService();
    await service.requestAsAdmin('POST', '/api/v1/admin/backfills', {
      body: { from: '2026-02-01', to: '2026-02-07' },
    });
    expect((await service.finished('backfill-1')).status).toBe('done');
    return service;
  }

  /** The number of published runs per status of a metric, of one application or of all. */
  async statuses(metric: string, application = ''): Promise<Record<string, number>> {
    const duck = await Duck.open(join(this.folder, 'store'), { temp: join(this.folder, 'temp') });
    const rows = await duck.session((session) =>
      session.rows<{ status: string; runs: number }>(
        'SELECT status, count(*)::INTEGER AS runs FROM read_parquet($files) WHERE metric_name = $metric AND application LIKE $application GROUP BY status',
        {
          files: [join(this.folder, 'store/enriched_metrics/**/*.parquet')],
          metric,
          application: application || '%',
        },
      ),
    );
    duck.close();
    return Object.fromEntries(rows.map(({ status, runs }) => [status, runs]));
  }

  async close(): Promise<void> {
    await this.mlflow.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
