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

/** Hourly runs before `TO`, judged by the limits 0.7 and 0.8; null is NaN. */
function series(values: readonly (number | null)[]): SeriesRun[] {
  return values.map((value, i) => ({
    application: 'churn',
    metric_name: 'accuracy',
    time: TO - (values.length - i) * HOUR,
    run_id: `run${i}`,
    user_id: null,
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
const incidentOf = (values: readonly (number | null)[]) => {
  const incident = findIncident(series(values), TO);
  if (!incident) throw new Error('no incident');
  return incident;
};

describe('findIncident', () => {
  it('finds the last unhealthy sequence, and the runs before and after it', () => {
    const incident = incidentOf([0.9, 0.6, 0.9, 0.75, null, 0.9, 0.9]);
    expect(incident.first.run_id).toBe('run3');
    expect(incident.last.run_id).toBe('run4');
    expect(incident.previous?.run_id).toBe('run2');
    expect(incident.before.map(({ run_id }) => run_id)).toEqual(['run0', 'run2']);
    expect(incident.since.map(({ run_id }) => run_id)).toEqual(['run3', 'run4']);
    expect(incident.healthy_again).toBe(2);
    expect(incidentOf([0.6]).previous).toBeNull();
    expect(findIncident(series([0.9, 0.9]), TO)).toBeNull();
  });

  it('has no healthy runs before if the sequence began before the 7 days', () => {
    const incident = incidentOf([0.9, ...Array(170).fill(0.6)]);
    expect(incident.began_before).toBe(true);
    expect(incident.first.time).toBe(TO - 7 * DAY);
    expect(incident.before).toEqual([]);
  });

  it('compares ten runs on each side, and includes the run that is shown', () => {
    const runs = runsToCompare(incidentOf([...Array(30).fill(0.9), ...Array(30).fill(0.6)]));
    expect(runs.map(({ run_id }) => run_id)).toEqual([
      ...Array.from({ length: 20 }, (_, i) => `run${i + 20}`),
      'run59',
    ]);
  });
});

describe('explainIncident', () => {
  const values = [0.9, 0.9, 0.9, 0.6, 0.6];
  it('names the change of a param, tag, model or dataset', () => {
    const labels = new Map<string, Labels>(
      values.map((value, i) => [`run${i}`, { version: value > 0.8 ? '1' : '2', market: `${i}` }]),
    );
    expect(explainIncident(incidentOf(values), labels, undefined)).toEqual({
      cause: null,
      why: 'The version changed from 1 to 2; the metric fell from 0.9 to 0.6.',
    });
    const models = series(values).map((run) => ({
      ...run,
      model_id: (run.value ?? 0) > 0.8 ? 'm-1' : 'm-2',
    }));
    const incident = findIncident(models, TO);
    expect(incident && explainIncident(incident, new Map(), undefined).why).toMatch(
      /^The model changed from m-1 to m-2/,
    );
  });

  const OLD = { higher_is_better: true, critical_threshold: 0.5, warning_threshold: 0.6 };
  /** An explanation of the first run of an incident. */
  const explanationOf = (
    incident: Incident,
    cause: Cause,
    previous: Partial<JudgedMetric>,
    ended_at = TO,
  ): Explanation => ({
    current: { ...incident.first, threshold_updated_at: '2026-03-10T11:02:00Z', threshold_updated_by: 'ops' },
    previous: { ...incident.first, ...previous },
    cause,
    at: '2026-03-10T16:00:00.000Z',
    ended_at: new Date(ended_at).toISOString(),
  });
  const tightened = 'The limit was tightened from 0.6 to 0.8 by ops on 10 Mar at 11:02 UTC.';

  it('describes the change of the limit if that is the cause', () => {
    const incident = incidentOf([0.9, 0.75, 0.75]);
    expect(
      explainIncident(
        incident,
        new Map(),
        explanationOf(incident, 'new_threshold', { ...OLD, status: 'healthy' }),
      ),
    ).toEqual({
      cause: 'new_threshold',
      why: tightened,
    });
    const before = { run_id: 'run0', status: 'healthy' } as const;
    expect(explainIncident(incident, new Map(), explanationOf(incident, 'new_value', before))).toEqual({
      cause: 'new_value',
      why: 'The metric fell from 0.9 to 0.75.',
    });
  });

  it('describes the value too if the shown run violates the old limit as well', () => {
    const incident = incidentOf([0.9, 0.75, 0.55]);
    expect(
      explainIncident(
        incident,
        new Map(),
        explanationOf(incident, 'new_threshold', { ...OLD, status: 'healthy' }),
      ).why,
    ).toBe(`${tightened} The metric fell from 0.9 to 0.55.`);
  });

  it.each([
    [[0.9, 0.75], 'The run ended on 10 Mar at 13:00 UTC but was first seen 3 h later.'],
    [[0.9, 0.75, 0.75], 'The first unhealthy run ended on 10 Mar at 13:00 UTC but was first seen 3 h later.'],
  ])('describes late data of %j', (values, expected) => {
    const incident = incidentOf(values);
    const late = explanationOf(incident, 'late_data', { run_id: 'run0', status: 'healthy' }, TO - 3 * HOUR);
    expect(explainIncident(incident, new Map(), late)).toEqual({
      cause: 'late_data',
      why: `${expected} The metric fell from 0.9 to 0.75.`,
    });
  });

  it('gives no cause if the incident began before the 7 days, unless a limit changed since', () => {
    const incident = incidentOf(Array(170).fill(0.75));
    expect(incident.previous?.run_id).toBe('run1');
    const worse = explanationOf(incident, 'new_value', { run_id: 'run1', status: 'critical' });
    expect(explainIncident(incident, new Map(), worse)).toEqual({ cause: null, why: null });
    expect(
      explainIncident(
        incident,
        new Map(),
        explanationOf(incident, 'new_threshold', { ...OLD, status: 'healthy' }),
      ),
    ).toEqual({
      cause: 'new_threshold',
      why: tightened,
    });
  });
});

describe('sparkline', () => {
  it('takes the run with the median value of every 3 hours, and the shown run', () => {
    const runs = series([0.1, 0.3, 0.2, 0.9, 0.5, 0.7, 0.4, null, 0.6]);
    const shown = runs[6];
    if (!shown) throw new Error('no run');
    expect(sparkline(runs, shown, TO).map(({ value }) => value)).toEqual([0.2, 0.7, 0.4]);
  });

  it('covers 7 days, and is empty for a series without values', () => {
    const [run] = series([0.9]);
    if (!run) throw new Error('no run');
    expect(sparkline([{ ...run, time: TO - 7 * DAY - 1 }], run, TO)).toEqual([]);
    expect(sparkline([{ ...run, value: null }], run, TO)).toEqual([]);
  });
});
