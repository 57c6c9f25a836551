import { domain } from './domain.mjs';
import { METHODS } from './methods.mjs';

const DAY = 86_400_000;
/** Of the product. */
const LOOKBACK = 90 * DAY;

/**
 * A forecast from one origin and what came after it.
 * @param series times, values, and when each run ended; a run counts once it has ended
 * @param origin ms
 * @returns undefined if there is no forecast or nothing after it
 */
export function forecastFrom(series, origin) {
  const { times, ends = times, values } = series;
  const known = values.map((value, i) => (ends[i] <= origin ? value : Number.NaN));
  const pointsBefore = (cut) =>
    domain.lastPoints(times, known, { end: times.length, after: cut - LOOKBACK, before: cut });
  const points = pointsBefore(origin + 1);
  // As `continueTail` does: the parameters are up to a day old once there are enough points before the day of the last one.
  const ofDay = pointsBefore(Math.floor((points.times.at(-1) ?? origin) / DAY) * DAY);
  const isEnough = ofDay.times.length >= domain.ENOUGH_POINTS;
  const parameters = domain.fitForecast(isEnough ? ofDay : points);
  if (!parameters) return undefined;
  const last = points.times[points.times.length - 1];
  const end = domain.stepTimes(points).at(-1);
  const later = [...times.keys()].filter((i) => times[i] > Math.max(origin, last) && times[i] <= end);
  if (later.length === 0) return undefined;
  const ahead = Float64Array.from(later, (i) => times[i]);
  const forecast = domain.forecastAhead(points, parameters, series.domain, ahead);
  return { points, parameters, forecast, ahead, later, last };
}

/** How a forecast compares with what came: the scaled error of the product and of each method, and the values in its bands. */
export function assess(series, { points, parameters, forecast, ahead, later }) {
  const actual = later.map((i) => series.values[i]);
  // Mean absolute scaled error: R. J. Hyndman and A. B. Koehler, Another look at measures of forecast accuracy, 2006.
  let scale = 0;
  for (let i = 1; i < points.values.length; i++)
    scale += Math.abs(points.values[i] - points.values[i - 1]) / (points.values.length - 1);
  const scaledError = (expected) =>
    actual.reduce((sum, value, k) => sum + Math.abs(value - expected[k]), 0) / actual.length / (scale || 1);
  const within = (lower, upper) => actual.filter((value, k) => value >= lower[k] && value <= upper[k]).length;
  return {
    errors: {
      product: scaledError(forecast.forecast),
      ...Object.fromEntries(
        Object.entries(METHODS).map(([name, method]) => [name, scaledError(method(points, ahead))]),
      ),
    },
    values: actual.length,
    within80: within(forecast.lower80, forecast.upper80),
    within95: within(forecast.lower95, forecast.upper95),
    isNaive: parameters.method === 'naive',
  };
}

/** Sums over many forecasts. */
export class Score {
  forecasts = 0;
  naive = 0;
  values = 0;
  within80 = 0;
  within95 = 0;
  /** One per forecast, by method. */
  errors = { product: [], ...Object.fromEntries(Object.keys(METHODS).map((name) => [name, []])) };

  /** @param result of `assess` */
  add({ errors, values, within80, within95, isNaive }) {
    this.forecasts++;
    if (isNaive) this.naive++;
    this.values += values;
    this.within80 += within80;
    this.within95 += within95;
    for (const [name, error] of Object.entries(errors)) this.errors[name].push(error);
  }

  mase(name) {
    const list = this.errors[name];
    return list.length === 0 ? Number.NaN : list.reduce((a, b) => a + b, 0) / list.length;
  }

  /** The MASE of the product relative to naive, and the standard error of the difference. */
  get againstNaive() {
    const { product, naive } = this.errors;
    const mean = this.mase('naive');
    if (mean === 0) return { ratio: 1, error: 0 };
    const differences = product.map((error, i) => (error - naive[i]) / mean);
    const average = differences.reduce((a, b) => a + b, 0) / differences.length;
    const variance =
      differences.reduce((sum, d) => sum + (d - average) ** 2, 0) / Math.max(1, differences.length - 1);
    return { ratio: 1 + average, error: Math.sqrt(variance / differences.length) };
  }

  get coverage80() {
    return (100 * this.within80) / this.values;
  }

  get coverage95() {
    return (100 * this.within95) / this.values;
  }

  get naivePercent() {
    return (100 * this.naive) / this.forecasts;
  }
}
