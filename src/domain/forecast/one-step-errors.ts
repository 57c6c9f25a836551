import { studentQuantile } from './elementary.js';
import { roundParameter } from './parameters.js';
import { nthSmallest } from './selection.js';

/** The z of the central 80 and 95 % of a normal distribution. */
export const NORMAL_QUANTILES = [1.2815515655446004, 1.959963984540054] as const;
const SHARES = [0.8, 0.95] as const;
/** With this many errors, their own quantiles count as much as those of Student's distribution. */
const EQUAL_WEIGHT = 20;

/**
 * Within how many standard deviations 80 and 95 % of the one-step errors are: a mean of their own quantiles, which know heavy
 * tails and outliers, and those of Student's t distribution with the spread of the middle half of the errors, which few errors
 * suffice for.
 * @param errors absolute errors in standard deviations; at least one
 */
export function errorQuantiles(errors: Float64Array, degreesOfFreedom: number): [number, number] {
  const n = errors.length;
  const weight = n / (n + EQUAL_WEIGHT);
  const middle = nthSmallest(errors, (n - 1) >> 1) / 0.6744897501960817;
  const deviation = middle > 0 ? Math.min(1, middle) : 1;
  const [narrow, wide] = SHARES.map((share, k) => {
    const own = nthSmallest(errors, Math.min(n, Math.ceil((n + 1) * share)) - 1);
    const student = deviation * studentQuantile(NORMAL_QUANTILES[k] as number, Math.max(3, degreesOfFreedom));
    return roundParameter(weight * own + (1 - weight) * student);
  }) as [number, number];
  return [narrow, Math.max(narrow, wide)];
}
