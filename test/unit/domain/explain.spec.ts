import { explainChange, type JudgedMetric, type Observation } from '../../../src/domain/explain.js';
import { metricStatus } from '../../../src/domain/status.js';

const HOUR = 3_600_000;
const END = Date.parse('2026-03-10T12:00:00Z');
const LIMITS = { higher_is_better: true, critical_threshold: 0.7, warning_threshold: 0.8 };

type Row = JudgedMetric & Observation;
/** A metric that was seen a minute after its run had ended. */
function row(value: number | null, rest: Partial<Row> = {}): Row {
  const limits = { ...LIMITS, ...rest };
  return {
    run_id: 'run',
    value,
    status: metricStatus(value, limits),
    threshold_updated_at: null,
    ended_at: END,
    first_observed_at: END + 60_000,
    changed_at: END + 60_000,
    ...limits,
  };
}
const earlier = (value: number | null, rest: Partial<Row> = {}) => row(value, { run_id: 'before', ...rest });
const stricter = { critical_threshold: 0.85, warning_threshold: 0.9 };
const cause = (previous: Row | null, current: Row) => explainChange(previous, current, HOUR);

describe('why a metric has another status', () => {
  it('is no question where the status is the same', () => {
    expect(cause(earlier(0.9), row(0.95))).toBeNull();
    expect(cause(earlier(0.9), row(0.95, stricter))).toBeNull();
  });

  it('is a new value', () => {
    expect(cause(earlier(0.9), row(0.6))).toBe('new_value');
    expect(cause(earlier(0.6), row(0.9))).toBe('new_value');
    expect(cause(earlier(0.9), row(null))).toBe('new_value');
    expect(cause(null, row(0.6))).toBe('new_value');
  });

  it('is a new threshold, of the same run and of the next one', () => {
    expect(cause(row(0.82), row(0.82, stricter))).toBe('new_threshold');
    expect(cause(earlier(0.82), row(0.83, stricter))).toBe('new_threshold');
    expect(cause(earlier(0.9, { higher_is_better: null }), row(0.6))).toBe('new_threshold');
  });

  it('is the value where it had another status under the old threshold too', () => {
    expect(cause(earlier(0.9), row(0.6, stricter))).toBe('new_value');
    expect(cause(earlier(0.9), row(0.75, stricter))).toBe('new_value');
  });

  it('is a new threshold of a run without a run before it, if it is younger than its facts', () => {
    const at = (ms: number) => ({ threshold_updated_at: new Date(ms).toISOString() });
    expect(cause(null, row(0.6, at(END + 2 * 60_000)))).toBe('new_threshold');
    expect(cause(null, row(0.6, at(END)))).toBe('new_value');
    // Beside a row of before, its limits tell.
    expect(cause(earlier(0.9), row(0.6, at(END + 2 * 60_000)))).toBe('new_value');
  });

  it('is late data where a run came long after its end', () => {
    const late = { first_observed_at: END + HOUR + 1, changed_at: END + HOUR + 1 };
    expect(cause(earlier(0.9), row(0.6, late))).toBe('late_data');
    expect(cause(earlier(0.9), row(0.6, { ...late, first_observed_at: END + HOUR }))).toBe('new_value');
    expect(cause(earlier(0.9), row(0.6, { ...late, ended_at: null }))).toBe('new_value');
    expect(cause(earlier(0.82), row(0.82, { ...late, ...stricter }))).toBe('new_threshold');
  });

  it('is late data where the value of a run was changed long after its end', () => {
    const edited = { changed_at: END + 30 * HOUR };
    expect(cause(row(0.9), row(0.6, edited))).toBe('late_data');
    // A later edit, such as of a tag, does not make a run late that came in time.
    expect(cause(earlier(0.9), row(0.6, edited))).toBe('new_value');
  });
});
