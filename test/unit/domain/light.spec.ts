import fc from 'fast-check';
import { addCounts, light, NO_RUNS, rates } from '../../../src/domain/light.js';
import { countsOf, domainDefaults } from '../../support/defaults.js';

const judge = (parts: Parameters<typeof countsOf>[0], settings = {}) => {
  const verdict = light(countsOf(parts), { ...domainDefaults, ...settings });
  return `${verdict.light}: ${verdict.reason}`;
};

describe('the light', () => {
  it.each([
    [0, 0, 0, 'No run in the last 24 h.'],
    [1, 0, 0, 'No run that counts in the last 24 h: 1 run is a child of another run and not counted.'],
    [
      10,
      9,
      0,
      'No run that counts in the last 24 h: 10 runs are children of another run and not counted (9 critical).',
    ],
    [0, 0, 1, 'No run that counts in the last 24 h: 1 run has not ended.'],
    [
      2,
      0,
      2,
      'No run that counts in the last 24 h: 2 runs are children of another run and not counted; 2 runs have not ended.',
    ],
  ])(
    'names %d child runs (%d critical) and %d open runs if nothing counts',
    (children, critical_children, running, reason) => {
      const left = { children, critical_children };
      expect(light({ ...NO_RUNS, running }, domainDefaults, left)).toEqual({ light: 'no_data', reason });
      expect(light({ ...NO_RUNS, running }, domainDefaults).reason).toBe('No run in the last 24 h.');
      const one = { ...NO_RUNS, running, total: 1, healthy: 1 };
      expect(light(one, domainDefaults, left)).toEqual(light(one, domainDefaults));
    },
  );

  it.each([
    [{}, 'no_data: No run in the last 24 h.'],
    // Running runs do not count unless they are judged.
    [{ running: 3 }, 'no_data: No run in the last 24 h.'],
    [{ critical: 3, healthy: 5 }, 'critical: 3 of 8 runs are critical (37.5 %); the limit is 20 %.'],
    [{ critical: 1 }, 'critical: 1 of 1 run is critical (100.0 %); the limit is 20 %.'],
    [
      { critical: 1, healthy: 2, unmonitored: 5 },
      'critical: 1 of 3 runs is critical (33.3 %); the limit is 20 %.',
    ],
    [{ invalid: 2, healthy: 6 }, 'critical: The pass rate is 75.0 %; the limit is 80 %.'],
    [{ critical: 1, invalid: 1, healthy: 5 }, 'critical: The pass rate is 71.4 %; the limit is 80 %.'],
    [
      { critical: 1, invalid: 1, healthy: 8 },
      'warning: 2 of 10 runs are critical or invalid (20.0 %); the limit is 5 %.',
    ],
    [{ invalid: 1, healthy: 6 }, 'warning: 1 of 7 runs is critical or invalid (14.3 %); the limit is 5 %.'],
    [{ warning: 3, healthy: 7 }, 'warning: The strict pass rate is 70.0 %; the limit is 80 %.'],
    [{ healthy: 8, failed: 6 }, 'warning: 6 of 8 runs failed (75.0 %); the limit is 50 %.'],
    [{ healthy: 1, failed: 1 }, 'warning: 1 of 1 run failed (100.0 %); the limit is 50 %.'],
    [{ unmonitored: 8, failed: 8 }, 'warning: 8 of 8 runs failed (100.0 %); the limit is 50 %.'],
    [{ unmonitored: 8 }, 'unmonitored: None of the 8 runs has a threshold.'],
    [{ unmonitored: 1 }, 'unmonitored: The run has no threshold.'],
    [{ healthy: 8 }, 'healthy: All 8 runs are healthy.'],
    [{ healthy: 1 }, 'healthy: The run is healthy.'],
    [{ healthy: 8, unmonitored: 2 }, 'healthy: All 8 runs with a threshold are healthy; 2 have none.'],
    [{ healthy: 8, unmonitored: 1 }, 'healthy: All 8 runs with a threshold are healthy; 1 has none.'],
    [{ healthy: 1, unmonitored: 2 }, 'healthy: The run with a threshold is healthy; 2 have none.'],
    [{ healthy: 7, warning: 1 }, 'healthy: 7 of 8 runs are healthy, 1 is a warning.'],
    [{ healthy: 16, warning: 4 }, 'healthy: 16 of 20 runs are healthy, 4 are warnings.'],
    [
      { healthy: 8, warning: 1, unmonitored: 1 },
      'healthy: 8 of 10 runs are healthy, 1 is a warning, 1 has no threshold.',
    ],
    [{ healthy: 19, critical: 1 }, 'healthy: 19 of 20 runs are healthy, 1 is critical.'],
    [
      { healthy: 40, warning: 2, critical: 1, invalid: 1, unmonitored: 2 },
      'healthy: 40 of 46 runs are healthy, 2 are warnings, 1 is critical, 1 is invalid, 2 have no threshold.',
    ],
    [
      { healthy: 90, critical: 2, invalid: 3 },
      'warning: 5 of 95 runs are critical or invalid (5.3 %); the limit is 5 %.',
    ],
    [
      { healthy: 95, critical: 2, invalid: 3 },
      'healthy: 95 of 100 runs are healthy, 2 are critical, 3 are invalid.',
    ],
  ])('of %j is %s', (counts, expected) => {
    expect(judge(counts)).toBe(expected);
  });

  it.each([
    [
      'critical runs',
      { critical: 20, healthy: 80 },
      { critical: 21, healthy: 79 },
      'critical',
      { warning_runs_percent: 100 },
    ],
    [
      'the pass rate',
      { invalid: 20, healthy: 80 },
      { invalid: 21, healthy: 79 },
      'critical',
      { warning_runs_percent: 100 },
    ],
    [
      'critical or invalid runs',
      { critical: 3, invalid: 2, healthy: 95 },
      { critical: 3, invalid: 3, healthy: 94 },
      'warning',
      {},
    ],
    ['the strict pass rate', { warning: 20, healthy: 80 }, { warning: 21, healthy: 79 }, 'warning', {}],
    ['failed runs', { healthy: 100, failed: 50 }, { healthy: 100, failed: 51 }, 'warning', {}],
  ])('gets the better status at the limit of %s', (_, equal, beyond, worse, settings) => {
    expect(judge(equal, settings)).toMatch(/^healthy/);
    expect(judge(beyond, settings)).toMatch(new RegExp(`^${worse}`));
  });

  it.each([
    // In doubles, 100·7/100 is 7.000000000000001, and 0.1 cannot be represented.
    [{ critical: 7, healthy: 93 }, { critical_runs_percent: 7, warning_runs_percent: 100 }, 'healthy'],
    [{ critical: 1, healthy: 999 }, { critical_runs_percent: 0.1, warning_runs_percent: 0.1 }, 'healthy'],
    [{ critical: 1, healthy: 998 }, { critical_runs_percent: 0.1, warning_runs_percent: 0.1 }, 'critical'],
    [{ warning: 11, healthy: 989 }, { pass_rate_percent: 98.9 }, 'healthy'],
    [{ warning: 11, healthy: 988 }, { pass_rate_percent: 98.9 }, 'warning'],
    [{ invalid: 29, healthy: 9971 }, { warning_runs_percent: 0.29 }, 'healthy'],
    [{ invalid: 29, healthy: 9970 }, { warning_runs_percent: 0.29 }, 'warning'],
    [
      { critical: 1, healthy: 0 },
      { critical_runs_percent: 100, pass_rate_percent: 0, warning_runs_percent: 100 },
      'healthy',
    ],
  ])('treats limits as decimal numbers: %j with %j is %s', (counts, settings, expected) => {
    expect(judge(counts, settings)).toMatch(new RegExp(`^${expected}:`));
  });

  it('prints the limit as configured, and the span', () => {
    expect(judge({ critical: 1, healthy: 1 }, { critical_runs_percent: 12.5 })).toContain(
      'the limit is 12.5 %.',
    );
    expect(judge({}, { light_span_hours: 6 })).toBe('no_data: No run in the last 6 h.');
  });

  it.each([
    [1, 8, '12.5'],
    [1, 3, '33.3'],
    [2, 3, '66.7'],
    // Rounded half up from the exact fraction: 0.25 and 0.35 percent.
    [1, 400, '0.3'],
    [7, 2000, '0.4'],
    [1, 2001, '0.0'],
    [999_999, 1_000_000, '100.0'],
  ])('rounds %d of %d to %s %%', (failed, healthy, text) => {
    expect(judge({ healthy, failed }, { failed_runs_percent: 0 })).toContain(`(${text} %)`);
  });

  it('does not change if all counts are multiplied', () => {
    const count = fc.nat({ max: 30 });
    const counts = fc.record({
      critical: count,
      invalid: count,
      warning: count,
      healthy: count,
      unmonitored: count,
    });
    fc.assert(
      fc.property(
        counts,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 2, max: 1000 }),
        (parts, share, k) => {
          const one = countsOf(parts);
          const failed = Math.floor(share * one.total);
          const times = Object.fromEntries(
            Object.entries({ ...parts, failed }).map(([name, n]) => [name, n * k]),
          );
          expect(light(countsOf(times), domainDefaults).light).toBe(
            light({ ...one, failed }, domainDefaults).light,
          );
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('rates', () => {
  it.each([
    [{}, { evaluated: 0, pass_rate: null, strict_pass_rate: null, coverage: null }],
    [{ unmonitored: 4 }, { evaluated: 0, pass_rate: null, strict_pass_rate: null, coverage: 0 }],
    [{ critical: 4 }, { evaluated: 4, pass_rate: 0, strict_pass_rate: 0, coverage: 100 }],
    [
      { critical: 1, invalid: 1, warning: 2, healthy: 4, unmonitored: 2 },
      { evaluated: 8, pass_rate: 75, strict_pass_rate: 50, coverage: 80 },
    ],
    [
      { healthy: 1, warning: 2 },
      { evaluated: 3, pass_rate: 100, strict_pass_rate: 100 / 3, coverage: 100 },
    ],
  ])('of %j are %j', (counts, expected) => {
    expect(rates(countsOf(counts))).toEqual(expected);
  });
});

describe('counts', () => {
  it('are added field by field', () => {
    const a = {
      total: 1,
      critical: 2,
      invalid: 3,
      warning: 4,
      healthy: 5,
      unmonitored: 6,
      running: 7,
      failed: 8,
    };
    const sum = {
      total: 2,
      critical: 4,
      invalid: 6,
      warning: 8,
      healthy: 10,
      unmonitored: 12,
      running: 14,
      failed: 16,
    };
    expect(addCounts(a, a)).toEqual(sum);
    expect(addCounts(a, NO_RUNS)).toEqual(a);
  });
});
