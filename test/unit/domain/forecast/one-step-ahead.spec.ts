import fc from 'fast-check';
import { fitForecast } from '../../../../src/domain/forecast/fit.js';
import { forecastAhead } from '../../../../src/domain/forecast/forecast-ahead.js';
import { oneStepAhead } from '../../../../src/domain/forecast/one-step-ahead.js';
import { lastPoints } from '../../../../src/domain/forecast/points.js';
import { finish } from '../../../../src/domain/steps.js';
import { MS_PER_DAY, MS_PER_HOUR } from '../../../../src/domain/time.js';
import { MONDAY, regular, type TestSeries } from '../../../support/forecast-series.js';
import { noiseFrom } from '../../../support/noise.js';

const LOOKBACK = 90 * MS_PER_DAY;
const predictions = ({ times, values }: TestSeries, from = 0) =>
  finish(oneStepAhead(times, values, from, LOOKBACK));

/** The prediction of a row by a fit before `cut` and the forecast from the rows before it. */
function expected({ times, values }: TestSeries, row: number, cut: number): number {
  const parameters = fitForecast(lastPoints(times, values, { end: row, after: cut - LOOKBACK, before: cut }));
  if (!parameters) return Number.NaN;
  const points = lastPoints(times, values, { end: row, after: cut - LOOKBACK, before: Number.MAX_VALUE });
  return forecastAhead(points, parameters, {}, times.slice(row, row + 1)).forecast[0] as number;
}

describe('the prediction of a row', () => {
  const noise = noiseFrom(1);
  const hourly = regular(190, 5, (i) => 0.1 * i + noise());

  it('uses parameters from before its day until 50 points precede its ISO week, then from before the week', () => {
    const found = predictions(hourly);
    const dayOf = (row: number) => MONDAY + Math.floor((row * 5) / 24) * MS_PER_DAY;
    // The second week has 34 points before it, the third 68.
    for (const row of [30, 40, 60, 67]) expect(found[row]).toBeCloseTo(expected(hourly, row, dayOf(row)), 9);
    for (const row of [68, 80, 100])
      expect(found[row]).toBeCloseTo(expected(hourly, row, MONDAY + 14 * MS_PER_DAY), 9);
    for (const row of [101, 134])
      expect(found[row]).toBeCloseTo(expected(hourly, row, MONDAY + 21 * MS_PER_DAY), 9);
    expect(expected(hourly, 80, MONDAY + 15 * MS_PER_DAY)).not.toBeCloseTo(found[80] as number, 9);
  });

  it('is NaN until 5 points precede its day, then the last value until there are 10', () => {
    const series = regular(30, 6, (i) => i * i);
    const found = predictions(series);
    expect(found.findIndex((value) => !Number.isNaN(value))).toBe(8);
    expect([...found.slice(8, 12)]).toEqual([7, 8, 9, 10].map((i) => i * i));
  });

  it('does not depend on where the predicted rows begin', () => {
    const found = predictions(hourly);
    for (const from of [50, 90, 137]) {
      const part = predictions(hourly, from);
      for (let i = from; i < 190; i++) expect(part[i - from]).toBeCloseTo(found[i] as number, 9);
    }
  });

  it('never looks ahead: another future leaves the past as it is', () => {
    const before = predictions(hourly);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 150 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.constantFrom(0, 5, 1e9, Number.NaN),
        fc.constantFrom(1, 0.01, 100),
        (kept, seed, size, speed) => {
          const other = noiseFrom(seed);
          const changed = {
            times: hourly.times.map((time, i, times) =>
              i < kept ? time : (times[kept - 1] as number) + speed * (i - kept) * MS_PER_HOUR,
            ),
            values: hourly.values.map((value, i) => (i < kept ? value : size * other())),
          };
          expect([...predictions(changed).slice(0, kept)]).toEqual([...before.slice(0, kept)]);
        },
      ),
      { numRuns: 6, seed: 13 },
    );
  });

  it('learns a step within three points, and is not reset by it', () => {
    const noise = noiseFrom(7);
    const found = predictions(regular(160, 6, (i) => (i < 140 ? 0 : 25) + noise()));
    expect(Math.abs(found[140] as number)).toBeLessThan(3);
    for (let i = 143; i < 160; i++) expect(Math.abs((found[i] as number) - 25)).toBeLessThan(3.5);
  });

  it('exists for rows with an invalid value, which nothing later uses', () => {
    const holes = { ...hourly, values: hourly.values.map((value, i) => (i % 9 === 4 ? Number.NaN : value)) };
    const infinite = {
      ...hourly,
      values: holes.values.map((value) => (Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value)),
    };
    const found = predictions(holes);
    expect(found.slice(20).every(Number.isFinite)).toBe(true);
    expect(predictions(infinite)).toEqual(found);
  });

  it('pauses once per choice of parameters, not per row', () => {
    const count = ({ times, values }: TestSeries) => {
      let pauses = 0;
      const steps = oneStepAhead(times, values, 0, LOOKBACK);
      while (!steps.next().done) pauses++;
      return pauses;
    };
    // 14 days, then 26 weeks.
    expect(count(regular(196 * 5, 24 / 5, noise))).toBe(14 + 26);
    expect(count(regular(10_000, 1 / 10_000, noise))).toBe(1);
  });

  it('is finite when later values are far from those of the parameters', () => {
    const series = regular(120, 6, (i) => (i < 100 ? (i % 3) * 1e-12 : (-1) ** i * 1e300));
    expect([...predictions(series).slice(20)].every(Number.isFinite)).toBe(true);
  });
});
