import fc from 'fast-check';
import { METRIC_STATUSES } from '../../../src/domain/model.js';
import { invalidKind, metricStatus, publishedValue, worst } from '../../../src/domain/status.js';

const limits = (
  higher_is_better: boolean | null,
  critical_threshold: number | null,
  warning_threshold: number | null,
) => ({ higher_is_better, critical_threshold, warning_threshold });

describe('the status of a metric', () => {
  const higher = limits(true, 0.7, 0.8);
  const lower = limits(false, 500, 250);

  it.each([
    ['above both limits', 0.9, 'healthy'],
    ['exactly on the warning limit', 0.8, 'healthy'],
    ['the double below the warning limit', 0.7999999999999999, 'warning'],
    ['exactly on the critical limit', 0.7, 'warning'],
    ['the double below the critical limit', 0.6999999999999998, 'critical'],
    ['far below', -1e300, 'critical'],
  ])('higher is better, %s: %d is %s', (_, value, status) => {
    expect(metricStatus(value, higher)).toBe(status);
  });

  it.each([
    ['below both limits', 249, 'healthy'],
    ['exactly on the warning limit', 250, 'healthy'],
    ['the double above the warning limit', 250.00000000000003, 'warning'],
    ['exactly on the critical limit', 500, 'warning'],
    ['the double above the critical limit', 500.00000000000006, 'critical'],
    ['far above', 1e300, 'critical'],
  ])('lower is better, %s: %d is %s', (_, value, status) => {
    expect(metricStatus(value, lower)).toBe(status);
  });

  it.each([
    ['nan', Number.NaN],
    ['inf', Number.POSITIVE_INFINITY],
    ['-inf', Number.NEGATIVE_INFINITY],
    // What MLflow's SQL store makes of an infinite value.
    ['inf', 1.7976931348623157e308],
    ['-inf', -1.7976931348623157e308],
  ])('%s: %d is invalid, whichever way is better, and is not published', (kind, value) => {
    expect(invalidKind(value)).toBe(kind);
    expect(publishedValue(value)).toBeNull();
    expect(metricStatus(value, higher)).toBe('invalid');
    expect(metricStatus(value, lower)).toBe('invalid');
  });

  it.each([0, -0, 1.797693134862315e308, -1.797693134862315e308, 5e-324])('%d is valid', (value) => {
    expect(invalidKind(value)).toBeNull();
    expect(publishedValue(value)).toBe(value);
  });

  it('of an invalid value as datasets show it is invalid', () => {
    expect(metricStatus(null, higher)).toBe('invalid');
  });

  it.each([
    ['without both limits', limits(true, null, null)],
    ['without a direction', limits(null, 0.7, 0.7)],
    ['without anything', limits(null, null, null)],
  ])('%s is unmonitored, also of an invalid value', (_, rule) => {
    for (const value of [0, Number.NaN, Number.POSITIVE_INFINITY, null]) {
      expect(metricStatus(value, rule)).toBe('unmonitored');
    }
  });

  it.each([
    [limits(true, 0.7, null), 0.69, 'critical'],
    [limits(true, 0.7, null), 0.7, 'healthy'],
    [limits(true, null, 0.8), 0.79, 'warning'],
    [limits(true, null, 0.8), -1e300, 'warning'],
    [limits(false, 500, null), 501, 'critical'],
    [limits(false, null, 250), 1e300, 'warning'],
    [limits(false, null, 250), 250, 'healthy'],
    [limits(true, 0, null), -0, 'healthy'],
  ])('a null limit is never passed: %j, %d is %s', (rule, value, status) => {
    expect(metricStatus(value, rule)).toBe(status);
  });

  it('judges critical first where the limits are in the wrong order', () => {
    const swapped = limits(true, 0.8, 0.7);
    expect([0.6, 0.75, 0.8].map((value) => metricStatus(value, swapped))).toEqual([
      'critical',
      'critical',
      'healthy',
    ]);
  });

  it('is monotone: a better value never has a worse status', () => {
    const finite = fc.double({ noNaN: true, noDefaultInfinity: true, max: 1e308, min: -1e308 });
    const limit = fc.option(finite, { nil: null });
    fc.assert(
      fc.property(fc.boolean(), limit, limit, finite, finite, (higherIsBetter, critical, warning, a, b) => {
        const rule = limits(higherIsBetter, critical, warning);
        const [worse, better] = a < b === higherIsBetter ? [a, b] : [b, a];
        const rank = (value: number) => METRIC_STATUSES.indexOf(metricStatus(value, rule));
        expect(rank(worse)).toBeLessThanOrEqual(rank(better));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the status of a run', () => {
  it.each([
    [['healthy', 'warning', 'invalid', 'critical', 'unmonitored'], 'critical'],
    [['healthy', 'warning', 'invalid', 'unmonitored'], 'invalid'],
    [['unmonitored', 'healthy', 'warning'], 'warning'],
    [['unmonitored', 'healthy'], 'healthy'],
    [['unmonitored'], 'unmonitored'],
    [[], 'unmonitored'],
  ] as const)('of %j is %s', (statuses, status) => {
    expect(worst(statuses)).toBe(status);
  });

  it('ignores the order and repetitions of its metrics', () => {
    const statuses = fc.array(fc.constantFrom(...METRIC_STATUSES), { maxLength: 12 });
    const shuffled = statuses.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, ([list, other]) => {
        expect(worst(other)).toBe(worst(list));
        expect(worst([...list, ...other])).toBe(worst(list));
      }),
      { numRuns: 500 },
    );
  });
});
