import type { Rule } from '../model.js';
import { normalCdf } from './elementary.js';
import type { Forecast } from './forecast-ahead.js';

/** A breach is reported from this probability. */
export const MIN_PROBABILITY = 0.8;
/** The earliest time is that at which the probability reaches 10 %, the expected time that at which it reaches 50 %. */
const EARLIEST_Z = -1.2815515655446004;

/** When the level of a metric is likely to cross a limit. */
export interface Breach {
  /** ms. */
  readonly earliest: number;
  /** ms. */
  readonly expected: number;
  /** The highest probability of any step that the level is beyond the limit then. */
  readonly probability: number;
}

export interface Breaches {
  /** The worst status that is likely within the horizon. */
  readonly status: 'critical' | 'warning' | null;
  readonly warning: Breach | null;
  readonly critical: Breach | null;
}

/**
 * Which limits the level of a metric is likely to cross. A limit without a breach is null: absent, crossed already, not reached
 * within the horizon, or the direction of the metric is unknown.
 * @param last the time of the last point, ms
 */
export function breachesOf(
  forecast: Forecast,
  last: number,
  rule: Pick<Rule, 'higher_is_better' | 'warning_threshold' | 'critical_threshold'>,
): Breaches {
  const breach = (limit: number | null) =>
    limit === null || rule.higher_is_better === null
      ? null
      : breachOf(forecast, last, limit, rule.higher_is_better ? -1 : 1);
  const warning = breach(rule.warning_threshold);
  const critical = breach(rule.critical_threshold);
  return { status: critical ? 'critical' : warning ? 'warning' : null, warning, critical };
}

/** @param side 1 if the level is beyond the limit above it, −1 below it */
function breachOf(forecast: Forecast, last: number, limit: number, side: -1 | 1): Breach | null {
  const { levels, levelDeviations, times } = forecast;
  /** The probability that the level is beyond, as a z, after k steps. */
  const z = levels.map((level, k) => (side * (level - limit)) / (levelDeviations[k] as number));
  const probability = normalCdf(z.reduce((a, b) => Math.max(a, b)));
  if (!((z[0] as number) <= 0) || !(probability >= MIN_PROBABILITY)) return null;
  const timeOf = (k: number) => (k === 0 ? last : (times[k - 1] as number));
  const reaches = (wanted: number): number => {
    const k = z.findIndex((value) => value >= wanted);
    if (k === 0) return last;
    const share = (wanted - (z[k - 1] as number)) / ((z[k] as number) - (z[k - 1] as number));
    return Math.round(timeOf(k - 1) + share * (timeOf(k) - timeOf(k - 1)));
  };
  return { earliest: reaches(EARLIEST_Z), expected: reaches(0), probability };
}
