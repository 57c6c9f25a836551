import type { SeriesRun } from '../../../src/dashboard/load-series.js';
import { explain, runsToCompare, sparkline, turnOf } from '../../../src/dashboard/turn.js';
import type { Labels } from '../../../src/domain/label-change.js';
import type { ThresholdRow } from '../../../src/domain/model.js';
import { metricStatus } from '../../../src/domain/status.js';
import { NO_QUESTION, type Rulebook } from '../../../src/pipeline/rulebook.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TO = Date.parse('2026-03-10T16:00:00Z');
const LIMITS = { higher_is_better: true, critical_threshold: 0.7, warning_threshold: 0.8 };

/** Runs an hour apart that end before `TO`, judged by 0.7 and 0.8; null: NaN. */
function series(values: readonly (number | null)[]): SeriesRun[] {
  return values.map((value, i) => ({
    application: 'churn',
    metric_name: 'accuracy',
    time: TO - (values.length - i) * HOUR,
    run_id: `run${i}`,
    run_name: `name${i}`,
    experiment_id: '1',
    value,
    status: metricStatus(value, LIMITS),
    invalid_kind: value === null ? 'nan' : null,
    display_name: 'Accuracy',
    unit: null,
    ...LIMITS,
    model_id: null,
    dataset_name: null,
  }));
}
const turn = (values: readonly (number | null)[]) => {
  const found = turnOf(series(values), TO);
  if (!found) throw new Error('there is no turn');
  return found;
};

describe('turnOf', () => {
  it('shows the last run that is not healthy, and what came before and after', () => {
    const found = turn([0.9, 0.6, 0.9, 0.75, null, 0.9, 0.9]);
    expect(found.first.run_id).toBe('run3');
    expect(found.last.run_id).toBe('run4');
    expect(found.before.map(({ run_id }) => run_id)).toEqual(['run0', 'run2']);
    expect(found.since.map(({ run_id }) => run_id)).toEqual(['run3', 'run4']);
    expect(found.healthy_again).toBe(2);
    expect(turnOf(series([0.9, 0.9]), TO)).toBeNull();
  });

  it('knows no runs before a sequence that began before the 7 days', () => {
    const found = turn([0.9, ...Array(170).fill(0.6)]);
    expect(found.began_before).toBe(true);
    expect(found.first.time).toBe(TO - 7 * DAY);
    expect(found.before).toEqual([]);
  });

  it('compares ten runs on each side, and always reads the run that is shown', () => {
    const ids = runsToCompare(turn([...Array(30).fill(0.9), ...Array(30).fill(0.6)]));
    expect(ids).toEqual([...Array.from({ length: 20 }, (_, i) => `run${i + 20}`), 'run59']);
  });
});

describe('explain', () => {
  const values = [0.9, 0.9, 0.9, 0.6, 0.6];
  it('finds what changed among params, tags, models and datasets', () => {
    const labels = new Map<string, Labels>(
      values.map((value, i) => [`run${i}`, { version: value > 0.8 ? '1' : '2', market: `${i}` }]),
    );
    expect(explain(turn(values), labels, undefined)).toBe(
      'The version changed from 1 to 2; it fell from 0.9 to 0.6.',
    );
    const models = series(values).map((run) => ({
      ...run,
      model_id: (run.value ?? 0) > 0.8 ? 'm-1' : 'm-2',
    }));
    const found = turnOf(models, TO);
    expect(found && explain(found, new Map(), undefined)).toMatch(/^The model changed from m-1 to m-2/);
  });

  const row = (critical: number, warning: number, more: Partial<ThresholdRow> = {}): ThresholdRow => ({
    metric_name: 'accuracy',
    experiment_id: null,
    critical_threshold: critical,
    warning_threshold: warning,
    updated_at: null,
    updated_by: null,
    ...more,
  });
  const book = (before: ThresholdRow, after: ThresholdRow, first_day: string): Rulebook => ({
    version: 1,
    asked: NO_QUESTION,
    entries: [
      { metric_name: 'accuracy', first_day: null, changed_at: null, metadata: null, thresholds: [before] },
      { metric_name: 'accuracy', first_day, changed_at: TO, metadata: null, thresholds: [after] },
    ],
    settings: [
      {
        first_day: null,
        settings: {
          rules_version: 1,
          application_tag: 'application',
          count_nested_runs: false,
          judge_running: false,
          experiment_include: [],
          experiment_exclude: [],
          metric_include: [],
          metric_exclude: [],
          moving_average_window_hours: 24,
          light_span_hours: 24,
          critical_runs_percent: 20,
          pass_rate_percent: 80,
          warning_runs_percent: 5,
          failed_runs_percent: 50,
        },
      },
    ],
  });
  const explained = (rules: Rulebook, shown = [0.9, 0.75, 0.75]) =>
    explain(turn(shown), new Map(), { book: rules, reevaluateDays: 7 });
  const after = row(0.7, 0.8, { updated_at: '2026-03-10T11:02:00Z', updated_by: 'ops' });

  it('blames a change of the limit without which the run were healthy', () => {
    expect(explained(book(row(0.5, 0.6), after, '2026-03-03'))).toBe(
      'The limit was tightened from 0.6 to 0.8 by ops on 10 Mar at 11:02 UTC.',
    );
  });

  it.each([
    ['by which the run were no better', book(row(0.6, 0.78), after, '2026-03-03')],
    ['that was loosened', book(row(0.8, 0.85), after, '2026-03-03')],
    ['that was made before the sequence began', book(row(0.5, 0.6), after, '2026-01-02')],
    ['of the limit that the run is not beyond', book(row(0.5, 0.8), after, '2026-03-03')],
  ])('blames no change %s', (_, rules) => {
    expect(explained(rules)).toMatch(/^It fell from 0.9 to 0.75/);
  });
});

describe('sparkline', () => {
  it('takes of every three hours the run with the middle value, and the run that is shown', () => {
    const runs = series([0.1, 0.3, 0.2, 0.9, 0.5, 0.7, 0.4, null, 0.6]);
    const shown = runs[6];
    if (!shown) throw new Error('no run');
    expect(sparkline(runs, shown, TO).map(({ value }) => value)).toEqual([0.2, 0.7, 0.4]);
  });

  it('looks 7 days back, and shows nothing of a series without values', () => {
    const [run] = series([0.9]);
    if (!run) throw new Error('no run');
    expect(sparkline([{ ...run, time: TO - 7 * DAY - 1 }], run, TO)).toEqual([]);
    expect(sparkline([{ ...run, value: null }], run, TO)).toEqual([]);
  });
});
