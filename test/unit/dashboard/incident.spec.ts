import {
  explainIncident,
  findIncident,
  type Incident,
  runsToCompare,
  sparkline,
} from '../../../src/dashboard/incident.js';
import type { Explanation } from '../../../src/dashboard/load-explanations.js';
import type { SeriesRun } from '../../../src/dashboard/load-series.js';
import type { Labels } from '../../../src/domain/label-change.js';
import { metricStatus } from '../../../src/domain/status.js';
import type { Cause, JudgedMetric } from '../../../src/domain/status-cause.js';

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
    threshold_updated_at: null,
    threshold_updated_by: null,
    model_id: null,
    dataset_name: null,
  }));
}
const turn = (values: readonly (number | null)[]) => {
  const found = findIncident(series(values), TO);
  if (!found) throw new Error('there is no turn');
  return found;
};

describe('turnOf', () => {
  it('shows the last run that is not healthy, and what came before and after', () => {
    const found = turn([0.9, 0.6, 0.9, 0.75, null, 0.9, 0.9]);
    expect(found.first.run_id).toBe('run3');
    expect(found.last.run_id).toBe('run4');
    expect(found.previous?.run_id).toBe('run2');
    expect(found.before.map(({ run_id }) => run_id)).toEqual(['run0', 'run2']);
    expect(found.since.map(({ run_id }) => run_id)).toEqual(['run3', 'run4']);
    expect(found.healthy_again).toBe(2);
    expect(turn([0.6]).previous).toBeNull();
    expect(findIncident(series([0.9, 0.9]), TO)).toBeNull();
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
    expect(explainIncident(turn(values), labels, undefined)).toEqual({
      cause: null,
      why: 'The version changed from 1 to 2; the metric fell from 0.9 to 0.6.',
    });
    const models = series(values).map((run) => ({
      ...run,
      model_id: (run.value ?? 0) > 0.8 ? 'm-1' : 'm-2',
    }));
    const found = findIncident(models, TO);
    expect(found && explainIncident(found, new Map(), undefined).why).toMatch(
      /^The model changed from m-1 to m-2/,
    );
  });

  const OLD = { higher_is_better: true, critical_threshold: 0.5, warning_threshold: 0.6 };
  /** What is known of the first run of a turn. */
  const told = (
    found: Incident,
    cause: Cause,
    previous: Partial<JudgedMetric>,
    ended_at = TO,
  ): Explanation => ({
    current: { ...found.first, threshold_updated_at: '2026-03-10T11:02:00Z', threshold_updated_by: 'ops' },
    previous: { ...found.first, ...previous },
    cause,
    at: '2026-03-10T16:00:00.000Z',
    ended_at: new Date(ended_at).toISOString(),
  });
  const tightened = 'The limit was tightened from 0.6 to 0.8 by ops on 10 Mar at 11:02 UTC.';

  it('tells how the limit of the first run was changed, if that is the cause', () => {
    const found = turn([0.9, 0.75, 0.75]);
    expect(
      explainIncident(found, new Map(), told(found, 'new_threshold', { ...OLD, status: 'healthy' })),
    ).toEqual({
      cause: 'new_threshold',
      why: tightened,
    });
    const before = { run_id: 'run0', status: 'healthy' } as const;
    expect(explainIncident(found, new Map(), told(found, 'new_value', before))).toEqual({
      cause: 'new_value',
      why: 'The metric fell from 0.9 to 0.75.',
    });
  });

  it('tells of the value too, where the run that is shown is beyond the old limit as well', () => {
    const found = turn([0.9, 0.75, 0.55]);
    expect(
      explainIncident(found, new Map(), told(found, 'new_threshold', { ...OLD, status: 'healthy' })).why,
    ).toBe(`${tightened} The metric fell from 0.9 to 0.55.`);
  });

  it.each([
    [[0.9, 0.75], 'The run ended on 10 Mar at 13:00 UTC but was first seen 3 h later.'],
    [[0.9, 0.75, 0.75], 'The first unhealthy run ended on 10 Mar at 13:00 UTC but was first seen 3 h later.'],
  ])('tells what came late', (values, expected) => {
    const found = turn(values);
    const late = told(found, 'late_data', { run_id: 'run0', status: 'healthy' }, TO - 3 * HOUR);
    expect(explainIncident(found, new Map(), late)).toEqual({
      cause: 'late_data',
      why: `${expected} The metric fell from 0.9 to 0.75.`,
    });
  });

  it('knows no cause of what began before the days that are looked at, but for a limit that was changed since', () => {
    const found = turn(Array(170).fill(0.75));
    expect(found.previous?.run_id).toBe('run1');
    const worse = told(found, 'new_value', { run_id: 'run1', status: 'critical' });
    expect(explainIncident(found, new Map(), worse)).toEqual({ cause: null, why: null });
    expect(
      explainIncident(found, new Map(), told(found, 'new_threshold', { ...OLD, status: 'healthy' })),
    ).toEqual({
      cause: 'new_threshold',
      why: tightened,
    });
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
