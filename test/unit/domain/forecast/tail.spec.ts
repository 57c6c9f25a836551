import fc from 'fast-check';
import { fitForecast } from '../../../../src/domain/forecast/fit.js';
import { forecastAhead } from '../../../../src/domain/forecast/forecast-ahead.js';
import { lastPoints } from '../../../../src/domain/forecast/points.js';
import {
  continueTail,
  dayOfSeries,
  forecastAfter,
  type RowsOfDay,
  type SeriesTail,
} from '../../../../src/domain/forecast/tail.js';
import { MS_PER_DAY, MS_PER_HOUR } from '../../../../src/domain/time.js';
import {
  forecastOf,
  MONDAY,
  predictByDay,
  regular,
  type TestSeries,
} from '../../../support/forecast-series.js';
import { oneStepAhead } from '../../../support/models/one-step-ahead.js';
import { noiseFrom } from '../../../support/noise.js';

const LOOKBACK = 90 * MS_PER_DAY;
const predictions = (series: TestSeries) => predictByDay(series, LOOKBACK);

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

  it('uses parameters from before its day', () => {
    const found = predictions(hourly);
    const dayOf = (row: number) => MONDAY + Math.floor((row * 5) / 24) * MS_PER_DAY;
    for (const row of [30, 40, 67, 68, 80, 100, 134])
      expect(found[row]).toBeCloseTo(expected(hourly, row, dayOf(row)), 9);
    expect(expected(hourly, 80, dayOf(80) - MS_PER_DAY)).not.toBeCloseTo(found[80] as number, 9);
  });

  it('is NaN until 5 points precede its day, then the last value until there are 10', () => {
    const series = regular(30, 6, (i) => i * i);
    const found = predictions(series);
    expect(found.findIndex((value) => !Number.isNaN(value))).toBe(8);
    expect([...found.slice(8, 12)]).toEqual([7, 8, 9, 10].map((i) => i * i));
  });

  it('is the same day by day as with the whole series at hand', () => {
    const gap = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 20 * MS_PER_HOUR }) },
      { weight: 2, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: MS_PER_DAY, max: 40 * MS_PER_DAY }) },
    );
    const value = fc.oneof(
      { weight: 8, arbitrary: fc.double({ min: -5, max: 5, noNaN: true }) },
      { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 1e12, 1e-12, 0) },
    );
    // Bursts of more points than a tail holds within a day, and gaps as long as the lookback.
    const part = fc.record({
      gap,
      values: fc.array(value, { minLength: 1, maxLength: 30 }),
      repeated: fc.constantFrom(1, 1, 12),
      step: fc.constantFrom(0, 1_000, 30 * 60_000, 5 * MS_PER_HOUR),
    });
    fc.assert(
      fc.property(
        fc.array(part, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(20, 90),
        (parts, lookbackDays) => {
          let time = MONDAY;
          const [times, values]: [number[], number[]] = [[], []];
          for (const { gap: wait, values: own, repeated, step } of parts) {
            time += wait;
            for (let i = 0; i < repeated; i++) {
              for (const each of own) {
                times.push(time);
                values.push(each);
                time += step;
              }
            }
          }
          const series = { times: Float64Array.from(times), values: Float64Array.from(values) };
          const lookback = lookbackDays * MS_PER_DAY;
          expect(predictByDay(series, lookback)).toEqual(oneStepAhead(series.times, series.values, lookback));
        },
      ),
      { numRuns: 60 },
    );
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

  it('needs a fit per day, and another one while there are few points: not per row', () => {
    const fits = (series: TestSeries) => {
      const chosen: number[] = [];
      predictByDay(series, LOOKBACK, (points) => {
        chosen.push(points.times.length);
        return fitForecast(points);
      });
      return chosen;
    };
    // 10 days, each with one before it and one after it, from the same points as the next; then one per day.
    const slow = fits(regular(30 * 5, 24 / 5, noise));
    expect(slow.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, i) => 5 * ((i + 1) >> 1)));
    expect(slow.slice(20)).toEqual(Array.from({ length: 20 }, (_, i) => 50 + 5 * i));
    expect(fits(regular(10_000, 1 / 10_000, noise))).toEqual([0, 200]);
  });

  it('is finite when later values are far from those of the parameters', () => {
    const series = regular(120, 6, (i) => (i < 100 ? (i % 3) * 1e-12 : (-1) ** i * 1e300));
    expect([...predictions(series).slice(20)].every(Number.isFinite)).toBe(true);
  });
});

describe('the forecast after a day', () => {
  const day = MONDAY + 3 * MS_PER_DAY;
  const tailOf = (series: TestSeries) => continueTail(dayOfSeries(undefined, { day, ...series }, LOOKBACK));
  const within = (n: number, value: (i: number) => number): TestSeries => {
    const { times, values } = regular(n, 24 / (n + 1), value);
    return { times: times.map((time) => time - MONDAY + day), values };
  };

  it('uses all points up to the last while these are few', () => {
    const series = within(12, (i) => i);
    const found = forecastAfter(tailOf(series), day, LOOKBACK, { max: 14 });
    const { points, parameters, forecast } = forecastOf(series, { max: 14 }) ?? {};
    expect(found).toEqual({ points, parameters, forecast });
  });

  it('uses parameters from before the day once 50 points precede it, whatever rows are added to the day', () => {
    const noise = noiseFrom(3);
    const before = regular(60, 0.5, () => noise());
    const moved = { ...before, times: before.times.map((time) => time + MS_PER_DAY) };
    const next = (tail: SeriesTail | undefined, rows: RowsOfDay) =>
      continueTail(dayOfSeries(tail, rows, LOOKBACK));
    const first = next(undefined, { day: MONDAY + MS_PER_DAY, ...slice(moved, 0, 48) });
    const second = next(first.tail, { day: MONDAY + 2 * MS_PER_DAY, ...slice(moved, 48, 60) });
    const continued = next(second.tail, { day, ...within(300, () => 5 + noise()) });
    expect(continued.parameters).toEqual(fitForecast(lastPointsOf(moved)));
    expect(forecastAfter(continued, day, LOOKBACK, {})?.points.times).toHaveLength(200);
  });

  it('does not exist for few points, or if all are at one time', () => {
    expect(forecastAfter(tailOf(within(4, (i) => i)), day, LOOKBACK, {})).toBeUndefined();
    const burst = {
      times: new Float64Array(80).fill(day),
      values: Float64Array.from({ length: 80 }, (_, i) => i),
    };
    expect(forecastAfter(tailOf(burst), day, LOOKBACK, {})).toBeUndefined();
    expect(forecastAfter(tailOf(within(80, () => Number.NaN)), day, LOOKBACK, {})).toBeUndefined();
  });
});

const lastPointsOf = ({ times, values }: TestSeries) =>
  lastPoints(times, values, { end: times.length, after: 0, before: Number.MAX_VALUE });
const slice = ({ times, values }: TestSeries, from: number, to: number): TestSeries => ({
  times: times.slice(from, to),
  values: values.slice(from, to),
});
