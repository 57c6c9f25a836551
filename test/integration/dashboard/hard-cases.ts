import type { ReadApi } from '../../../src/dashboard/contract/read-api.js';
import { READ_API } from '../../../src/dashboard/contract/read-api.js';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { type OpenService, openService } from '../../support/open-service.js';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const NOW = Date.parse('2026-03-10T15:30:00Z');

/** Names that break a path, a table, a page or a spreadsheet. */
export const HOSTILE = 'fraud/scoring 100% ☂ "x" <b>&\'\\';
export const FORMULA = '=HYPERLINK("http://evil.example")';
/** Applications, each with one run, whose names would mean something else in a path. */
export const SPECIAL = ['..', 'admin', '__proto__', 'a?b#c', '\u202egnp.exe'];

const CATALOG = {
  metrics: [
    {
      metric_name: 'recall',
      display_name: 'Recall',
      higher_is_better: true,
      unit: '%',
      description: 'found',
    },
    { metric_name: 'flat_ms', higher_is_better: false, unit: 'ms' },
  ],
  thresholds: [
    { metric_name: 'recall', critical_threshold: 70, warning_threshold: 80, updated_by: 'ada' },
    { metric_name: 'flat_ms', critical_threshold: 9, updated_at: '2026-01-02T03:04:05.678901Z' },
    { metric_name: 'single', critical_threshold: 1, warning_threshold: 2 },
  ],
};

/** A service that has read a company with hard cases, all of them before `NOW`. */
export interface HardCases {
  readonly service: OpenService;
  readonly mlflow: TrackingServer;
  /** Sends a request and checks the response against its schema. */
  read<Path extends keyof ReadApi>(
    path: Path,
    query: ReadApi[Path]['query'],
  ): Promise<ReadApi[Path]['response']>;
  get(path: string, query: Record<string, string>, headers?: Record<string, string>): Promise<Response>;
  /** Rows of all days of a dataset. */
  rows<T>(dataset: string, columns: string, rest?: string): Promise<T[]>;
  /** Sets the service's clock, ms. */
  setNow(now: number): void;
  close(): Promise<void>;
}

export async function openHardCases(): Promise<HardCases> {
  let now = NOW;
  const mlflow = await TrackingServer.start(() => now);
  fill(mlflow);
  const service = await openService({
    http: true,
    trackingUri: mlflow.uri,
    catalog: CATALOG,
    clock: () => now,
    env: { CATALOG_CACHE_TTL_SECONDS: '0' },
  });
  await service.run('bootstrap');
  const get = (path: string, query: Record<string, string>, headers: Record<string, string> = {}) =>
    fetch(`${service.url}${path}?${new URLSearchParams(query)}`, { headers });
  return {
    service,
    mlflow,
    get,
    async read(path, query) {
      const texts = Object.entries(query).map(([name, value]) => [name, String(value)]);
      const response = await get(path, Object.fromEntries(texts));
      const body = await response.json();
      if (response.status !== 200) throw new Error(`${response.status} ${JSON.stringify(body)}`);
      // Strict, so that a field without a description in the schema is found.
      return READ_API[path].response.strict().parse(body) as never;
    },
    async rows<T>(dataset: string, columns: string, rest = '') {
      const files = `${service.folder}/store/${dataset}/*/*/*/*.parquet`;
      return service.resources.duck.session((session) =>
        session.rows<T>(`SELECT ${columns} FROM read_parquet($files) ${rest}`, { files }),
      );
    },
    setNow(to) {
      now = to;
    },
    async close() {
      await service.close();
      await mlflow.close();
    },
  };
}

function fill(mlflow: TrackingServer): void {
  const hostile = mlflow.experiment(HOSTILE, { owner: 'Payments', runbook: 'https://wiki.example/recall' });
  const { experiment_id } = hostile;
  const metric = (key: string, value: number, timestamp: number) => ({ key, value, step: 3, timestamp });
  for (let hour = 80; hour > 0; hour--) {
    const start_time = NOW - hour * HOUR;
    const recall =
      hour <= 4 ? 60 + hour / 3 : hour === 20 ? Number.NaN : hour === 30 ? 75.5 : 90 + (hour % 7) / 10;
    mlflow.run({
      experiment_id,
      start_time,
      run_name: `train ${hour}`,
      user_id: hour % 2 === 0 ? 'ada' : null,
      params: { model: hour <= 4 ? 'v2' : 'v1', ['__proto__']: 'polluted' },
      tags: {
        note: FORMULA,
        'mlflow.user': hour % 2 === 0 ? 'ada' : '@grace',
        // Neither before nor after it: no cause of the bad runs.
        ...(hour >= 10 && hour < 15 ? { model_version: '7' } : {}),
      },
      metrics: [
        { ...metric('recall', recall, start_time), ...(hour > 70 ? { model_id: 'm-1' } : {}) },
        metric('flat_ms', 5, start_time),
        metric('free/form <i>', hour / 10, start_time),
        ...(hour === 40 ? [metric('single', 1.5, start_time), metric('huge', 1.7e308, start_time)] : []),
        ...(hour === 41 ? [metric('huge', -1.7e308, start_time)] : []),
      ],
    });
  }
  const parent = mlflow.run({
    experiment_id,
    start_time: NOW - 10 * HOUR - 60_000,
    run_name: 'sweep',
    metrics: [metric('recall', 91, NOW - 10 * HOUR)],
  });
  for (let child = 0; child < 5; child++) {
    const start_time = NOW - 10 * HOUR + child * 1_000;
    mlflow.run({
      experiment_id,
      start_time,
      run_name: `-child ${child}`,
      tags: { 'mlflow.parentRunId': child === 4 ? 'elsewhere' : parent.run_id },
      metrics: [metric('recall', child === 1 ? 10 : 92, start_time)],
      ...(child === 2 ? { status: 'RUNNING' as const, end_time: null } : {}),
      ...(child === 3 ? { status: 'FAILED' as const, metrics: [] } : {}),
    });
  }
  mlflow.run({
    experiment_id,
    start_time: NOW - HOUR / 2,
    status: 'RUNNING',
    end_time: null,
    metrics: [metric('recall', 3, NOW)],
  });
  for (const name of SPECIAL) {
    const special = mlflow.experiment(name, { runbook: 'javascript:alert(1)' });
    const start_time = NOW - 2 * HOUR;
    const metrics = [metric('recall', 95, start_time)];
    mlflow.run({ experiment_id: special.experiment_id, start_time, run_name: name, metrics });
  }
}
