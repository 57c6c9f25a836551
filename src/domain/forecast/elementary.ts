/**
 * Exponential, logarithm and normal distribution from additions, multiplications and divisions alone. `Math.exp` and
 * `Math.log` may differ in the last bit between versions of Node.js and processors, and an optimizer amplifies that; these
 * operations are rounded the same everywhere (IEEE 754). Relative errors are below 1e-15.
 */

/** The first 32 bits of ln 2: products with integers of up to 21 bits are exact. */
const LN_2_HIGH = 0.6931471803691238;
const LN_2_LOW = 1.9082149292705877e-10;
const LEAST_EXPONENT = -1074;
const MAX_EXPONENT = 1023;

/** 2^LEAST_EXPONENT, …, 2^MAX_EXPONENT. */
const POWERS_OF_2 = new Float64Array(MAX_EXPONENT - LEAST_EXPONENT + 1);
POWERS_OF_2[0] = Number.MIN_VALUE;
for (let i = 1; i < POWERS_OF_2.length; i++) POWERS_OF_2[i] = 2 * (POWERS_OF_2[i - 1] as number);

/**
 * 2^exponent. Callers avoid −0, as in `0 - k`: V8 takes the exponent for an integer, −0 is none, and some releases then leave and
 * enter the compiled code of a caller again and again.
 * @param exponent an integer; less than −1074 gives 0, more than 1023 gives 2^1023
 */
export function powerOf2(exponent: number): number {
  if (exponent < LEAST_EXPONENT) return 0;
  return POWERS_OF_2[Math.min(exponent, MAX_EXPONENT) - LEAST_EXPONENT] as number;
}

/** The exponent of 2 at or below a number; numbers outside of the positive doubles count as the nearest of them. */
export function exponentOf2(x: number): number {
  let exponent = 0;
  let rest = Math.min(Number.MAX_VALUE, Math.max(Number.MIN_VALUE, x));
  for (; rest >= 65_536; exponent += 16) rest /= 65_536;
  for (; rest < 1 / 65_536; exponent -= 16) rest *= 65_536;
  for (; rest >= 2; exponent++) rest /= 2;
  for (; rest < 1; exponent--) rest *= 2;
  return exponent;
}

/** 1/n! */
const [F3, F4, F5, F6, F7] = [1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040] as const;
const [F8, F9, F10, F11] = [1 / 40_320, 1 / 362_880, 1 / 3_628_800, 1 / 39_916_800] as const;
const [F12, F13] = [1 / 479_001_600, 1 / 6_227_020_800] as const;

/** e^x − 1 without loss of digits near 0, by its Taylor series. @param x from −0.35 to 0.35 */
function smallExpm1(x: number): number {
  const upper = F8 + x * (F9 + x * (F10 + x * (F11 + x * (F12 + x * F13))));
  return x * (1 + x * (0.5 + x * (F3 + x * (F4 + x * (F5 + x * (F6 + x * (F7 + x * upper)))))));
}

/** e^x. @param x at most 709 */
export function exp(x: number): number {
  if (x < -745) return 0;
  const k = Math.round(x * Math.LOG2E) + 0;
  return (1 + smallExpm1(x - k * LN_2_HIGH - k * LN_2_LOW)) * powerOf2(k);
}

/** e^x − 1, for x up to 0.35 without loss of digits near 0. @param x at most 709 */
export function expm1(x: number): number {
  return x > -0.35 && x < 0.35 ? smallExpm1(x) : exp(x) - 1;
}

/** The natural logarithm. @param x finite, more than 0 */
export function log(x: number): number {
  let k = exponentOf2(x);
  let mantissa = k < -1000 ? x * powerOf2(100) * powerOf2(-k - 100) : x * powerOf2(0 - k);
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    k++;
  }
  // ln m = 2 artanh((m − 1) / (m + 1)), with an argument of at most 0.172.
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let sum = 1 / 21;
  for (let i = 19; i >= 1; i -= 2) sum = 1 / i + square * sum;
  return k * LN_2_HIGH + (k * LN_2_LOW + 2 * s * sum);
}

/** The probability that a standard normal variable is at most z. */
export function normalCdf(z: number): number {
  if (z < -8) return 0;
  if (z > 8) return 1;
  // Φ(z) = ½ + φ(z) (z + z³/3 + z⁵/(3·5) + …): G. Marsaglia, Evaluating the normal distribution, 2004.
  let sum = z;
  let term = z;
  for (let i = 3; i < 400 && Math.abs(term) > 1e-17 * Math.abs(sum); i += 2) {
    term *= (z * z) / i;
    sum += term;
  }
  return Math.min(1, Math.max(0, 0.5 + sum * exp(-(z * z) / 2) * 0.3989422804014327));
}

/**
 * The quantile of Student's t distribution from that of the normal distribution, with an error below 2 % for 3 degrees of
 * freedom or more: R. A. Fisher and E. A. Cornish, The percentile points of distributions having known cumulants, 1960.
 * @param z the normal quantile
 */
export function studentQuantile(z: number, degreesOfFreedom: number): number {
  const v = degreesOfFreedom;
  const z2 = z * z;
  return (
    z *
    (1 +
      (z2 + 1) / (4 * v) +
      ((5 * z2 + 16) * z2 + 3) / (96 * v * v) +
      (((3 * z2 + 19) * z2 + 17) * z2 - 15) / (384 * v * v * v))
  );
}
