import { Logger } from '@nestjs/common';
import { platformCurrentSchema } from '../../../src/dashboard/contract.js';
import { DAY, type HardCases, HOSTILE, HOUR, openHardCases, SPECIAL } from './hard-cases.js';

Logger.overrideLogger(false);

let cases: HardCases;
beforeAll(async () => {
  cases = await openHardCases();
});
afterAll(() => cases.close());

const platform = async () =>
  platformCurrentSchema.strict().parse(await (await cases.get('/api/v1/platform/current', {})).json());
const metrics = () => cases.read('/api/v1/metrics', { application: HOSTILE, days: 4 });
const metricNamed = async (name: string) => {
  const found = (await metrics()).metrics.find((each) => each.name === name);
  if (!found) throw new Error(`There is no metric ${name}`);
  return found;
};

describe('GET /api/v1/applications', () => {
  it('lists what the platform shows, worst first, in pages and by filters', async () => {
    const { applications: shown, days } = await platform();
    const first = await cases.read('/api/v1/applications', { limit: 2 });
    expect(first).toMatchObject({ total: shown.length, owners: ['Payments'], days });
    const names = first.applications.map(({ application }) => application);
    let next = first.next;
    while (next !== null) {
      const page = await cases.read('/api/v1/applications', { limit: 2, cursor: next });
      names.push(...page.applications.map(({ application }) => application));
      next = page.next;
    }
    expect(names).toEqual([HOSTILE, ...[...SPECIAL].sort()]);
    expect(first.applications[0]).toEqual(shown.find(({ application }) => application === HOSTILE));

    const found = async (query: Parameters<typeof cases.read<'/api/v1/applications'>>[1]) =>
      (await cases.read('/api/v1/applications', query)).applications.map(({ application }) => application);
    expect(await found({ status: 'critical' })).toEqual([HOSTILE]);
    expect(await found({ status: 'warning' })).toEqual([]);
    expect(await found({ owner: 'Payments' })).toEqual([HOSTILE]);
    expect(await found({ text: 'SCORING' })).toEqual([HOSTILE]);
    expect(await found({ text: 'payments' })).toEqual([HOSTILE]);
    expect(await found({ text: 'nothing' })).toEqual([]);
  });
});

describe('GET /api/v1/application', () => {
  it('agrees with the platform, whatever the name', async () => {
    const { applications, needs_attention, from, to, days } = await platform();
    for (const name of [HOSTILE, ...SPECIAL]) {
      const shown = applications.find(({ application }) => application === name);
      const attention = needs_attention.find(({ application }) => application === name) ?? null;
      const found = await cases.read('/api/v1/application', { application: name });
      expect(found).toMatchObject({ ...shown, attention, from, to, day_names: days });
    }
  });

  it('links to the runbook and the experiment, but never to a script', async () => {
    const found = await cases.read('/api/v1/application', { application: HOSTILE });
    expect(found).toMatchObject({
      owner: 'Payments',
      runbook: 'https://wiki.example/recall',
      experiment: { name: HOSTILE, url: `${cases.mlflow.uri}/#/experiments/1` },
    });
    expect((await cases.read('/api/v1/application', { application: 'admin' })).runbook).toBeNull();
  });
});

describe('GET /api/v1/metrics', () => {
  it('has the newest value of every metric as the datasets have it, the worst first', async () => {
    const found = (await metrics()).metrics;
    expect(found.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'recall critical',
      'single warning',
      'flat_ms healthy',
      'free/form <i> unmonitored',
      'huge unmonitored',
    ]);
    const [newest] = await cases.rows<{ summary: string }>(
      'application_summary',
      'to_json(metrics_summary)::VARCHAR AS summary',
      `WHERE application LIKE 'fraud%' ORDER BY timestamp DESC LIMIT 1`,
    );
    const summary: Record<string, Record<string, unknown>> = JSON.parse(newest?.summary ?? '{}');
    expect(
      Object.fromEntries(
        found.map(({ name, value, status, trend, mean }) => [name, { value, status, trend, mean }]),
      ),
    ).toEqual(
      Object.fromEntries(
        Object.entries(summary).map(([name, { latest_value, latest_status, trend, avg_value }]) => [
          name,
          { value: latest_value, status: latest_status, trend, mean: avg_value },
        ]),
      ),
    );
  });

  it('agrees with what needs attention', async () => {
    const [attention] = (await platform()).needs_attention;
    const recall = await metricNamed('recall');
    expect(recall).toMatchObject({
      name: attention?.metric?.name,
      display_name: 'Recall',
      description: 'found',
      unit: '%',
      status: attention?.metric?.status,
      value: attention?.metric?.value,
      run: attention?.run,
      limit: attention?.metric?.critical_threshold,
      status_since: attention?.since,
      status_since_before: false,
      threshold_updated_by: 'ada',
    });
    const { critical, invalid, warning } = recall.light_span;
    expect({ critical, invalid, warning }).toEqual({
      critical: attention?.metric?.critical,
      invalid: attention?.metric?.invalid,
      warning: attention?.metric?.warning,
    });
    expect(recall.distance).toBe(60 + 1 / 3 - 70);
    expect(recall.change).toBe(60 + 1 / 3 - (60 + 2 / 3));
  });

  it('has no difference that a double cannot hold, and no change of a single point', async () => {
    expect(await metricNamed('huge')).toMatchObject({
      value: 1.7e308,
      change: null,
      limit: null,
      distance: null,
    });
    expect(await metricNamed('single')).toMatchObject({ change: null, limit: 2, distance: -0.5 });
    expect(await metricNamed('flat_ms')).toMatchObject({
      limit: 9,
      distance: -4,
      change: 0,
      status_since_before: true,
      threshold_updated_at: '2026-01-02T03:04:05.678901Z',
    });
  });

  it('has the worst status, median and extremes of each cell, and leaves gaps empty', async () => {
    const { from, to, cell_hours, metrics: found } = await metrics();
    expect([Date.parse(to) - Date.parse(from), cell_hours]).toEqual([4 * DAY, 1]);
    const rows = await cases.rows<{
      metric_name: string;
      time: number;
      value: number | null;
      status: string;
    }>(
      'enriched_metrics',
      'metric_name, epoch_ms(timestamp)::DOUBLE AS time, value, status',
      `WHERE eligible AND application LIKE 'fraud%'`,
    );
    for (const { name, cells } of found) {
      expect(Object.values(cells).map(({ length }) => length)).toEqual([96, 96, 96, 96]);
      for (const [i, status] of cells.status.entries()) {
        const begin = Date.parse(from) + i * HOUR;
        const own = rows.filter(
          (row) => row.metric_name === name && row.time >= begin && row.time < begin + HOUR,
        );
        const values = own.flatMap(({ value }) => value ?? []).sort((a, b) => a - b);
        const worst = ['critical', 'invalid', 'warning', 'healthy', 'unmonitored'].find((each) =>
          own.some((row) => row.status === each),
        );
        expect(status).toBe(worst ?? null);
        expect(cells.min[i]).toBe(values[0] ?? null);
        expect(cells.median[i]).toBe(values[Math.ceil(values.length / 2) - 1] ?? null);
        expect(cells.max[i]).toBe(values.at(-1) ?? null);
      }
    }
  });

  it('proposes thresholds only for metrics without one', async () => {
    expect((await metricNamed('recall')).suggestion).toBeNull();
    // 80 values from 0.1 to 8; no word of the name says which direction is better.
    expect((await metricNamed('free/form <i>')).suggestion).toEqual({
      values: 80,
      direction: null,
      options: [
        {
          higher_is_better: true,
          critical_threshold: 0.17,
          warning_threshold: 0.49,
          critical: 1,
          warning: 3,
        },
        {
          higher_is_better: false,
          critical_threshold: 7.93,
          warning_threshold: 7.61,
          critical: 1,
          warning: 3,
        },
      ],
    });
    expect((await metricNamed('huge')).suggestion).toMatchObject({ values: 2, options: [] });
  });

  it('has one metric on request', async () => {
    const { metrics: found } = await cases.read('/api/v1/metrics', {
      application: HOSTILE,
      metric: 'free/form <i>',
      days: 4,
    });
    expect(found).toEqual([await metricNamed('free/form <i>')]);
  });
});
