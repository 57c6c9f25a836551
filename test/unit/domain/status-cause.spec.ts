import { metricStatus } from '../../../src/domain/status.js';
import {
  explainChange,
  isComparable,
  isLateArrival,
  type JudgedMetric,
  lateAfterMs,
  type Observation,
} from '../../../src/domain/status-cause.js';

const HOUR = 3_600_000;
const END = Date.parse('2026-03-10T12:00:00Z');
const LIMITS = { higher_is_better: true, critical_threshold: 0.7, warning_threshold: 0.8 };

type Row = JudgedMetric & Observation;
/** A metric that was first observed a minute after its run ended. */
function row(value: number | null, rest: Partial<Row> = {}): Row {
  const limits = { ...LIMITS, ...rest };
  return {
    run_id: 'run',
    value,
    status: metricStatus(value, limits),
    threshold_updated_at: null,
    threshold_updated_by: null,
    ended_at: END,
    first_observed_at: END + 60_000,
    asked_before: END - 60_000,
    ...limits,
  };
}
const earlier = (value: number | null, rest: Partial<Row> = {}) => row(value, { run_id: 'before', ...rest });
const stricter = { critical_threshold: 0.85, warning_threshold: 0.9 };
const noDirection = { higher_is_better: null };
/** First observed just over an hour after its end, although MLflow was read half an hour after it. */
const late = { first_observed_at: END + HOUR + 1, asked_before: END + HOUR / 2 };

describe('the cause of a status change', () => {
  it.each<[string, Row | null, Row, string | null]>([
    ['the same status', earlier(0.9), row(0.95), null],
    ['the same status under another threshold', earlier(0.9), row(0.95, stricter), null],
    ['the same status, late', earlier(0.9), row(0.95, late), null],
    ['a lower value', earlier(0.9), row(0.6), 'new_value'],
    ['a recovery', earlier(0.6), row(0.9), 'new_value'],
    ['an invalid value', earlier(0.9), row(null), 'new_value'],
    ['no previous run', null, row(0.6), 'new_value'],
    ['no previous run, late', null, row(0.6, late), 'late_data'],
    ['the same run under a stricter threshold', row(0.82), row(0.82, stricter), 'new_threshold'],
    ['the next run under a stricter threshold', earlier(0.82), row(0.83, stricter), 'new_threshold'],
    ['a lower value that passes the old threshold', earlier(0.95), row(0.82, stricter), 'new_threshold'],
    ['the first threshold', earlier(0.9, noDirection), row(0.6), 'new_threshold'],
    ['a value below both thresholds', earlier(0.9), row(0.6, stricter), 'new_value'],
    ['a different status under both thresholds', earlier(0.9), row(0.75, stricter), 'new_value'],
    ['a late run', earlier(0.9), row(0.6, late), 'late_data'],
    [
      'a late run under a stricter threshold',
      earlier(0.82),
      row(0.82, { ...late, ...stricter }),
      'new_threshold',
    ],
    [
      'a run exactly at the limit for late runs',
      earlier(0.9),
      row(0.6, { ...late, first_observed_at: END + HOUR }),
      'new_value',
    ],
    ['a run that has not ended', earlier(0.9), row(0.6, { ...late, ended_at: null }), 'new_value'],
    [
      'a late run, MLflow not read in between',
      earlier(0.9),
      row(0.6, { ...late, asked_before: END }),
      'new_value',
    ],
    [
      'a late run, MLflow never read before',
      earlier(0.9),
      row(0.6, { ...late, asked_before: null }),
      'new_value',
    ],
  ])('of %s', (_, previous, current, cause) => {
    expect(explainChange(previous, current, HOUR)).toBe(cause);
  });

  it('compares an unhealthy metric with a better status, any other metric with a different one', () => {
    expect(isComparable('healthy', 'warning')).toBe(true);
    expect(isComparable('warning', 'critical')).toBe(true);
    expect(isComparable('unmonitored', 'critical')).toBe(true);
    expect(isComparable('critical', 'warning')).toBe(false);
    expect(isComparable('critical', 'critical')).toBe(false);
    expect(isComparable('critical', 'healthy')).toBe(true);
    expect(isComparable('healthy', 'unmonitored')).toBe(true);
    expect(isComparable('healthy', 'healthy')).toBe(false);
  });
});

describe('a late run', () => {
  it('is first observed more than 3 delta periods after its end', () => {
    const late = lateAfterMs(HOUR);
    expect(late).toBe(3 * HOUR);
    const isLate = (ms: number) => isLateArrival({ ended_at: END, first_observed_at: END + ms }, late);
    expect([isLate(late), isLate(late + 1)]).toEqual([false, true]);
  });
});
