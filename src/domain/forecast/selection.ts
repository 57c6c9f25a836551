/** What `nthSmallest` reorders. */
let scratch = new Float64Array(256);

/**
 * `values.slice().sort()[n]`, in less time: the algorithm "Find" of C. A. R. Hoare, 1961.
 * @param values none of them NaN
 * @param n at least 0, less than the number of values
 */
export function nthSmallest(values: Float64Array, n: number): number {
  if (scratch.length < values.length) scratch = new Float64Array(2 * values.length);
  const numbers = scratch;
  numbers.set(values);
  let first = 0;
  let last = values.length - 1;
  while (first < last) {
    const pivot = numbers[n] as number;
    let left = first;
    let right = last;
    while (left <= right) {
      while ((numbers[left] as number) < pivot) left++;
      while (pivot < (numbers[right] as number)) right--;
      if (left > right) break;
      const larger = numbers[left] as number;
      numbers[left++] = numbers[right] as number;
      numbers[right--] = larger;
    }
    if (right < n) first = left;
    if (n < left) last = right;
  }
  const found = numbers[n] as number;
  return found === 0 ? zeroAt(values, n) : found;
}

/** `sort` puts −0 before 0, which no comparison tells apart. */
function zeroAt(values: Float64Array, n: number): number {
  let before = 0;
  for (const value of values) if (value < 0 || Object.is(value, -0)) before++;
  return n < before ? -0 : 0;
}

/** @param values at least one, none of them NaN */
export function extremesOf(values: Float64Array): { least: number; greatest: number } {
  let least = values[0] as number;
  let greatest = least;
  for (let i = 1; i < values.length; i++) {
    const value = values[i] as number;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return { least, greatest };
}
