import { judgedByOlderRule, type StoredMetric } from '../../../src/dashboard/load-explanations.js';
import { metricStatus } from '../../../src/domain/status.js';
import { EMPTY_QUERY, type Rulebook } from '../../../src/state/rulebook.js';
import { domainDefaults } from '../../support/defaults.js';

const MINUTE = 60_000;
const OBSERVED = Date.parse('2026-03-10T12:00:00Z');

/** A critical limit, the minute of its change after the run was first observed, and its first day. */
type Change = readonly [critical: number, minute: number | null, first_day?: string];
const bookOf = (...changes: readonly Change[]): Rulebook => ({
  version: 1,
  asked: EMPTY_QUERY,
  entries: changes.map(([critical_threshold, minute, first_day = '2026-03-03']) => ({
    metric_name: 'accuracy',
    first_day: minute === null ? null : first_day,
    changed_at: minute === null ? null : OBSERVED + minute * MINUTE,
    metadata: null,
    thresholds: [
      {
        metric_name: 'accuracy',
        experiment_id: null,
        critical_threshold,
        warning_threshold: critical_threshold + 0.1,
        updated_at: null,
        updated_by: null,
      },
    ],
  })),
  settings: [{ first_day: null, settings: domainDefaults }],
});

/** A run with the value 0.75, judged by its current critical limit. */
function stored(critical_threshold: number): StoredMetric {
  const limits = {
    higher_is_better: true,
    critical_threshold,
    warning_threshold: critical_threshold + 0.1,
  };
  return {
    run_id: 'run',
    application: 'churn',
    experiment_id: '1',
    metric_name: 'accuracy',
    time: OBSERVED - 5 * MINUTE,
    value: 0.75,
    status: metricStatus(0.75, limits),
    ...limits,
    threshold_updated_at: null,
    threshold_updated_by: null,
    ended_at: OBSERVED - MINUTE,
    first_observed_at: OBSERVED,
  };
}
const olderRule = (critical: number, ...changes: readonly Change[]) => {
  const older = judgedByOlderRule(bookOf(...changes), stored(critical));
  return older && [older.previous.critical_threshold, older.previous.status, (older.at - OBSERVED) / MINUTE];
};

describe('judgedByOlderRule', () => {
  it('finds the rule before the newest change that explains the status', () => {
    expect(olderRule(0.8, [0.6, null], [0.8, 3])).toEqual([0.6, 'healthy', 3]);
    expect(olderRule(0.7, [0.6, null], [0.7, 3])).toEqual([0.6, 'healthy', 3]);
    expect(olderRule(0.8, [0.6, null], [0.7, 3], [0.8, 5])).toEqual([0.7, 'warning', 5]);
    expect(olderRule(0.9, [0.6, null], [0.8, 3], [0.9, 5])).toEqual([0.6, 'healthy', 3]);
    expect(olderRule(0.6, [0.8, null], [0.6, 3])).toEqual([0.8, 'critical', 3]);
  });

  it.each<[string, number, readonly Change[]]>([
    [
      'that gives the same status',
      0.8,
      [
        [0.78, null],
        [0.8, 3],
      ],
    ],
    [
      'that was stricter, if the run is unhealthy',
      0.7,
      [
        [0.8, null],
        [0.7, 3],
      ],
    ],
    [
      'that was replaced before the run was observed',
      0.8,
      [
        [0.6, null],
        [0.8, -3],
      ],
    ],
    [
      'that still applies to the day of the run',
      0.6,
      [
        [0.6, null],
        [0.8, 3, '2026-03-11'],
      ],
    ],
    ['if there is only one rule', 0.8, [[0.8, null]]],
  ])('finds no rule %s', (_, critical, changes) => {
    expect(olderRule(critical, ...changes)).toBeUndefined();
  });
});
