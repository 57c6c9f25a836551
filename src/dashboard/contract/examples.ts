import type { ApplicationNow } from '../contract.js';
import type { ReadApi } from './read-api.js';

/** An example of each response, for the OpenAPI document and docs/api.md. */

const URL_OF_RUN = 'http://localhost:5000/#/experiments/3/runs/8f76131d637ffe2f2455e96b972d91bf';
const run = {
  run_id: '8f76131d637ffe2f2455e96b972d91bf',
  run_name: 'tune-4479',
  at: '2026-11-28T11:31:13.000Z',
  url: URL_OF_RUN,
};

const now: ApplicationNow = {
  application: 'fraud-scoring',
  owner: 'Payments ML',
  light: 'critical',
  reason: '6 of 8 runs are critical (75.0 %); the limit is 20 %.',
  total: 9,
  critical: 6,
  invalid: 0,
  warning: 2,
  healthy: 0,
  unmonitored: 1,
  running: 2,
  failed: 1,
  evaluated: 8,
  pass_rate: 25,
  strict_pass_rate: 0,
  coverage: 88.88888888888889,
  pass_rate_trend: -75,
  last_known: null,
  needs_attention: true,
  last_run: run,
  days: [{ light: 'critical', total: 9 }],
};

const limits = [
  {
    from: '2026-11-14T06:29:00.000Z',
    experiment_id: null,
    critical_threshold: 0.84,
    warning_threshold: 0.87,
    updated_at: '2026-11-12T09:00:00.000000Z',
    updated_by: 'platform-admin',
  },
];
const limit_changes = [
  {
    at: '2026-11-12T09:02:11.000Z',
    metric_name: 'recall',
    experiment_id: null,
    old_critical_threshold: 0.82,
    old_warning_threshold: 0.86,
    new_critical_threshold: 0.84,
    new_warning_threshold: 0.87,
    updated_by: 'platform-admin',
    runs_changed: 3,
  },
];

const recall = {
  name: 'recall',
  display_name: 'Recall',
  unit: null,
  status: 'critical' as const,
  value: 0.781,
  invalid_kind: null,
  higher_is_better: true,
  critical_threshold: 0.84,
  warning_threshold: 0.87,
};

const listedRun = {
  ...run,
  application: 'fraud-scoring',
  experiment_id: '3',
  experiment_name: 'fraud-scoring',
  day: '2026-11-28',
  started_at: '2026-11-28T11:31:13.000Z',
  ended_at: '2026-11-28T11:39:20.000Z',
  user_id: 'ada',
  run_status: 'FINISHED',
  parent_run_id: null,
  eligible: true,
  status: 'critical' as const,
  evaluated_metrics: 7,
  total_metrics: 9,
};

export const EXAMPLES: { readonly [Path in keyof ReadApi]: ReadApi[Path]['response'] } = {
  '/api/v1/applications': {
    applications: [now],
    total: 1,
    owners: ['Payments ML'],
    days: ['2026-11-28'],
    next: null,
  },
  '/api/v1/application': {
    ...now,
    from: '2026-11-27T12:00:00.000Z',
    to: '2026-11-28T12:00:00.000Z',
    day_names: ['2026-11-28'],
    attention: null,
    runbook: 'https://wiki.example.com/recall-drops',
    experiment: { experiment_id: '3', name: 'fraud-scoring', url: 'http://localhost:5000/#/experiments/3' },
    stale: false,
    last_finished: '2026-11-28T11:40:02.000Z',
  },
  '/api/v1/metrics': {
    application: 'fraud-scoring',
    from: '2026-11-14T12:00:00.000Z',
    to: '2026-11-28T12:00:00.000Z',
    cell_hours: 3,
    metrics: [
      {
        ...recall,
        description: null,
        run,
        threshold_updated_at: '2026-11-12T09:00:00.000000Z',
        threshold_updated_by: 'platform-admin',
        limit: 0.84,
        distance: -0.05899999999999994,
        change: -0.008,
        trend: -0.0104,
        mean: 0.846,
        status_since: '2026-11-28T08:23:00.000Z',
        status_since_before: false,
        light_span: { critical: 6, invalid: 0, warning: 2, healthy: 0, unmonitored: 0 },
        cells: {
          status: ['warning', null, 'critical'],
          median: [0.853, null, 0.797],
          min: [0.853, null, 0.781],
          max: [0.856, null, 0.826],
        },
        limits,
        limit_changes,
        suggestion: null,
      },
    ],
  },
  '/api/v1/series': {
    application: 'fraud-scoring',
    metric: 'recall',
    display_name: 'Recall',
    unit: null,
    higher_is_better: true,
    from: '2026-10-29T12:00:00.000Z',
    to: '2026-11-28T12:00:00.000Z',
    total: 2,
    thinned: null,
    columns: {
      time: [1795862040000, 1795865473000],
      value: [0.789, 0.781],
      status: ['critical', 'critical'],
      invalid_kind: [null, null],
      moving_avg: [0.8125, 0.809],
      forecast: [0.791, 0.786],
      critical_threshold: [0.84, 0.84],
      warning_threshold: [0.87, 0.87],
      run_id: ['1d0c3f3b5b0e4d0f9d1b8d2a6b7e5c4a', run.run_id],
      run_name: ['tune-4478', 'tune-4479'],
      experiment_id: ['3', '3'],
      user_id: ['grace', 'ada'],
      model_id: [null, null],
      dataset_name: [null, null],
    },
    limits,
    limit_changes,
  },
  '/api/v1/model-versions': {
    application: 'fraud-scoring',
    metric: 'recall',
    from: '2026-10-29T12:00:00.000Z',
    to: '2026-11-28T12:00:00.000Z',
    versions: [
      {
        model_version: 'fraud-xgb 14',
        runs: 8,
        first_at: '2026-11-28T08:23:00.000Z',
        last_at: '2026-11-28T11:31:13.000Z',
        values: 8,
        lower: 0.781,
        median: 0.801,
        upper: 0.826,
      },
    ],
  },
  '/api/v1/forecast': {
    application: 'fraud-scoring',
    forecasts: [
      {
        metric: 'pr_auc',
        fitted_at: '2026-11-28T11:31:13.000Z',
        points: 96,
        model: { method: 'trend', points: 96 },
        warning: { earliest: '2026-11-30T09:00:00.000Z', expected: '2026-12-02T09:00:00.000Z' },
        critical: null,
        columns: {
          time: [1795885873000, 1795906273000],
          forecast: [0.811, 0.81],
          lower_80: [0.802, 0.8],
          upper_80: [0.82, 0.82],
          lower_95: [0.797, 0.795],
          upper_95: [0.825, 0.825],
        },
      },
    ],
  },
  '/api/v1/runs': {
    application: 'fraud-scoring',
    from: '2026-10-29T12:00:00.000Z',
    to: '2026-11-28T12:00:00.000Z',
    runs: [{ ...listedRun, worst_metric: recall, children: null }],
    next: 'WzE3OTU4NjU0NzMwMDAsIjhmNzYxMzFkIl0',
  },
  '/api/v1/run': {
    ...listedRun,
    params: { learning_rate: '0.03' },
    tags: { 'mlflow.user': 'ada' },
    metrics: [
      {
        ...recall,
        step: 0,
        model_id: null,
        dataset_name: null,
        threshold_updated_at: '2026-11-12T09:00:00.000000Z',
        threshold_updated_by: 'platform-admin',
      },
    ],
  },
};
