const bits = new DataView(new ArrayBuffer(8));

/** A finite double as mantissa · 2^exponent, the mantissa a signed integer. The layout is that of IEEE 754 binary64. */
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

/** The double nearest to mantissa · 2^exponent, ties to even; null if it overflows. */
export function roundToDouble(mantissa: bigint, exponent: number): number | null {
  let magnitude = mantissa < 0n ? -mantissa : mantissa;
  if (magnitude === 0n) return 0;
  const excessBits = Math.max(bitLength(magnitude) - 53, LOWEST_EXPONENT - exponent, 0);
  if (excessBits > 0) {
    const remainder = BigInt.asUintN(excessBits, magnitude);
    const half = 1n << BigInt(excessBits - 1);
    magnitude >>= BigInt(excessBits);
    if (remainder > half || (remainder === half && magnitude % 2n === 1n)) magnitude++;
  }
  // Scaled in two steps: a factor of 2^1030 would overflow even where the product does not.
  const scale = exponent + excessBits;
  const value = Number(magnitude) * 2 ** Math.min(scale, 971) * 2 ** Math.max(scale - 971, 0);
  if (!Number.isFinite(value)) return null;
  return mantissa < 0n ? -value : value;
}

function bitLength(positive: bigint): number {
  const hex = positive.toString(16);
  return (hex.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(hex.charAt(0), 16)));
}

/**
 * A sum of doubles without intermediate rounding: an integer of any length times a power of 2. Values can be added in any
 * order and removed again. The result equals that of Shewchuk's expansions (J. R. Shewchuk, Adaptive Precision
 * Floating-Point Arithmetic, 1997) and of Python's `math.fsum`: the exact sum, rounded once.
 */
export class ExactSum {
  private mantissa = 0n;
  private exponent = 0;

  /** @param value finite */
  add(value: number): void {
    const { mantissa, exponent } = partsOf(value);
    this.addParts(mantissa, exponent);
  }

  /** Removes a value that was added before. */
  remove(value: number): void {
    const { mantissa, exponent } = partsOf(value);
    this.addParts(-mantissa, exponent);
  }

  /** Adds factor · value, exactly. */
  addProduct(factor: bigint, value: number): void {
    const { mantissa, exponent } = partsOf(value);
    this.addParts(factor * mantissa, exponent);
  }

  /** The exact sum rounded to the nearest double; null if it overflows. */
  value(): number | null {
    return roundToDouble(this.mantissa, this.exponent);
  }

  /** a · this − b · other, computed exactly and rounded once; null if it overflows. */
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
