import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrackingServer } from '../../src/demo/tracking-server.js';
import { dayOfKey } from '../../src/storage/keys.js';
import { ACCURACY_CATALOG, type OpenService, openService } from './open-service.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The time at which the first day is published, ms. */
export const START = Date.parse('2026-03-01T15:30:00Z');
/** The datasets that have several objects per day, but for `_base`. */
export const BY_APPLICATION = [
  'runs',
  'enriched_metrics',
  'metric_timeseries',
  'metric_forecast',
  'application_summary',
  '_sums',
  '_tails',
];
const VALUES = [0.7, 0.65, 0.8, 0.9, 0.75, Number.NaN, 0.1 + 0.2];

/** A tracking server with applications that come from runs, experiments and names, and a service that follows it. */
export class PartitionScenario {
  now = START;
  catalog: object = ACCURACY_CATALOG;
  private runs = 0;
  private readonly experiments: string[];
  private folder = '';

  private constructor(readonly mlflow: TrackingServer) {
    this.experiments = [
      mlflow.experiment('churn').experiment_id,
      mlflow.experiment('fraud', { application: 'payments' }).experiment_id,
      mlflow.experiment('pricing é😀').experiment_id,
    ];
  }

  static async open(): Promise<PartitionScenario> {
    const scenario: PartitionScenario[] = [];
    const mlflow = await TrackingServer.start(() => scenario[0]?.now ?? START);
    const opened = new PartitionScenario(mlflow);
    scenario.push(opened);
    opened.folder = await mkdtemp(join(tmpdir(), 'partition-files-'));
    return opened;
  }

  async close(): Promise<void> {
    await this.mlflow.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** A process with this setting. */
  async withService<T>(files: number, work: (service: OpenService) => Promise<T>): Promise<T> {
    const service = await openService({
      trackingUri: this.mlflow.uri,
      clock: () => this.now,
      folder: this.folder,
      catalog: this.catalog,
      env: { PARTITION_FILES: `${files}`, LOOKBACK_DAYS_HISTORICAL: '4' },
    });
    try {
      return await work(service);
    } finally {
      await service.close();
    }
  }

  addRun(start_time: number, application?: string): string {
    const i = this.runs++;
    const run_id = `run${String(i).padStart(4, '0')}`;
    const own = application ?? (i % 3 === 0 ? `app-${i % 7}` : undefined);
    this.mlflow.run({
      run_id,
      experiment_id: this.experiments[i % 3] ?? '',
      start_time,
      end_time: start_time + 1_000,
      status: i % 13 === 5 ? 'FAILED' : 'FINISHED',
      metrics: ['accuracy', `loss-${i % 4}`].map((key, n) => ({
        key,
        value: VALUES[(i + n) % VALUES.length] ?? 0,
        step: n,
        timestamp: start_time,
      })),
      params: { depth: `${i % 5}` },
      tags: {
        ...(own === undefined ? {} : { application: own }),
        ...(i % 11 === 4 ? { 'mlflow.parentRunId': 'run0001' } : {}),
      },
    });
    return run_id;
  }

  change(run_id: string, changes: object): void {
    Object.assign(this.mlflow.runs.get(run_id) ?? {}, changes);
  }

  /** A day with runs at several hours, a late run, late metrics, another application, and runs that are deleted or purged. */
  addDay(): void {
    this.now += DAY;
    for (let i = 0; i < 9; i++) this.addRun(this.now - (i + 1) * HOUR);
    this.addRun(this.now - 2 * DAY - HOUR);
    const run = (back: number) => `run${String(this.runs - back).padStart(4, '0')}`;
    const accuracy = { key: 'accuracy', value: 0.5 + this.runs / 1_000, step: 0, timestamp: this.now };
    this.change(run(13), { metrics: [accuracy] });
    this.change(run(15), { tags: { application: `moved-${this.runs % 2}` } });
    this.change(run(17), { lifecycle_stage: 'deleted' });
    this.mlflow.runs.delete(run(19));
  }
}

/** Resolves when the pipeline run has succeeded. */
export const done = async (run: ReturnType<OpenService['run']>) =>
  expect(await run).toMatchObject({ status: 'done', error: null });

/** The ETags of the objects of days, by key. */
export async function keysOf({ resources: { store } }: OpenService): Promise<Map<string, string>> {
  const etags = new Map<string, string>();
  for await (const { key, etag } of store.list('')) if (dayOfKey(key)) etags.set(key, etag);
  return etags;
}
