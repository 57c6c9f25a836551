import { domainSettings, loadSettings } from '../../../src/config/settings.js';
import { judgeRollups } from '../../../src/dashboard/judge-rollups.js';
import { type LastLight, type LastRun, type SpanRow, spansAt } from '../../../src/dashboard/load-rollups.js';
import { NO_RUNS } from '../../../src/domain/light.js';
import type { RunCounts } from '../../../src/domain/model.js';
import { EMPTY_QUERY } from '../../../src/state/rulebook.js';
import { OWN_VERSIONS } from '../../../src/state/versions.js';

const HOUR = 3_600_000;
const NOW = Date.parse('2026-03-10T15:30:00Z');
const settings = domainSettings(loadSettings({ MLFLOW_TRACKING_URI: 'http://localhost:5000' }));
const spans = spansAt(NOW, undefined, settings);

describe('spansAt', () => {
  it('ends with the current hour; earlier days end at midnight', () => {
    const iso = (ms: number) => new Date(ms).toISOString().slice(0, 16);
    expect([iso(spans.current.from), iso(spans.current.to)]).toEqual([
      '2026-03-09T16:00',
      '2026-03-10T16:00',
    ]);
    expect([iso(spans.before.from), iso(spans.before.to)]).toEqual(['2026-03-08T16:00', '2026-03-09T16:00']);
    expect(spans.days).toHaveLength(30);
    expect(spans.days[0]?.day).toBe('2026-02-09');
    expect(spans.days.at(-1)?.span).toBe(spans.current);
    const yesterday = spans.days.at(-2)?.span;
    expect([iso(yesterday?.from ?? 0), iso(yesterday?.to ?? 0)]).toEqual([
      '2026-03-09T00:00',
      '2026-03-10T00:00',
    ]);
  });

  it('gives each day the settings that apply to it', () => {
    const wide = { ...settings, light_span_hours: 48 };
    const entries = [
      { first_day: null, settings },
      { first_day: '2026-03-09', settings: wide },
    ];
    const versions = { ...OWN_VERSIONS, since: 0, rewritten: true };
    const book = { version: 1 as const, asked: EMPTY_QUERY, entries: [], settings: entries, versions };
    const { days, current } = spansAt(NOW, book, settings);
    expect(days.map(({ span }) => (span.to - span.from) / HOUR)).toEqual([...Array(28).fill(24), 48, 48]);
    expect(current.settings).toBe(wide);
  });
});

describe('judgeRollups', () => {
  const row = (
    application: string,
    span: { from: number; to: number },
    counts: Partial<RunCounts>,
  ): SpanRow => ({
    application,
    from: span.from,
    to: span.to,
    ...NO_RUNS,
    ...counts,
  });
  const last = (application: string | null, hour: number | null): LastLight => ({
    application,
    hour,
    light: hour === null ? null : 'warning',
    reason: hour === null ? null : 'A reason.',
  });
  const run = (application: string, time: number): LastRun => ({
    application,
    run_id: 'run',
    run_name: 'run',
    experiment_id: '1',
    time,
  });
  const judged = judgeRollups({
    spans,
    rows: [
      row('busy', spans.current, { total: 4, critical: 2, healthy: 2 }),
      row('busy', spans.before, { total: 2, healthy: 2 }),
      row('calm', spans.current, { total: 4, healthy: 4 }),
      // Another span with the same end.
      row('calm', { from: 0, to: spans.current.to }, { total: 9, critical: 9 }),
      row('calm', spans.before, { total: 2, healthy: 1, critical: 1 }),
    ],
    lastLights: [
      last(null, NOW - HOUR),
      last('busy', NOW),
      last('calm', NOW),
      last('gone', NOW - 90 * HOUR),
      last('new', null),
    ],
    lastRuns: [run('busy', NOW), run('calm', NOW), run('gone', NOW - 90 * HOUR)],
  });
  const of = (name: string) => judged.applications.find(({ application }) => application === name);

  it('sums the applications up to the platform', () => {
    expect(judged.platform.now).toMatchObject({
      total: 8,
      critical: 2,
      healthy: 6,
      pass_rate: 75,
      light: 'critical',
    });
    expect(judged.platform.pass_rate_trend).toBe(0);
    expect(judged.platform.days.at(-1)).toEqual(judged.platform.now);
    expect(judged.platform.days[0]?.light).toBe('no_data');
  });

  it('judges each application by its runs, with the trend of its pass rate', () => {
    expect(of('busy')).toMatchObject({
      now: { light: 'critical' },
      pass_rate_trend: -50,
      needs_attention: true,
    });
    expect(of('calm')).toMatchObject({
      now: { light: 'healthy' },
      pass_rate_trend: 50,
      needs_attention: false,
    });
  });

  it('says why there is no data although runs are stored', () => {
    const left = (
      application: string,
      children: number,
      critical_children: number,
      span = spans.current,
    ) => ({
      application,
      from: span.from,
      to: span.to,
      children,
      critical_children,
    });
    const silent = [
      { ...run('stuck', NOW - 72 * HOUR), run_name: 'first', logged: null },
      { ...run('stuck', NOW - 71 * HOUR), run_name: 'second', logged: null },
      { ...run('calm', NOW - 72 * HOUR), logged: null },
    ];
    const lastLights = [last(null, null), last('calm', NOW), last('stuck', null)];
    const rows = [
      row('calm', spans.current, { total: 1, healthy: 1 }),
      row('campaign', spans.current, { running: 1 }),
      row('stuck', spans.current, { running: 2 }),
    ];
    const [, ...earlier] = spans.days.map(({ span }) => span).reverse();
    const uncounted = [
      left('calm', 3, 0),
      left('campaign', 10, 9),
      left('campaign', 2, 0, earlier[0]),
      left('past', 1, 0, earlier[1]),
    ];
    const { applications, platform } = judgeRollups(
      { spans, rows, lastLights, lastRuns: [] },
      uncounted,
      silent,
    );
    const all = applications.map(({ application, now, needs_attention, silent: dead }) => [
      application,
      now.reason,
      needs_attention,
      dead?.run_name ?? null,
    ]);
    expect(all).toEqual([
      ['calm', 'The run is healthy.', false, null],
      [
        'campaign',
        'No run that counts in the last 24 h: 10 runs are children of another run and not counted (9 critical); 1 run has not ended.',
        false,
        null,
      ],
      ['past', 'No run in the last 24 h.', false, null],
      ['stuck', 'No run that counts in the last 24 h: 2 runs have not ended.', true, 'first'],
    ]);
    expect(platform.now.reason).toBe('The run is healthy.');
    expect(platform.days.slice(-3, -1).map(({ reason }) => reason)).toEqual([
      'No run that counts in the last 24 h: 1 run is a child of another run and not counted.',
      'No run that counts in the last 24 h: 2 runs are children of another run and not counted.',
    ]);
    const alone = judgeRollups({ spans, rows: [], lastLights, lastRuns: [] }, [
      left('calm', 1, 0),
      left('stuck', 1, 0),
    ]);
    expect(alone.platform.now.reason).toBe(
      'No run that counts in the last 24 h: 2 runs are children of another run and not counted.',
    );
  });

  it('has the last known light only of applications without data', () => {
    expect(of('gone')).toMatchObject({
      now: { light: 'no_data' },
      pass_rate_trend: null,
      last_known: { hour: NOW - 90 * HOUR, light: 'warning' },
      needs_attention: true,
    });
    expect(of('calm')?.last_known).toBeNull();
    expect(of('new')).toMatchObject({ last_known: null, last_run: null, needs_attention: false });
  });
});
