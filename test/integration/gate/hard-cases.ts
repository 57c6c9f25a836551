import type { FakeRun } from '../../../src/demo/fakes.js';
import type { TrackingServer } from '../../../src/demo/tracking-server.js';

const DAY = 86_400_000;
export const NOW = Date.parse('2026-03-10T15:30:00Z');

/** Rules that differ by name, pattern, experiment, direction and missing limits. */
export const CATALOG = {
  metrics: [
    { metric_name: 'accuracy', higher_is_better: true, unit: '%', display_name: 'Accuracy' },
    { metric_name: 'latency', higher_is_better: false, unit: 'ms' },
    { metric_name: 'undirected' },
  ],
  thresholds: [
    {
      metric_name: 'accuracy',
      critical_threshold: 0.7,
      warning_threshold: 0.8,
      updated_by: 'ann',
      updated_at: '2026-01-02',
    },
    { metric_name: 'accuracy', experiment_id: '2', critical_threshold: 0.9, warning_threshold: 0.95 },
    { metric_name: 'lat*', critical_threshold: 500, warning_threshold: 250 },
    { metric_name: 'undirected', critical_threshold: 1 },
    { metric_name: 'empty', critical_threshold: null, warning_threshold: null },
    { metric_name: 'wrong_order', critical_threshold: 5, warning_threshold: 5 },
  ],
};

/** Days before the newest run, such that a changed threshold applies to the younger ones only. */
export const AGES = [0, 1, 6, 7, 8, 9];

const metric = (key: string, value: number, step = 0) => ({ key, value, step, timestamp: NOW });

/** Runs with everything that the tests of the main job, of unusual runs and of unreadable runs have found hard. */
export function createHardCases(mlflow: TrackingServer): void {
  const churn = mlflow.experiment('churn').experiment_id;
  const strict = mlflow.experiment('strict', { application: 'fraud' }).experiment_id;
  const blank = mlflow.experiment('blank', { application: '\u2003\t' }).experiment_id;
  const excluded = mlflow.experiment('excluded/scratch').experiment_id;
  const deleted = mlflow.experiment('deleted').experiment_id;
  const run = (experiment_id: string, changes: Partial<FakeRun> = {}) =>
    mlflow.run({ experiment_id, start_time: NOW - DAY, metrics: [metric('accuracy', 0.9)], ...changes });
  const values = [
    0.69,
    0.7,
    0.79,
    0.8,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.MAX_VALUE,
    5e-324,
  ];
  for (const [i, value] of values.entries()) {
    for (const experiment of [churn, strict]) {
      run(experiment, {
        start_time: NOW - (AGES[i % AGES.length] ?? 0) * DAY - i,
        metrics: [metric('accuracy', value)],
      });
    }
  }
  for (const age of AGES) {
    run(churn, { start_time: NOW - age * DAY, metrics: [metric('accuracy', 0.75), metric('latency', 300)] });
  }
  run(churn, { metrics: [] });
  run(churn, { metrics: ['undirected', 'empty', 'unknown'].map((key) => metric(key, 1)) });
  run(churn, { metrics: [metric('wrong_order', 5), metric('latency', 501), metric('accuracy', Number.NaN)] });
  run(churn, { metrics: [metric('system/cpu', 99), metric('accuracy', 0.1)] });
  run(churn, { metrics: [metric('\ufeffaccuracy', 0.1), metric('accuracy', 0.9), metric("it's <b>", 1)] });
  run(churn, { metrics: Array.from({ length: 300 }, (_, i) => metric(`latency/${i}`, i * 3)) });
  for (const status of ['RUNNING', 'SCHEDULED', 'FAILED', 'KILLED'] as const) {
    const end_time = status === 'RUNNING' || status === 'SCHEDULED' ? null : NOW;
    run(churn, { status, end_time, metrics: [metric('accuracy', 0.1)] });
    run(churn, {
      status,
      end_time,
      tags: { 'monitor.judge': 'running' },
      metrics: [metric('accuracy', 0.1)],
    });
    run(churn, { status, end_time, tags: { 'mlflow.parentRunId': 'parent' } });
  }
  run(blank, { tags: { application: '\n', 'mlflow.parentRunId': '\u3000' } });
  run(blank, { tags: { application: 'tagged' }, run_name: '\u00a0' });
  run(churn, { start_time: null, end_time: NOW - 2 * DAY });
  run(churn, { start_time: null, end_time: null, status: 'RUNNING' });
  run(churn, { start_time: NOW + 2 * DAY });
  run(churn, { status: 'BROKEN' as 'FAILED' });
  run(churn, { lifecycle_stage: 'deleted' });
  run(excluded);
  run(deleted);
  mlflow.deleteExperiment(deleted);
}
