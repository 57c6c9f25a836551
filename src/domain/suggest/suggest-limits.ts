/** The stored values of one metric in eligible runs. Invalid ones are only counted. */
export interface MetricHistory {
  readonly metric_name: string;
  readonly values: number;
  readonly invalid: number;
  readonly min: number;
  /** Quantiles 0.01, 0.05, 0.5, 0.95 and 0.99, with linear interpolation. */
  readonly q01: number;
  readonly q05: number;
  readonly median: number;
  readonly q95: number;
  readonly q99: number;
  readonly max: number;
  /** The median of the distances from the median. */
  readonly mad: number;
}

/**
 * `quantiles`: 1 % and 5 % of the values are worse than the limits. `mad`: the limits are 5 and 3 robust standard deviations
 * from the median, whatever the share of values beyond them.
 */
export const SUGGESTION_METHODS = ['quantiles', 'mad'] as const;
export type SuggestionMethod = (typeof SUGGESTION_METHODS)[number];

/** The MAD of normally distributed values times this is their standard deviation: 1 / Φ⁻¹(3/4). */
export const MAD_SCALE = 1.4826;
const CRITICAL_DEVIATIONS = 5;
const WARNING_DEVIATIONS = 3;

export interface Limits {
  readonly critical: number | null;
  readonly warning: number;
}

/** With fewer values, nothing is suggested. */
export const MIN_VALUES = 20;

/**
 * Limits rounded away from the median to three significant digits of the distance from it. If both are equal, only the
 * warning limit is kept.
 */
export function suggestLimits(
  history: MetricHistory,
  higherIsBetter: boolean,
  method: SuggestionMethod = 'quantiles',
): Limits {
  const [worst, bad] = exactLimits(history, higherIsBetter, method);
  const critical = roundOutward(worst, history.median, higherIsBetter);
  const warning = roundOutward(bad, history.median, higherIsBetter);
  return critical === warning ? { critical: null, warning } : { critical, warning };
}

function exactLimits(
  { q01, q05, median, q95, q99, mad }: MetricHistory,
  higherIsBetter: boolean,
  method: SuggestionMethod,
): readonly [worst: number, bad: number] {
  // Without a spread, any other value would be beyond both limits.
  if (method === 'quantiles' || mad === 0) return higherIsBetter ? [q01, q05] : [q99, q95];
  const towardsWorse = (higherIsBetter ? -1 : 1) * MAD_SCALE * mad;
  return [median + CRITICAL_DEVIATIONS * towardsWorse, median + WARNING_DEVIATIONS * towardsWorse];
}

/** Whether the usual level of an application lies outside of its own spread around the level of all applications. */
export const levelsDiffer = (
  application: Pick<MetricHistory, 'median' | 'mad'>,
  all: { median: number },
): boolean => Math.abs(application.median - all.median) > WARNING_DEVIATIONS * MAD_SCALE * application.mad;

/** Rounds away from the median, so that rounding never marks more runs. */
function roundOutward(value: number, median: number, down: boolean): number {
  const distance = Math.abs(value - median);
  if (distance === 0 || !Number.isFinite(distance)) return value;
  const digits = 2 - Math.floor(Math.log10(distance));
  // Outside this range `toFixed` fails or a double has no such digits.
  if (Math.abs(digits) > 15) return value;
  const scale = 10 ** Math.abs(digits);
  const scaled = digits < 0 ? value / scale : value * scale;
  const whole = down ? Math.floor(scaled) : Math.ceil(scaled);
  const rounded = Number((digits < 0 ? whole * scale : whole / scale).toFixed(Math.max(digits, 0)));
  return rounded === 0 ? 0 : rounded;
}
