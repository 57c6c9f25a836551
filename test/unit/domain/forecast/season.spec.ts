import { findSeason, seasonAt } from '../../../../src/domain/forecast/season.js';
import { MS_PER_DAY, MS_PER_HOUR } from '../../../../src/domain/time.js';
import { noiseFrom } from '../../../support/noise.js';

const START = Date.UTC(2026, 2, 2, 5);

/** n points of a pattern with a period, plus normal noise, at multiples of a gap with jitter. */
function points(n: number, gap: number, period: number, size: number, seed = 1, jitter = 0.02) {
  const noise = noiseFrom(seed);
  const times = Float64Array.from({ length: n }, (_, i) => START + (i + jitter * Math.abs(noise())) * gap);
  const pattern = (time: number) => size * Math.sin((2 * Math.PI * (time - START)) / period);
  return { times, values: times.map((time) => 0.1 * (pattern(time) + noise())), pattern };
}

describe('the season of a series', () => {
  it.each([
    ['a day of hourly runs', 150, MS_PER_HOUR, MS_PER_DAY, 24],
    ['a day of a run every six hours', 120, 6 * MS_PER_HOUR, MS_PER_DAY, 4],
    ['a week of daily runs', 70, MS_PER_DAY, 7 * MS_PER_DAY, 7],
  ])('is %s', (_name, n, gap, period, effects) => {
    const { times, values, pattern } = points(n, gap, period, 4);
    const season = findSeason(times, values);
    expect(season?.period).toBe(period);
    expect(season?.effects.length).toBe(effects);
    expect(season?.effects.reduce((a, b) => a + b)).toBeCloseTo(0, 12);
    const later = times.map((time) => time + 30 * period);
    const errors = later.map((time) => Math.abs(seasonAt(season, time) - 0.1 * pattern(time)));
    expect(errors.reduce((a, b) => a + b) / n).toBeLessThan(0.06);
  });

  it('needs four periods: the level is known for three of them', () => {
    const seen = (n: number) => {
      const { times, values } = points(n, MS_PER_HOUR, MS_PER_DAY, 4);
      return findSeason(times, values);
    };
    expect(seen(94)).toBeUndefined();
    expect(seen(98)).toBeDefined();
  });

  it('is not invented on irregular points, even if there is one', () => {
    const at = (jitter: number) => {
      const { times, values } = points(200, MS_PER_HOUR, MS_PER_DAY, 4, 1, jitter);
      return findSeason(times.sort(), values);
    };
    expect(at(0.05)).toBeDefined();
    expect(at(0.5)).toBeUndefined();
    expect(at(2)).toBeUndefined();
  });

  it('is not invented on noise, random walks, trends, outliers and lines', () => {
    let found = 0;
    for (let seed = 1; seed <= 25; seed++) {
      const noise = noiseFrom(seed);
      let level = 0;
      let slope = 0;
      const makers = [
        () => noise(),
        () => {
          level += noise();
          return level;
        },
        () => {
          slope = 0.95 * slope + noise();
          level += slope;
          return level;
        },
        () => (Math.abs(noise()) > 2 ? 30 * noise() : noise()),
        (i: number) => i,
        () => 1,
      ];
      for (const make of makers) {
        level = 0;
        for (const [n, gap] of [
          [30, 6],
          [90, 4],
          [90, 24],
          [150, 1],
        ] as const) {
          const raw = Array.from({ length: n }, (_, i) => make(i));
          const most = Math.max(...raw.map(Math.abs));
          const times = raw.map((_, i) => START + i * gap * MS_PER_HOUR);
          if (
            findSeason(
              Float64Array.from(times),
              Float64Array.from(raw, (value) => value / most),
            )
          )
            found++;
        }
      }
    }
    expect(found).toBeLessThanOrEqual(2);
  });
});
