import { changeText, limitNotes } from '../../../web/src/application/limit-notes.js';
import { childrenText, durationText, ignoredText, whyText } from '../../../web/src/application/run-words.js';
import { metricSentence } from '../../../web/src/metric/sentence.js';
import { differenceText, distanceText, type Judged, valueText } from '../../../web/src/words/quantity.js';

const judged = (value: number | null, status: Judged['status'], unit: string | null = null): Judged => ({
  value,
  status,
  unit,
  invalid_kind: value === null ? 'nan' : null,
  higher_is_better: true,
  critical_threshold: 0.7,
  warning_threshold: 0.8,
});

describe('quantities', () => {
  it('have units, a real minus and enough digits to show the side of a limit', () => {
    expect(valueText({ value: -447, invalid_kind: null, unit: 'ms' })).toBe('−447 ms');
    expect(valueText({ value: 0.79996, invalid_kind: null, unit: null }, 0.8)).toBe('0.79996');
    expect(valueText({ value: null, invalid_kind: '-inf', unit: 'ms' })).toBe('−∞');
    expect(differenceText(0.004, null)).toBe('+0.004');
    expect(differenceText(-0.011, '%')).toBe('−0.011 points');
    expect(differenceText(null, null)).toBe('–');
  });

  it('are seen from their limit', () => {
    expect(distanceText(judged(0.65, 'critical'))).toBe('0.05 below 0.7');
    expect(distanceText(judged(0.9, 'healthy', 'ms'))).toBe('0.1 above 0.8 ms');
    expect(distanceText(judged(0.8, 'healthy'))).toBe('exactly 0.8');
    expect(distanceText(judged(0.9, 'unmonitored'))).toBeNull();
    expect(distanceText(judged(null, 'invalid'))).toBeNull();
  });
});

describe('the sentence about a metric', () => {
  const sentence = (each: Judged, limit: number | null) =>
    metricSentence({ ...each, display_name: 'Recall', limit, distance: (each.value ?? 0) - (limit ?? 0) });
  it('names the value and the limit', () => {
    expect(sentence(judged(0.65, 'critical'), 0.7)).toBe('Recall: 0.65, below its critical limit of 0.7');
    expect(sentence(judged(0.9, 'healthy'), 0.8)).toBe('Recall: 0.9, above its warning limit of 0.8');
    expect(sentence(judged(0.9, 'unmonitored'), null)).toBe('Recall: 0.9, without a threshold');
    expect(sentence(judged(null, 'invalid'), 0.8)).toBe('Recall: not a number');
  });
});

describe('runs in words', () => {
  const run = {
    run_status: 'FINISHED',
    eligible: true,
    status: 'critical' as const,
    total_metrics: 3,
    evaluated_metrics: 2,
    started_at: '2026-11-24T10:00:00.000Z',
    ended_at: '2026-11-24T10:08:30.000Z',
    worst_metric: { ...judged(0.65, 'critical'), name: 'recall', display_name: 'Recall' },
  };
  it('say why they have their status', () => {
    expect(whyText(run)).toBe('0.05 below 0.7');
    expect(whyText({ ...run, run_status: 'RUNNING', eligible: false })).toBe(
      '0.05 below 0.7, so far; counts when it ends',
    );
    expect(whyText({ ...run, worst_metric: null, total_metrics: 0, run_status: 'FAILED' })).toBe(
      'ended before it logged a metric',
    );
    expect(whyText({ ...run, worst_metric: null, evaluated_metrics: 0 })).toBe('no metric has a threshold');
    expect(durationText(run)).toBe('8 min');
    expect(durationText({ ...run, ended_at: null, run_status: 'RUNNING' })).toBe('not ended');
    expect(durationText({ ...run, ended_at: null })).toBeNull();
  });

  it('count the children by status', () => {
    const none = {
      total: 0,
      running: 0,
      failed: 0,
      critical: 0,
      invalid: 0,
      warning: 0,
      healthy: 0,
      unmonitored: 0,
      ignored: 0,
    };
    expect(childrenText({ ...none, total: 24, critical: 2, healthy: 18, running: 4 })).toBe(
      '24 child runs: 2 critical, 18 healthy, 4 running',
    );
    expect([0, 3, 24].map((ignored) => ignoredText({ ...none, total: 24, ignored }))).toEqual([
      '',
      ', 3 of them not counted',
      ', not counted',
    ]);
  });
});

describe('changes of limits', () => {
  const change = (at: string, metric_name: string) => ({
    at,
    metric_name,
    experiment_id: null,
    old_critical_threshold: 0.82,
    old_warning_threshold: null,
    new_critical_threshold: 0.84,
    new_warning_threshold: 0.9,
    updated_by: 'ops',
    runs_changed: 1,
  });
  it('say what changed, who did it and what it changed', () => {
    expect(changeText(change('2026-11-12T00:00:00.000Z', 'recall'), null)).toBe(
      'critical limit from 0.82 to 0.84, warning limit set to 0.9, by ops; 1 run has another status',
    );
  });

  it('are lettered by time, and one change of a pattern is one note', () => {
    const [early, late] = [
      change('2026-11-12T00:00:00.000Z', '*_ms'),
      change('2026-11-13T00:00:00.000Z', 'p95_ms'),
    ];
    const metric = (display_name: string, limit_changes: (typeof early)[]) => ({
      display_name,
      unit: 'ms',
      limit_changes,
    });
    const notes = limitNotes([metric('p95', [late, early]), metric('p50', [early])]);
    expect(notes.map(({ letter, metrics }) => [letter, metrics])).toEqual([
      ['a', ['p95', 'p50']],
      ['b', ['p95']],
    ]);
  });
});
