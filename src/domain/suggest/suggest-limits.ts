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
}

export interface Limits {
  readonly critical: number | null;
  readonly warning: number;
}

/** With fewer values, nothing is suggested. */
export const MIN_VALUES = 20;

/**
 * Limits such that 1 % (critical) and 5 % (warning) of the stored values are worse, rounded away from the median to
 * three significant digits of the distance from it. If both are equal, only the warning limit is kept.
 */
export function suggestLimits(history: MetricHistory, higherIsBetter: boolean): Limits {
  const [worst, bad] = higherIsBetter ? [history.q01, history.q05] : [history.q99, history.q95];
  const critical = roundOutward(worst, history.median, higherIsBetter);
  const warning = roundOutward(bad, history.median, higherIsBetter);
  return critical === warning ? { critical: null, warning } : { critical, warning };
}

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
