import { Logger } from '@nestjs/common';
import type { ListedRun } from '../../../src/dashboard/contract/runs.js';
import { DAY, FORMULA, type HardCases, HOSTILE, HOUR, NOW, openHardCases } from './hard-cases.js';

Logger.overrideLogger(false);
const iso = (ms: number) => new Date(ms).toISOString();

let cases: HardCases;
beforeAll(async () => {
  cases = await openHardCases();
});
afterAll(() => cases.close());

const series = (metric: string) => cases.read('/api/v1/series', { application: HOSTILE, metric });

describe('GET /api/v1/series', () => {
  it('has exactly the rows of the datasets', async () => {
    for (const metric of ['recall', 'flat_ms', 'free/form <i>', 'single', 'huge']) {
      const { columns, total, thinned } = await series(metric);
      const published = await cases.rows<Record<string, unknown>>(
        'metric_timeseries',
        `epoch_ms(timestamp)::DOUBLE AS time, value, status, moving_avg, forecast, critical_threshold, warning_threshold,
         run_id, run_name, user_id`,
        `WHERE application LIKE 'fraud%' AND metric_name = '${metric}' ORDER BY timestamp, run_id`,
      );
      expect([total, thinned]).toEqual([published.length, null]);
      for (const name of Object.keys(published[0] ?? {})) {
        expect(columns[name as keyof typeof columns]).toEqual(published.map((row) => row[name]));
      }
    }
  });

  it('says of each point whether it is a number, and of the metric how it is shown', async () => {
    const { columns, ...rest } = await series('recall');
    expect(columns.invalid_kind.filter((kind) => kind !== null)).toEqual(['nan']);
    expect(columns.value[columns.invalid_kind.indexOf('nan')]).toBeNull();
    expect(new Set(columns.experiment_id)).toEqual(new Set(['1']));
    expect(rest).toMatchObject({
      display_name: 'Recall',
      unit: '%',
      higher_is_better: true,
      limits: [
        {
          from: iso(NOW - 80 * HOUR),
          experiment_id: null,
          critical_threshold: 70,
          warning_threshold: 80,
          updated_by: 'ada',
        },
      ],
      limit_changes: [],
    });
  });

  it('contains the points of the span only, its start included and its end excluded', async () => {
    const query = {
      application: HOSTILE,
      metric: 'flat_ms',
      from: iso(NOW - 5 * HOUR),
      to: iso(NOW - 2 * HOUR),
    };
    const { columns, from, to } = await cases.read('/api/v1/series', query);
    expect(columns.time).toEqual([NOW - 5 * HOUR, NOW - 4 * HOUR, NOW - 3 * HOUR]);
    expect([from, to]).toEqual([query.from, query.to]);
    const empty = await cases.read('/api/v1/series', {
      ...query,
      from: iso(NOW - 30 * DAY),
      to: iso(NOW - 29 * DAY),
    });
    expect(empty).toMatchObject({ total: 0, thinned: null, columns: { time: [] }, display_name: 'flat_ms' });
  });
});

describe('GET /api/v1/forecast', () => {
  it('has the newest forecast of each metric, exactly as the dataset has it', async () => {
    const { forecasts } = await cases.read('/api/v1/forecast', { application: HOSTILE });
    // Two valid values, or none but the same, are not enough for some metrics.
    expect(forecasts.map(({ metric }) => metric)).toEqual(['flat_ms', 'free/form <i>', 'recall']);
    for (const forecast of forecasts) {
      const rows = await cases.rows<Record<string, unknown>>(
        'metric_forecast',
        `epoch_ms(timestamp)::DOUBLE AS time, forecast, lower_80, upper_80, lower_95, upper_95, points, model,
         epoch_ms(fitted_at)::DOUBLE AS fitted, strftime(warning_expected, '%Y-%m-%dT%H:%M:%S.%gZ') AS warning`,
        `WHERE metric_name = '${forecast.metric}' AND application LIKE 'fraud%' AND date = '2026-03-10' ORDER BY timestamp`,
      );
      expect(rows).toHaveLength(24);
      expect(forecast.fitted_at).toBe(iso(NOW - HOUR));
      for (const [name, values] of Object.entries(forecast.columns)) {
        expect(values).toEqual(rows.map((row) => row[name]));
      }
      expect(rows[0]).toMatchObject({
        points: forecast.points,
        fitted: NOW - HOUR,
        warning: forecast.warning?.expected ?? null,
      });
      expect(JSON.parse(String(rows[0]?.model))).toEqual(forecast.model);
    }
    const one = await cases.read('/api/v1/forecast', { application: HOSTILE, metric: 'recall' });
    expect(one.forecasts).toEqual(forecasts.filter(({ metric }) => metric === 'recall'));
    expect(
      (await cases.read('/api/v1/forecast', { application: HOSTILE, metric: 'single' })).forecasts,
    ).toEqual([]);
  });
});

describe('GET /api/v1/runs', () => {
  const all = async (query: { status?: ListedRun['status']; parent?: string } = {}) => {
    const runs: ListedRun[] = [];
    let cursor: string | undefined;
    do {
      const page = await cases.read('/api/v1/runs', {
        application: HOSTILE,
        limit: 30,
        ...query,
        ...(cursor ? { cursor } : {}),
      });
      runs.push(...page.runs);
      cursor = page.next ?? undefined;
    } while (cursor);
    return runs;
  };

  it('has every run once, children below their parents, running ones marked', async () => {
    const runs = await all();
    const stored = await cases.rows<{ run_id: string }>(
      'runs',
      'run_id',
      `WHERE application LIKE 'fraud%' AND run_name NOT LIKE '-child%' OR parent_run_id = 'elsewhere' ORDER BY timestamp DESC, run_id DESC`,
    );
    expect(runs.map(({ run_id }) => run_id)).toEqual(stored.map(({ run_id }) => run_id));
    expect(runs[0]).toMatchObject({
      run_status: 'RUNNING',
      eligible: false,
      ended_at: null,
      worst_metric: { value: 3, status: 'critical' },
    });
    expect(runs[1]).toMatchObject({
      status: 'critical',
      eligible: true,
      children: null,
      worst_metric: {
        name: 'recall',
        display_name: 'Recall',
        unit: '%',
        value: 60 + 1 / 3,
        critical_threshold: 70,
      },
    });
    const sweep = runs.find(({ run_name }) => run_name === 'sweep');
    expect(sweep?.children).toEqual({
      total: 4,
      running: 1,
      failed: 1,
      critical: 1,
      invalid: 0,
      warning: 0,
      healthy: 2,
      unmonitored: 1,
      ignored: 4,
    });
    const children = await all({ parent: sweep?.run_id ?? '' });
    expect(
      children.map(({ run_name, eligible, parent_run_id }) => [run_name, eligible, parent_run_id]),
    ).toEqual([3, 2, 1, 0].map((child) => [`-child ${child}`, false, sweep?.run_id]));
    // A child whose parent is not among the runs would be nowhere else.
    expect(runs.filter(({ parent_run_id }) => parent_run_id).map(({ run_name }) => run_name)).toEqual([
      '-child 4',
    ]);
    expect((await all({ status: 'invalid' })).map(({ run_name }) => run_name)).toEqual(['train 20']);
  });

  it('shows everything about one run', async () => {
    const listed = (await all()).find(({ run_name }) => run_name === 'train 40');
    if (!listed) throw new Error('The run is missing');
    const { worst_metric: worst, children: _, ...rest } = listed;
    const run = await cases.read('/api/v1/run', { run_id: listed.run_id, day: listed.day });
    expect(run).toMatchObject({
      ...rest,
      started_at: iso(NOW - 40 * HOUR),
      ended_at: iso(NOW - 40 * HOUR + 60_000),
      user_id: 'ada',
    });
    expect(run.metrics[0]).toMatchObject({ ...worst, name: 'single', status: 'warning', step: 3 });
    expect(run.metrics.map(({ name }) => name)).toEqual([
      'single',
      'flat_ms',
      'recall',
      'free/form <i>',
      'huge',
    ]);
    expect([run.total_metrics, run.evaluated_metrics]).toEqual([5, 3]);
    const sent = await (await cases.get('/api/v1/run', { run_id: listed.run_id, day: listed.day })).text();
    expect(sent).toContain('"params":{"__proto__":"polluted","model":"v1"}');
    expect(run.tags.note).toBe(FORMULA);
  });
});

describe('GET /api/v1/model-versions', () => {
  it('has what the runs of each version logged, by their label or the model of the metric', async () => {
    const { versions } = await cases.read('/api/v1/model-versions', {
      application: HOSTILE,
      metric: 'recall',
    });
    const { columns } = await series('recall');
    const valuesOf = (newest: number, oldest: number) =>
      columns.value
        .filter((_, i) => {
          const hour = (NOW - (columns.time[i] ?? 0)) / HOUR;
          // Another run of the application is between two of these.
          return Number.isInteger(hour) && hour >= newest && hour <= oldest;
        })
        .flatMap((value) => value ?? [])
        .sort((a, b) => a - b);
    // quantile_disc: the first value with at least that share of the values at or below it.
    const quantile = (values: readonly number[], share: number) =>
      values[Math.max(0, Math.ceil(values.length * share - 1e-9) - 1)];
    const expected = (model_version: string, newest: number, oldest: number) => {
      const values = valuesOf(newest, oldest);
      return {
        model_version,
        runs: oldest - newest + 1,
        first_at: iso(NOW - oldest * HOUR),
        last_at: iso(NOW - newest * HOUR),
        values: values.length,
        lower: quantile(values, 0.1),
        median: quantile(values, 0.5),
        upper: quantile(values, 0.9),
      };
    };
    expect(versions).toEqual([expected('7', 10, 14), expected('m-1', 71, 80)]);
    // A metric without a model has the versions of the labels only, and a span the runs in it.
    const flat = await cases.read('/api/v1/model-versions', {
      application: HOSTILE,
      metric: 'flat_ms',
      from: iso(NOW - 12 * HOUR),
      to: iso(NOW),
    });
    expect(flat.versions).toMatchObject([
      { model_version: '7', runs: 3, values: 3, lower: 5, median: 5, upper: 5 },
    ]);
  });
});
