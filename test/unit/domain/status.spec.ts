import fc from 'fast-check';
import { METRIC_STATUSES } from '../../../src/domain/model.js';
import { invalidKind, metricStatus } from '../../../src/domain/status.js';

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
    ['equal to the warning limit', 0.8, 'healthy'],
    ['the next double below the warning limit', 0.7999999999999999, 'warning'],
    ['equal to the critical limit', 0.7, 'warning'],
    ['the next double below the critical limit', 0.6999999999999998, 'critical'],
    ['far below', -1e300, 'critical'],
  ])('higher is better, %s: %d is %s', (_, value, status) => {
    expect(metricStatus(value, higher)).toBe(status);
  });

  it.each([
    ['below both limits', 249, 'healthy'],
    ['equal to the warning limit', 250, 'healthy'],
    ['the next double above the warning limit', 250.00000000000003, 'warning'],
    ['equal to the critical limit', 500, 'warning'],
    ['the next double above the critical limit', 500.00000000000006, 'critical'],
    ['far above', 1e300, 'critical'],
  ])('lower is better, %s: %d is %s', (_, value, status) => {
    expect(metricStatus(value, lower)).toBe(status);
  });

  it.each([
    ['nan', Number.NaN],
    ['inf', Number.POSITIVE_INFINITY],
    ['-inf', Number.NEGATIVE_INFINITY],
    // MLflow's SQL store replaces infinities by these.
    ['inf', 1.7976931348623157e308],
    ['-inf', -1.7976931348623157e308],
  ])('%s: %d is invalid in either direction', (kind, value) => {
    expect(invalidKind(value)).toBe(kind);
    expect(metricStatus(value, higher)).toBe('invalid');
    expect(metricStatus(value, lower)).toBe('invalid');
  });

  it.each([0, -0, 1.797693134862315e308, -1.797693134862315e308, 5e-324])('%d is valid', (value) => {
    expect(invalidKind(value)).toBeNull();
  });

  it('is invalid for null, the published form of an invalid value', () => {
    expect(metricStatus(null, higher)).toBe('invalid');
  });

  it.each([
    ['any limit', limits(true, null, null)],
    ['a direction', limits(null, 0.7, 0.7)],
    ['limits and a direction', limits(null, null, null)],
  ])('is unmonitored without %s, even for an invalid value', (_, rule) => {
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
  ])('ignores a limit that is null: %j, %d is %s', (rule, value, status) => {
    expect(metricStatus(value, rule)).toBe(status);
  });

  it('checks the critical limit first if the limits are in the wrong order', () => {
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
