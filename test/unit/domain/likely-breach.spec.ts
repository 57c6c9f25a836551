import { type LikelyBreach, nextBreach, soonestBreaches } from '../../../src/domain/likely-breach.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-03-10T15:30:00Z');

const series = (more: Partial<LikelyBreach> = {}): LikelyBreach => ({
  application: 'churn',
  metric_name: 'accuracy',
  fitted_at: NOW - HOUR,
  warning_earliest: null,
  warning_expected: null,
  critical_earliest: null,
  critical_expected: null,
  ...more,
});
const warning = (earliest: number, expected: number) => ({
  warning_earliest: NOW + earliest,
  warning_expected: NOW + expected,
});
const critical = (earliest: number, expected: number) => ({
  critical_earliest: NOW + earliest,
  critical_expected: NOW + expected,
});

describe('the next breach of a series', () => {
  it('is the one that is expected first', () => {
    const both = series({ ...warning(DAY, 2 * DAY), ...critical(3 * DAY, 5 * DAY) });
    expect(nextBreach(both, NOW)).toEqual({
      status: 'warning',
      earliest: NOW + DAY,
      expected: NOW + 2 * DAY,
    });
    expect(nextBreach(series(critical(-HOUR, HOUR)), NOW)?.status).toBe('critical');
  });

  it('is none after its expected time, or without a breach', () => {
    expect(nextBreach(series(warning(-HOUR, 0)), NOW)).toBeUndefined();
    expect(nextBreach(series(warning(-HOUR, 1)), NOW)?.status).toBe('warning');
    expect(nextBreach(series(), NOW)).toBeUndefined();
    // The warning may have come; the critical limit is still ahead.
    expect(nextBreach(series({ ...warning(-DAY, -HOUR), ...critical(HOUR, DAY) }), NOW)?.status).toBe(
      'critical',
    );
  });
});

it('shows of each application the series that breaches first, soonest application first', () => {
  const all = [
    series({ metric_name: 'recall', ...warning(0, 3 * DAY) }),
    series({ metric_name: 'auc', ...critical(0, 2 * DAY) }),
    series({ application: 'fraud', metric_name: 'loss', ...warning(0, DAY) }),
    series({ application: 'fraud', metric_name: 'auc', ...warning(0, DAY) }),
    series({ application: 'old', ...warning(-DAY, -1) }),
  ];
  const shown = soonestBreaches(all, NOW).map(({ series: { application, metric_name }, next }) => [
    application,
    metric_name,
    next.status,
  ]);
  expect(shown).toEqual([
    ['fraud', 'auc', 'warning'],
    ['churn', 'auc', 'critical'],
  ]);
});
