import { domain } from './domain.mjs';

/** How far the limits are from the level, in standard deviations of the noise. */
const DISTANCES = [1, 2, 4, 8];

/** Compares the breaches that forecasts announce with what the levels did. */
export class BreachScore {
  calls = 0;
  right = 0;
  crossings = 0;
  /** Of the announced crossings, in shares of the horizon: time until the crossing, distance of the expected time from it. */
  leads = [];
  misses = [];
  /** Announced crossings that were not before the earliest time. */
  notEarlier = 0;
  /** By tenths of the announced probability for the last step: forecasts, sum of the probabilities, crossings. */
  bins = Array.from({ length: 10 }, () => ({ forecasts: 0, announced: 0, beyond: 0 }));

  /** Adds a forecast, for limits at some distances on both sides of the level. */
  add(series, result) {
    for (const side of [-1, 1])
      for (const distance of DISTANCES) this.addLimit(series, result, side, distance);
  }

  addLimit({ levels, times }, { forecast, ahead, later, last, parameters }, side, distance) {
    const now = levels[later[0] - 1];
    const limit = now + side * distance;
    const isBeyond = (level) => side * (level - limit) > 0;
    if (isBeyond(forecast.levels[0])) return;
    const rule = { higher_is_better: side < 0, warning_threshold: limit, critical_threshold: null };
    const { warning } = domain.breachesOf(forecast, last, rule);
    const crossing = later.find((i) => isBeyond(levels[i]));
    if (crossing !== undefined) this.crossings++;
    if (warning) {
      this.calls++;
      if (crossing !== undefined) {
        this.right++;
        const span = ahead.at(-1) - last;
        const time = times[crossing];
        this.leads.push((time - last) / span);
        this.misses.push(Math.abs(warning.expected - time) / span);
        if (warning.earliest <= time) this.notEarlier++;
      }
    }
    const z = (side * (forecast.levels.at(-1) - limit)) / forecast.levelDeviations.at(-1);
    if (parameters.method === 'naive') return;
    const probability = domain.normalCdf(z);
    const bin = this.bins[Math.min(9, Math.floor(probability * 10))];
    bin.forecasts++;
    bin.announced += probability;
    if (isBeyond(levels[later.at(-1)])) bin.beyond++;
  }
}
