/** The mantissa, an odd or even integer with its sign, and the exponent of 2 of a finite double: value = mantissa · 2^exponent. */
const bits = new DataView(new ArrayBuffer(8));
function partsOf(value: number): { mantissa: bigint; exponent: number } {
  if (Number.isSafeInteger(value)) return { mantissa: BigInt(value), exponent: 0 };
  bits.setFloat64(0, value);
  const high = bits.getUint32(0);
  const biased = (high >>> 20) & 0x7ff;
  const fraction = (high & 0xfffff) * 0x1_0000_0000 + bits.getUint32(4);
  const magnitude = biased === 0 ? fraction : fraction + 2 ** 52;
  return { mantissa: BigInt(high >>> 31 ? -magnitude : magnitude), exponent: Math.max(biased, 1) - 1075 };
}

const LOWEST_EXPONENT = -1074;

/** The double nearest to mantissa · 2^exponent, half to even; null where that is not finite. */
export function roundToDouble(mantissa: bigint, exponent: number): number | null {
  let magnitude = mantissa < 0n ? -mantissa : mantissa;
  if (magnitude === 0n) return 0;
  const drop = Math.max(bitLength(magnitude) - 53, LOWEST_EXPONENT - exponent, 0);
  if (drop > 0) {
    const rest = BigInt.asUintN(drop, magnitude);
    const half = 1n << BigInt(drop - 1);
    magnitude >>= BigInt(drop);
    if (rest > half || (rest === half && magnitude % 2n === 1n)) magnitude++;
  }
  // Both factors are doubles and so is the product; in two steps, as 2^1000 is one and 2^1030 is not.
  const scale = exponent + drop;
  const value = Number(magnitude) * 2 ** Math.min(scale, 971) * 2 ** Math.max(scale - 971, 0);
  if (!Number.isFinite(value)) return null;
  return mantissa < 0n ? -value : value;
}

function bitLength(positive: bigint): number {
  const hex = positive.toString(16);
  return (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex.charAt(0), 16)));
}

/**
 * A sum of doubles without rounding: an integer of any length and an exponent of 2. What it sums may leave it again, and
 * the order does not matter. Its value is that of Shewchuk's expansions (J. R. Shewchuk, Adaptive Precision
 * Floating-Point Arithmetic, 1997), as in Python's `math.fsum`: the exact sum, rounded once.
 */
export class ExactSum {
  private mantissa = 0n;
  private exponent = 0;

  /** @param value finite */
  add(value: number): void {
    const { mantissa, exponent } = partsOf(value);
    this.addParts(mantissa, exponent);
  }

  /** Takes out a value that was added before. */
  remove(value: number): void {
    const { mantissa, exponent } = partsOf(value);
    this.addParts(-mantissa, exponent);
  }

  /** Adds factor · value, exactly. */
  addProduct(factor: bigint, value: number): void {
    const { mantissa, exponent } = partsOf(value);
    this.addParts(factor * mantissa, exponent);
  }

  /** The exact sum rounded to the nearest double; null where that overflows. */
  value(): number | null {
    return roundToDouble(this.mantissa, this.exponent);
  }

  /** a · this − b · other, exactly, then rounded once; null where that overflows. */
  scaledDifference(a: bigint, b: bigint, other: ExactSum): number | null {
    const result = new ExactSum();
    result.addParts(a * this.mantissa, this.exponent);
    result.addParts(-b * other.mantissa, other.exponent);
    return result.value();
  }

  private addParts(mantissa: bigint, exponent: number): void {
    if (exponent < this.exponent) {
      this.mantissa = (this.mantissa << BigInt(this.exponent - exponent)) + mantissa;
      this.exponent = exponent;
    } else {
      this.mantissa += exponent === this.exponent ? mantissa : mantissa << BigInt(exponent - this.exponent);
    }
  }
}

/** The correctly rounded sum; null where it overflows. */
export function sum(values: Iterable<number>): number | null {
  const exact = new ExactSum();
  for (const value of values) exact.add(value);
  return exact.value();
}

/** Sum ÷ count; null of nothing, or where the sum overflows. */
export function mean(values: readonly number[]): number | null {
  const total = sum(values);
  return total === null || values.length === 0 ? null : total / values.length;
}
