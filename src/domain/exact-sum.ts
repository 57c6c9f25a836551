/** The unit of all limbs: every finite double is a multiple of it. */
const LOWEST_EXPONENT = -1074;
const RADIX = 2 ** 32;
/** 2^1024 has bit 2098 above the unit; 200 more bits hold 2^53 products with factors up to 2^53 and multiples of their sum. */
const LIMBS = 72;
/** Additions after which a limb, a double, might exceed 2^53: each adds less than 2^32. */
const MAX_PENDING = 2 ** 20;
/** A part above the largest double is stored times 2^-128. */
export const HUGE_EXPONENT = 128;
export type SumExponent = 0 | typeof HUGE_EXPONENT;

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
double[0] = 1;
/** Which of the two words holds sign and exponent depends on the byte order of the processor. */
const HIGH = words[1] === 0 ? 0 : 1;
const LOW = 1 - HIGH;

/** One summand of an exact sum: `value` · 2^`exponent`. */
export interface SumPart {
  readonly value: number;
  readonly exponent: SumExponent;
}

/**
 * A sum of doubles without intermediate rounding: a fixed-point number with one digit per 32 bits, so that adding changes
 * three digits and no carry travels until the sum is read (R. M. Neal, Fast exact summation using small and large
 * superaccumulators, 2015). Values can be added in any order and removed again. The result equals that of Python's
 * `math.fsum`: the exact sum, rounded once.
 */
export class ExactSum {
  /** Digits of the sum in units of 2^-1074, lowest first; not normalized, of either sign. */
  private readonly limbs = new Float64Array(LIMBS);
  /** Only the limbs `[low, high)` may be other than 0. */
  private low = LIMBS;
  private high = 0;
  private pending = 0;

  clear(): void {
    this.limbs.fill(0, this.low, this.high);
    this.low = LIMBS;
    this.high = 0;
    this.pending = 0;
  }

  /**
   * @param value finite
   * @param exponent adds value · 2^exponent; 0 or `HUGE_EXPONENT`
   */
  add(value: number, exponent = 0): void {
    if (value === 0) return;
    double[0] = value;
    const word = words[HIGH] as number;
    this.deposit(mantissaHigh(word), words[LOW] as number, positionOf(word) + exponent, value < 0);
  }

  /** Removes a value that was added before. */
  remove(value: number, exponent = 0): void {
    this.add(-value, exponent);
  }

  /**
   * Adds factor · value · 2^exponent, exactly.
   * @param factor an integer of at most 32 bits and a sign
   */
  addProduct(factor: number, value: number, exponent = 0): void {
    if (value === 0) return;
    double[0] = value;
    const word = words[HIGH] as number;
    const low = words[LOW] as number;
    const position = positionOf(word) + exponent;
    const negative = value < 0 !== factor < 0;
    const times = Math.abs(factor);
    // Products of at most 53 bits are exact: 32 with the upper 21 bits of the mantissa, and with each lower 16.
    this.depositInteger(times * mantissaHigh(word), position + 32, negative);
    this.depositInteger(times * (low >>> 16), position + 16, negative);
    this.depositInteger(times * (low & 0xffff), position, negative);
  }

  /**
   * Adds factor · other, exactly.
   * @param factor an integer of at most 53 bits and a sign
   */
  addMultiple(factor: number, other: ExactSum): void {
    other.normalize();
    let rest = Math.abs(factor);
    for (let shift = 0; rest > 0; shift += 20) {
      const piece = rest % 2 ** 20;
      rest = (rest - piece) / 2 ** 20;
      if (piece === 0) continue;
      for (let i = other.low; i < other.high; i++) {
        const limb = other.limbs[i] as number;
        this.depositInteger(piece * Math.abs(limb), 32 * i + shift, limb < 0 !== factor < 0);
      }
    }
  }

  /** The exact sum rounded to the nearest double, ties to even; null if it overflows. */
  value(): number | null {
    const value = this.nearest(0);
    return Number.isFinite(value) ? value : null;
  }

  /**
   * The sum as doubles that add up to it exactly: each is the one nearest to what those before it leave. Equal sums have
   * equal parts. Empty if the sum is 0.
   */
  parts(): SumPart[] {
    const parts: SumPart[] = [];
    rest.clear();
    rest.addMultiple(1, this);
    for (;;) {
      let value = rest.nearest(0);
      if (value === 0) return parts;
      let exponent: SumExponent = 0;
      if (!Number.isFinite(value)) {
        exponent = HUGE_EXPONENT;
        value = rest.nearest(exponent);
      }
      parts.push({ value, exponent });
      rest.remove(value, exponent);
    }
  }

  /** Adds the integer (high · 2^32 + low) · 2^position units. @param high less than 2^21 */
  private deposit(high: number, low: number, position: number, negative: boolean): void {
    const index = position >>> 5;
    const shift = position & 31;
    let digit0 = low;
    let digit1 = high;
    let digit2 = 0;
    if (shift > 0) {
      digit0 = (low << shift) >>> 0;
      digit1 = ((low >>> (32 - shift)) | (high << shift)) >>> 0;
      digit2 = high >>> (32 - shift);
    }
    const { limbs } = this;
    if (negative) {
      limbs[index] = (limbs[index] as number) - digit0;
      limbs[index + 1] = (limbs[index + 1] as number) - digit1;
      limbs[index + 2] = (limbs[index + 2] as number) - digit2;
    } else {
      limbs[index] = (limbs[index] as number) + digit0;
      limbs[index + 1] = (limbs[index + 1] as number) + digit1;
      limbs[index + 2] = (limbs[index + 2] as number) + digit2;
    }
    if (index < this.low) this.low = index;
    if (index + 3 > this.high) this.high = index + 3;
    if (++this.pending >= MAX_PENDING) this.normalize();
  }

  /** @param magnitude an integer of at most 53 bits */
  private depositInteger(magnitude: number, position: number, negative: boolean): void {
    if (magnitude === 0) return;
    const low = magnitude >>> 0;
    this.deposit((magnitude - low) / RADIX, low, position, negative);
  }

  /** Afterwards all limbs are digits from 0 to 2^32 − 1, except the highest one: it is not 0 and has the sign of the sum. */
  private normalize(): void {
    const { limbs } = this;
    this.pending = 0;
    let carry = 0;
    let lowest = -1;
    let top = -1;
    for (let i = this.low; i < this.high || carry !== 0; i++) {
      const sum = (limbs[i] as number) + carry;
      if (i >= this.high - 1 && sum > -RADIX && sum < RADIX) {
        // The last limb keeps its sign: a borrow would travel to the end of the array.
        carry = 0;
        limbs[i] = sum;
        this.high = i + 1;
      } else {
        carry = Math.floor(sum / RADIX);
        limbs[i] = sum - carry * RADIX;
      }
      if (limbs[i] !== 0) {
        if (lowest < 0) lowest = i;
        top = i;
      }
    }
    // −1 above a digit that is not 0 is that digit minus 2^32.
    while (top > lowest && limbs[top] === -1 && (limbs[top - 1] as number) > 0) {
      limbs[top--] = 0;
      limbs[top] = (limbs[top] as number) - RADIX;
    }
    this.low = lowest < 0 ? LIMBS : lowest;
    this.high = top + 1;
  }

  /** The double nearest to the sum · 2^-exponent, ties to even; infinite if that overflows. @param exponent a multiple of 32 */
  private nearest(exponent: number): number {
    this.normalize();
    if (this.high === 0) return 0;
    const negative = (this.limbs[this.high - 1] as number) < 0;
    if (negative) this.negate();
    const magnitude = this.nearestMagnitude(exponent);
    if (!negative) return magnitude;
    this.negate();
    return -magnitude;
  }

  /** Of a normalized sum; the result is normalized. */
  private negate(): void {
    for (let i = this.low; i < this.high; i++) this.limbs[i] = -(this.limbs[i] as number);
    this.normalize();
  }

  /** `nearest` of a normalized positive sum. */
  private nearestMagnitude(exponent: number): number {
    const { limbs } = this;
    const top = this.high - 1;
    const first = limbs[top] as number;
    const second = top > this.low ? (limbs[top - 1] as number) : 0;
    const third = top - 1 > this.low ? (limbs[top - 2] as number) : 0;
    // `upper` and `lower` are the 64 bits from the first one that is not 0; `sticky`: any other bit is not 0.
    const bits = 32 - Math.clz32(first);
    const upper = bits === 32 ? first : ((first << (32 - bits)) | (second >>> bits)) >>> 0;
    const lower = bits === 32 ? second : ((second << (32 - bits)) | (third >>> bits)) >>> 0;
    let sticky = (bits === 32 ? third : (third << (32 - bits)) >>> 0) !== 0;
    for (let i = top - 3; i >= this.low && !sticky; i--) sticky = limbs[i] !== 0;
    let mantissa = upper * 2 ** 21 + (lower >>> 11);
    const remainder = lower & 0x7ff;
    if (remainder > 0x400 || (remainder === 0x400 && (sticky || mantissa % 2 === 1))) mantissa++;
    const scale = 32 * top + bits - 53 + LOWEST_EXPONENT - exponent;
    // In two steps: 2^scale alone may overflow or underflow where the product does not.
    const half = scale >> 1;
    return mantissa * powerOf2(half) * powerOf2(scale - half);
  }
}

/** What `parts` has not yet listed. */
const rest = new ExactSum();

/** The bits of the mantissa in the upper word of a double, with the implicit one. The layout is that of IEEE 754 binary64. */
const mantissaHigh = (word: number): number =>
  (word & 0x7ff0_0000) === 0 ? word & 0xf_ffff : (word & 0xf_ffff) | 0x10_0000;

/** @param exponent from −1022 to 1023 */
function powerOf2(exponent: number): number {
  words[HIGH] = (exponent + 1023) << 20;
  words[LOW] = 0;
  return double[0] as number;
}

/** The position of the lowest bit of the mantissa, above the unit. */
const positionOf = (word: number): number => Math.max((word >>> 20) & 0x7ff, 1) - 1;
