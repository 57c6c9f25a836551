import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { AutoETS, initSync } from '@bsull/augurs/ets';
import { domain } from './domain.mjs';

/**
 * What the forecasts of the product are compared with. Each returns the expected values at `ahead` times after the points. Holt
 * and ETS know no times: they see the points as equally spaced, and a time is the step nearest to it.
 */

const program = createRequire(import.meta.url)
  .resolve('@bsull/augurs/ets')
  .replace('ets.js', 'ets_bg.wasm');
initSync({ module: readFileSync(program) });

const DAY = 86_400_000;
const last = (list) => list[list.length - 1];

/** The number of steps to each time. */
function stepsTo({ times }, ahead) {
  const gap = (last(times) - times[0]) / (times.length - 1);
  return Array.from(ahead, (time) => Math.max(1, Math.round((time - last(times)) / gap)));
}

const naive = ({ values }, ahead) => Array.from(ahead, () => last(values));

/** The value at the same time of an earlier day: that of the point nearest to it. */
function seasonalNaive({ times, values }, ahead) {
  return Array.from(ahead, (time) => {
    const same = time - Math.ceil((time - last(times)) / DAY) * DAY;
    let nearest = 0;
    for (let i = 1; i < times.length; i++)
      if (Math.abs(times[i] - same) <= Math.abs(times[nearest] - same)) nearest = i;
    return values[nearest];
  });
}

/** Damped exponential smoothing with the least squared errors: E. S. Gardner and E. McKenzie, Forecasting trends in time series, 1985. */
function holtDamped({ times, values }, ahead) {
  const inside = (x, low, high) => Math.min(high, Math.max(low, x));
  const smooth = ([a, b, c]) => {
    const [alpha, beta, phi] = [inside(a, 0.01, 0.99), inside(b, 0.001, 0.99), inside(c, 0.8, 0.98)];
    let [level, trend, squares] = [values[0], 0, 0];
    for (let i = 1; i < values.length; i++) {
      const error = values[i] - level - phi * trend;
      level += phi * trend + alpha * error;
      trend = phi * trend + alpha * beta * error;
      squares += error * error;
    }
    const outside = Math.abs(a - alpha) + Math.abs(b - beta) + Math.abs(c - phi);
    return { level, trend, phi, loss: squares * (1 + outside) };
  };
  const starts = [
    [0.1, 0.05, 0.9],
    [0.5, 0.1, 0.9],
    [0.9, 0.1, 0.9],
  ];
  const found = starts.map((start) =>
    domain.minimize(
      (x) => smooth(x).loss,
      Float64Array.from(start),
      Float64Array.of(0.1, 0.1, 0.05),
      60,
      1e-9,
    ),
  );
  const best = found.map(smooth).reduce((a, b) => (b.loss < a.loss ? b : a));
  return stepsTo({ times }, ahead).map(
    (steps) => best.level + (best.trend * best.phi * (1 - best.phi ** steps)) / (1 - best.phi),
  );
}

/** Exponential smoothing with an automatic choice of error and trend, without season: the library augurs. */
function ets(points, ahead) {
  const steps = stepsTo(points, ahead);
  const model = new AutoETS(1, 'ZZN');
  try {
    model.fit(points.values);
    const { point } = model.predict(Math.max(...steps), null);
    return steps.map((step) => point[step - 1]);
  } catch {
    // It fails on constant values and on some short series.
    return naive(points, ahead);
  } finally {
    model.free();
  }
}

export const METHODS = { naive, 'seasonal naive': seasonalNaive, 'Holt damped': holtDamped, ETS: ets };
