/** A finite double as the decimal number that its shortest text names: digits · 10^exponent. */
interface Decimal {
  readonly digits: bigint;
  readonly exponent: number;
}

function decimalOf(value: number): Decimal {
  const [mantissa = '0', exponent = '0'] = value.toExponential().split('e');
  const [integer = '0', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(integer + fraction), exponent: Number(exponent) - fraction.length };
}

/**
 * The sign of 100·(from − to) − percent·|from|, computed exactly with the decimal numbers that people wrote: 0.98 is 2 % below
 * 1, although the difference of the two doubles is more.
 */
export function compareDrop(from: number, to: number, percent: number): -1 | 0 | 1 {
  const [first, second, limit] = [decimalOf(from), decimalOf(to), decimalOf(percent)];
  const allowed = {
    digits: (first.digits < 0n ? -first.digits : first.digits) * limit.digits,
    exponent: first.exponent + limit.exponent,
  };
  const smallest = Math.min(first.exponent, second.exponent, allowed.exponent);
  const scaled = ({ digits, exponent }: Decimal) => digits * 10n ** BigInt(exponent - smallest);
  const difference = 100n * (scaled(first) - scaled(second)) - scaled(allowed);
  return difference > 0n ? 1 : difference < 0n ? -1 : 0;
}
