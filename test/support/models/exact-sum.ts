/** A model of `src/domain/exact-sum.ts`: a finite double is an integer multiple of 2^-1074, and BigInt adds integers exactly. */
const cell = new DataView(new ArrayBuffer(8));

/** The value in units of 2^-1074. */
export function unitsOf(value: number): bigint {
  cell.setFloat64(0, value);
  const word = cell.getBigUint64(0);
  const biased = (word >> 52n) & 0x7ffn;
  const fraction = word & ((1n << 52n) - 1n);
  const magnitude = biased === 0n ? fraction : (fraction | (1n << 52n)) << (biased - 1n);
  return word >> 63n === 1n ? -magnitude : magnitude;
}

/**
 * The double nearest to a number of units, ties to even; null if it overflows. `Number` of a BigInt rounds this way
 * (ECMA-262, 21.1.1.1).
 */
export function nearest(units: bigint): number | null {
  const magnitude = units < 0n ? -units : units;
  const length = magnitude.toString(2).length;
  // Beyond 1000 bits, Number would overflow before the scaling. A sticky bit replaces the removed bits, to decide ties.
  const cut = Math.max(length - 1000, 0);
  const rest = BigInt.asUintN(cut, magnitude);
  const kept = (magnitude >> BigInt(cut)) | (rest === 0n ? 0n : 1n);
  const value = Number(kept) * 2 ** -1074 * 2 ** Math.min(cut, 1000) * 2 ** Math.max(cut - 1000, 0);
  if (!Number.isFinite(value)) return null;
  return units < 0n ? -value : value;
}

export const exactSum = (values: Iterable<number>): number | null => {
  let units = 0n;
  for (const value of values) units += unitsOf(value);
  return nearest(units);
};
