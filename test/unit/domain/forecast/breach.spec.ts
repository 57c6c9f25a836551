import { breachesOf, MIN_PROBABILITY } from '../../../../src/domain/forecast/breach.js';
import type { Forecast } from '../../../../src/domain/forecast/forecast-ahead.js';
import { MS_PER_DAY, MS_PER_HOUR } from '../../../../src/domain/time.js';
import { forecastOf, MONDAY, regular } from '../../../support/forecast-series.js';
import { noiseFrom } from '../../../support/noise.js';

/** A forecast whose level falls from 10 by 1 a day for 8 days, with a standard deviation. */
function falling(deviation: number): Forecast {
  const times = Float64Array.from({ length: 24 }, (_, k) => MONDAY + (k + 1) * 8 * MS_PER_HOUR);
  const levels = Float64Array.from({ length: 25 }, (_, k) => 10 - k / 3);
  const empty = new Float64Array(24);
  return {
    times,
    forecast: levels.slice(1),
    lower80: empty,
    upper80: empty,
    lower95: empty,
    upper95: empty,
    levels,
    levelDeviations: levels.map(() => deviation),
  };
}
const rule = (warning: number | null, critical: number | null, higher: boolean | null = true) => ({
  warning_threshold: warning,
  critical_threshold: critical,
  higher_is_better: higher,
});
const days = (time: number | undefined) => ((time ?? Number.NaN) - MONDAY) / MS_PER_DAY;

describe('a breach', () => {
  it('is expected when the level crosses the limit, and possible when the 80 % band of the level reaches it', () => {
    const { status, warning, critical } = breachesOf(falling(0.5), MONDAY, rule(7, 5));
    expect(status).toBe('critical');
    expect(days(warning?.expected)).toBeCloseTo(3, 6);
    expect(days(warning?.earliest)).toBeCloseTo(3 - 1.2815515655446004 * 0.5, 6);
    expect(days(critical?.expected)).toBeCloseTo(5, 6);
    expect(warning?.probability).toBeGreaterThan(0.999);
  });

  it('is shown only from a probability of 80 %', () => {
    const at = (limit: number) => breachesOf(falling(1), MONDAY, rule(limit, null)).warning;
    // The level ends at 2: 0.8416 standard deviations beyond the limit.
    expect(at(2.85)?.probability).toBeGreaterThan(MIN_PROBABILITY);
    expect(at(2.83)).toBeNull();
  });

  it('is null if the limit is absent or crossed already, and without a direction', () => {
    const none = { status: null, warning: null, critical: null };
    expect(breachesOf(falling(0.5), MONDAY, rule(null, null))).toEqual(none);
    expect(breachesOf(falling(0.5), MONDAY, rule(7, 5, null))).toEqual(none);
    expect(breachesOf(falling(0.5), MONDAY, rule(7, 5, false))).toEqual(none);
    const { status, warning, critical } = breachesOf(falling(0.5), MONDAY, rule(12, 5));
    expect([status, warning]).toEqual(['critical', null]);
    expect(days(critical?.expected)).toBeCloseTo(5, 6);
  });

  it('is null beyond the horizon', () => {
    expect(breachesOf(falling(0.5), MONDAY, rule(1, 0))).toEqual({
      status: null,
      warning: null,
      critical: null,
    });
  });

  it('begins with the last point if the limit is near', () => {
    expect(breachesOf(falling(0.5), MONDAY, rule(9.9, null)).warning?.earliest).toBe(MONDAY);
  });

  it('mirrors if lower is better', () => {
    const noise = noiseFrom(4);
    const series = regular(150, 6, (i) => 100 - 0.2 * i + noise());
    const mirrored = { times: series.times, values: series.values.map((value) => -value) };
    const last = series.times[149] as number;
    const [a, b] = [forecastOf(series), forecastOf(mirrored)];
    if (!a || !b) throw new Error('no forecast');
    const down = breachesOf(a.forecast, last, rule(66, 40));
    const up = breachesOf(b.forecast, last, rule(-66, -40, false));
    expect(down.status).toBe('warning');
    expect(down.warning?.expected).toBeGreaterThan(last);
    expect(Math.abs((up.warning?.expected ?? 0) - (down.warning?.expected ?? 0))).toBeLessThan(MS_PER_HOUR);
  });

  it('is not a noisy value beyond the limit', () => {
    const noise = noiseFrom(6);
    const result = forecastOf(regular(150, 6, () => 50 + noise()));
    if (!result) throw new Error('no forecast');
    // One value in seven is beyond 49, the level never.
    expect(breachesOf(result.forecast, result.points.times[149] as number, rule(49, 48)).status).toBeNull();
  });
});
