import fc from 'fast-check';
import { ExactSum, roundToDouble } from '../../../src/domain/exact-sum.js';
import { exactSum, nearest, unitsOf } from '../../support/models/exact-sum.js';

const MAX = Number.MAX_VALUE;
const MIN = Number.MIN_VALUE;
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
/** Numbers of all magnitudes that cancel and tie more often than random ones. */
const awkward = fc.oneof(
  finite,
  fc.constantFrom(
    MAX,
    -MAX,
    MIN,
    -MIN,
    1,
    -1,
    2 ** 53,
    -(2 ** 53),
    2 ** -1022,
    1e16,
    -1e16,
    0.1,
    -0,
    2 ** -53,
  ),
  fc
    .tuple(fc.integer({ min: -1074, max: 1023 }), fc.boolean())
    .map(([e, minus]) => (minus ? -1 : 1) * 2 ** e),
);
/** Jest distinguishes 0 from −0; sums do not. */
const positiveZero = (value: number | null) => (value === 0 ? 0 : value);

function sum(values: readonly number[]): number | null {
  const exact = new ExactSum();
  for (const value of values) exact.add(value);
  return exact.value();
}

describe('a sum of doubles', () => {
  it.each([
    ['of no values', [], 0],
    ['without intermediate rounding', [1e16, 1, -1e16], 1],
    ['of tenths', Array(10).fill(0.1), 1],
    ['that cancels', [1e308, 1, -1e308, -1], 0],
    ['with an intermediate sum that overflows', [MAX, MAX, -MAX], MAX],
    ['that overflows', [MAX, MAX], null],
    ['that overflows in the negative', [-MAX, -1e300], null],
    ['half an ulp above the largest double', [MAX, 2 ** 970], null],
    ['just under half an ulp above the largest double', [MAX, 2 ** 970, -MIN], MAX],
    ['of the smallest doubles', [MIN, MIN, MIN], 3 * MIN],
    ['of subnormal numbers with a normal result', [2 ** -1022 - MIN, MIN], 2 ** -1022],
    ['with a tie, rounded down to even', [2 ** 53, 1], 2 ** 53],
    ['with a tie, rounded up to even', [2 ** 53 + 2, 1], 2 ** 53 + 4],
    ['above a tie by the smallest double', [2 ** 53, 1, MIN], 2 ** 53 + 2],
    ['below a tie by the smallest double', [2 ** 53, 1, -MIN], 2 ** 53],
    ['of negative numbers with a tie', [-(2 ** 53), -1], -(2 ** 53)],
    ['of integers above 2^53', [2 ** 53, 2 ** 53, 2], 2 ** 54 + 2],
    ['of a negative zero', [-0], 0],
  ])('%s', (_, values, expected) => {
    // Compared with ===, because the sign of a zero does not matter.
    expect(sum(values) === expected).toBe(true);
    expect(exactSum(values) === expected).toBe(true);
  });

  it('is the exact sum, rounded once, in any order', () => {
    const lists = fc
      .array(awkward, { maxLength: 40 })
      .chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })));
    fc.assert(
      fc.property(lists, ([list, shuffled]) => {
        const expected = exactSum(list);
        expect(sum(list)).toEqual(positiveZero(expected));
        expect(sum(shuffled)).toEqual(sum(list));
      }),
      { numRuns: 1000 },
    );
  });

  it('is unaffected by values that were added and removed', () => {
    fc.assert(
      fc.property(fc.array(awkward), fc.array(awkward), (kept, passing) => {
        const moving = new ExactSum();
        for (const value of passing) moving.add(value);
        for (const value of kept) moving.add(value);
        for (const value of passing) moving.remove(value);
        expect(moving.value()).toEqual(sum(kept));
      }),
      { numRuns: 500 },
    );
  });

  it('is exact for products and for differences of multiples', () => {
    const factor = fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(factor, awkward)),
        fc.array(awkward),
        factor,
        factor,
        (pairs, list, a, b) => {
          const products = new ExactSum();
          let units = 0n;
          for (const [times, value] of pairs) {
            products.addProduct(times, value);
            units += times * unitsOf(value);
          }
          const other = new ExactSum();
          for (const value of list) other.add(value);
          const otherUnits = list.reduce((total, value) => total + unitsOf(value), 0n);
          const difference = nearest(a * units - b * otherUnits);
          expect(products.scaledDifference(a, b, other)).toEqual(positiveZero(difference));
          expect(products.value()).toEqual(positiveZero(nearest(units)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('rounds an integer times a power of 2 to the nearest double', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: -(2n ** 120n), max: 2n ** 120n }),
        fc.integer({ min: 0, max: 2100 }),
        (mantissa, shift) => {
          const expected = nearest(mantissa << BigInt(shift));
          expect(roundToDouble(mantissa, shift - 1074)).toEqual(positiveZero(expected));
        },
      ),
      { numRuns: 1000 },
    );
    // Below the smallest double; half of it is a tie that rounds to 0.
    expect([1n, 2n, 3n, 5n, 6n].map((mantissa) => roundToDouble(mantissa, -1076))).toEqual([
      0,
      0,
      MIN,
      MIN,
      2 * MIN,
    ]);
    expect(roundToDouble(-3n, -1076)).toBe(-MIN);
  });
});
