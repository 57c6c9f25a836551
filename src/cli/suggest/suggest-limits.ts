/** The stored values of one metric over eligible runs; invalid ones are only counted. */
export interface MetricHistory {
  readonly metric_name: string;
  readonly values: number;
  readonly invalid: number;
  readonly min: number;
  /** The quantiles 0.01, 0.05, 0.5, 0.95, 0.99, with linear interpolation. */
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

/** Fewer values say nothing about what is rare. */
export const LEAST_VALUES = 20;

/**
 * Limits that the worst 1 % (critical) and the worst 5 % (warning) of the stored values are beyond, rounded away from the
 * median to three digits of their distance from it. Equal limits are one: of warning only.
 */
export function suggestLimits(history: MetricHistory, higherIsBetter: boolean): Limits {
  const [worst, bad] = higherIsBetter ? [history.q01, history.q05] : [history.q99, history.q95];
  const critical = roundOutward(worst, history.median, higherIsBetter);
  const warning = roundOutward(bad, history.median, higherIsBetter);
  return critical === warning ? { critical: null, warning } : { critical, warning };
}

/** Never toward the median: rounding marks no run more. */
function roundOutward(value: number, median: number, down: boolean): number {
  const distance = Math.abs(value - median);
  if (distance === 0 || !Number.isFinite(distance)) return value;
  const digits = 2 - Math.floor(Math.log10(distance));
  // Beyond what `toFixed` takes, or below what a double resolves, there is nothing to round.
  if (Math.abs(digits) > 15) return value;
  const scale = 10 ** Math.abs(digits);
  const scaled = digits < 0 ? value / scale : value * scale;
  const whole = down ? Math.floor(scaled) : Math.ceil(scaled);
  const rounded = Number((digits < 0 ? whole * scale : whole / scale).toFixed(Math.max(digits, 0)));
  return rounded === 0 ? 0 : rounded;
}
