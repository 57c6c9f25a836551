import fc from 'fast-check';
import { METRIC_STATUSES, type MetricStatus } from '../../../src/domain/model.js';
import {
  lastUnhealthySequence,
  needsAttention,
  noDataSince,
  worstMetric,
} from '../../../src/domain/needs-attention.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TO = Date.parse('2026-03-10T16:00:00Z');

describe('needsAttention', () => {
  it.each([
    ['critical', null, true],
    ['warning', null, true],
    ['healthy', TO - HOUR, false],
    ['unmonitored', TO - HOUR, false],
    ['no_data', null, false],
    ['no_data', TO - 2 * DAY, true],
    ['no_data', TO - 7 * DAY, true],
    ['no_data', TO - 7 * DAY - 1, false],
  ] as const)('%s, last run %p: %p', (light, lastRun, expected) => {
    expect(needsAttention(light, lastRun, TO)).toBe(expected);
  });
});

describe('worstMetric', () => {
  const metric = (metric_name: string, critical: number, invalid: number, warning: number) => ({
    metric_name,
    critical,
    invalid,
    warning,
  });
  it.each([
    ['critical runs', [metric('a', 1, 9, 9), metric('b', 2, 0, 0)], 'b'],
    ['invalid runs', [metric('a', 1, 0, 9), metric('b', 1, 1, 0)], 'b'],
    ['warnings', [metric('a', 1, 1, 2), metric('b', 1, 1, 3)], 'b'],
    ['name, by its bytes', [metric('a', 0, 0, 1), metric('B', 0, 0, 1)], 'B'],
  ])('compares by %s', (_, metrics, expected) => {
    expect(worstMetric(metrics)?.metric_name).toBe(expected);
    expect(worstMetric([...metrics].reverse())?.metric_name).toBe(expected);
  });

  it('is null if no metric has unhealthy runs', () => {
    expect(worstMetric([metric('a', 0, 0, 0)])).toBeNull();
    expect(worstMetric([])).toBeNull();
  });
});

describe('lastUnhealthySequence', () => {
  /** One run per hour; each letter is the initial of its status. */
  const series = (letters: string) =>
    [...letters].map((letter, i) => ({
      time: TO + i * HOUR,
      status: METRIC_STATUSES.find((status) => status.startsWith(letter)) as MetricStatus,
    }));
  it.each([
    ['hhh', null],
    ['', null],
    ['uu', null],
    ['hhccc', [2, 4]],
    ['cchwicw', [3, 6]],
    ['ccc', [0, 2]],
    // Unmonitored runs neither break nor start a sequence.
    ['hcuc', [1, 3]],
    ['hucc', [2, 3]],
    // Later healthy runs end a sequence but do not hide it.
    ['hwwhh', [1, 2]],
    ['cchch', [3, 3]],
  ])('%s: %p', (letters, expected) => {
    const found = lastUnhealthySequence(series(letters), 0);
    expect(found && [found.first, found.last]).toEqual(expected);
    expect(found?.began_before ?? false).toBe(false);
  });

  it.each([
    // The span begins with the third run.
    ['hhccc', [2, 4], false],
    ['hcccc', [2, 4], true],
    ['hcchc', [4, 4], false],
    ['ccchh', [2, 2], true],
    ['cchhh', null, false],
    ['cuhhc', [4, 4], false],
    ['huccc', [2, 4], false],
  ])('starts at the start of the span: %s: %p, began before: %p', (letters, expected, before) => {
    const found = lastUnhealthySequence(series(letters), TO + 2 * HOUR);
    expect(found && [found.first, found.last]).toEqual(expected);
    expect(found?.began_before ?? false).toBe(before);
  });

  it('finds a sequence without a healthy run in it and without an unhealthy run after it', () => {
    const letters = fc.array(fc.constantFrom('c', 'i', 'w', 'h', 'u')).map((list) => list.join(''));
    fc.assert(
      fc.property(letters, (text) => {
        const points = series(text);
        const unhealthy = (i: number) => !['healthy', 'unmonitored'].includes(points[i]?.status ?? 'healthy');
        const found = lastUnhealthySequence(points, 0);
        if (!found) return points.every((_, i) => !unhealthy(i));
        const inside = points.slice(found.first, found.last + 1);
        const before = points.slice(0, found.first).findLast(({ status }) => status !== 'unmonitored');
        return (
          unhealthy(found.first) &&
          unhealthy(found.last) &&
          inside.every(({ status }) => status !== 'healthy') &&
          (before === undefined || before.status === 'healthy') &&
          points.every((_, i) => i <= found.last || !unhealthy(i))
        );
      }),
    );
  });
});

describe('noDataSince', () => {
  it('is the first hour whose span no longer includes the hour of the last run', () => {
    const last = Date.parse('2026-03-09T15:59:00Z');
    expect(new Date(noDataSince(last, 24)).toISOString()).toBe('2026-03-10T15:00:00.000Z');
  });
});
