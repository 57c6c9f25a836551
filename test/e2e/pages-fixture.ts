import type { FakeRun } from '../../src/demo/fakes.js';
import { HOUR, MINUTE, type PageFixture } from './page-fixture.js';

/** A name with everything that an address or a document could take for something else. */
export const HOSTILE = `fraud/eu 100% <b onclick="x">&'é🚀</b>`;
export const CATALOG = {
  metrics: [
    { metric_name: 'recall', display_name: 'Recall', higher_is_better: true },
    { metric_name: 'latency_ms', display_name: 'Latency', unit: 'ms', higher_is_better: false },
  ],
  thresholds: [
    { metric_name: 'recall', critical_threshold: 0.7, warning_threshold: 0.8, updated_by: 'ops' },
    { metric_name: 'drift', critical_threshold: 2, warning_threshold: 1 },
  ],
};

type Values = Record<string, number>;

/** Runs of several applications: one that turned bad, and one for each kind of series that is hard to draw. */
export function logSeries(fixture: PageFixture): { readonly recalls: readonly number[] } {
  const { mlflow, now } = fixture;
  const log = (experiment_id: string, start: number, values: Values, run: Partial<FakeRun> = {}) =>
    mlflow.run({
      experiment_id,
      start_time: start,
      metrics: Object.entries(values).map(([key, value]) => ({ key, value, step: 0, timestamp: start })),
      end_time: start + 8 * MINUTE,
      ...run,
    });
  const bad = mlflow.experiment(HOSTILE, {
    owner: 'Payments ML',
    runbook: 'https://wiki.example/recall%20drops',
  });
  const recalls = Array.from({ length: 40 }, (_, i) =>
    Number((i < 36 ? 0.9 - (i % 4) / 100 : 0.65 + i / 1_000).toFixed(3)),
  );
  recalls.forEach((recall, i) => {
    const start = now - (41 - i) * HOUR;
    const values = { recall, latency_ms: 200 + (i % 7), drift: i === 39 ? Number.NaN : 0.5 };
    log(bad.experiment_id, start, values, {
      run_name: `train-${i}`,
      user_id: 'ada',
      params: { depth: i < 36 ? '6' : '12' },
      tags: { model_version: i < 36 ? 'model-6' : 'model-12' },
    });
  });
  const parent = log(
    bad.experiment_id,
    now - 30 * MINUTE,
    {},
    { run_name: 'sweep', status: 'RUNNING', end_time: null },
  );
  for (const value of [0.5, 0.95]) {
    log(
      bad.experiment_id,
      now - 25 * MINUTE,
      { recall: value },
      { tags: { 'mlflow.parentRunId': parent.run_id } },
    );
  }
  log(bad.experiment_id, now - 20 * MINUTE, {}, { run_name: 'broken', status: 'FAILED' });
  const series = (name: string, values: readonly number[]) => {
    const { experiment_id } = mlflow.experiment(name);
    values.forEach((value, i) => {
      log(experiment_id, now - (values.length - i) * HOUR, { recall: value });
    });
  };
  series('single', [0.9]);
  series('steady', Array<number>(30).fill(0.9));
  series('huge', [-1e308, 1e308, 5e307]);
  series('tiny', [1e-310, 2e-310, 3e-310, 5e-324]);
  series('invalid', [0.9, Number.NaN, Number.POSITIVE_INFINITY]);
  return { recalls };
}
