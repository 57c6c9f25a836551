import fc from 'fast-check';
import { ExactSum, HUGE_EXPONENT, type SumPart } from '../../../src/domain/exact-sum.js';
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

  it('is exact for products and for multiples of other sums', () => {
    const factor = fc.integer({ min: -(2 ** 32) + 1, max: 2 ** 32 - 1 });
    const multiple = fc.maxSafeInteger();
    fc.assert(
      fc.property(
        fc.array(fc.tuple(factor, awkward)),
        fc.array(awkward),
        multiple,
        multiple,
        (pairs, list, a, b) => {
          const products = new ExactSum();
          let units = 0n;
          for (const [times, value] of pairs) {
            products.addProduct(times, value);
            units += BigInt(times) * unitsOf(value);
          }
          const other = new ExactSum();
          for (const value of list) other.add(value);
          const otherUnits = list.reduce((total, value) => total + unitsOf(value), 0n);
          const difference = new ExactSum();
          difference.addMultiple(a, products);
          difference.addMultiple(-b, other);
          const expected = nearest(BigInt(a) * units - BigInt(b) * otherUnits);
          expect(difference.value()).toEqual(positiveZero(expected));
          expect(products.value()).toEqual(positiveZero(nearest(units)));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('stays exact over more additions than a digit has room for', () => {
    const exact = new ExactSum();
    const count = 2 ** 21 + 3;
    for (let i = 0; i < count; i++) exact.add(-(2 - 2 ** -52));
    expect(exact.value()).toBe(nearest(BigInt(count) * unitsOf(-(2 - 2 ** -52))));
  });

  it('is empty after it was cleared', () => {
    const exact = new ExactSum();
    for (const value of [MAX, -MIN, 0.1]) exact.add(value);
    exact.clear();
    expect([exact.value(), exact.parts()]).toEqual([0, []]);
    exact.add(-0.1);
    expect(exact.value()).toBe(-0.1);
  });
});

describe('the parts of a sum', () => {
  const scaled = fc.tuple(awkward, fc.constantFrom(0, HUGE_EXPONENT));
  const exactOf = (list: readonly SumPart[]): ExactSum => {
    const exact = new ExactSum();
    for (const { value, exponent } of list) exact.add(value, exponent);
    return exact;
  };
  const unitsOfAll = (list: readonly SumPart[]): bigint =>
    list.reduce((units, { value, exponent }) => units + (unitsOf(value) << BigInt(exponent)), 0n);

  it.each([
    ['of nothing', [], []],
    ['that cancel', [0.1, -0.1, -0], []],
    ['of one value', [-0.1], [-0.1]],
    ['of a sum that is no double', [2 ** 53, 1, MIN], [2 ** 53 + 2, -1, MIN]],
  ])('%s', (_, values, expected) => {
    const parts = exactOf(values.map((value) => ({ value, exponent: 0 }))).parts();
    expect(parts).toEqual(expected.map((value) => ({ value, exponent: 0 })));
  });

  it('above the largest double are scaled', () => {
    const parts = exactOf([
      { value: MAX, exponent: 0 },
      { value: MAX, exponent: 0 },
      { value: MIN, exponent: 0 },
    ]).parts();
    expect(parts).toEqual([
      { value: MAX * 2 ** -127, exponent: HUGE_EXPONENT },
      { value: MIN, exponent: 0 },
    ]);
  });

  it('add up to it exactly, and are the same for equal sums', () => {
    fc.assert(
      fc.property(
        fc.array(scaled, { maxLength: 12 }),
        fc.array(awkward, { maxLength: 4 }),
        fc.boolean(),
        (list, passing, first) => {
          const values = list.map(([value, exponent]) => ({ value, exponent }));
          const parts = exactOf(values).parts();
          expect(unitsOfAll(parts)).toBe(unitsOfAll(values));
          const detour = new ExactSum();
          if (first) for (const value of passing) detour.addProduct(3, value);
          for (const { value, exponent } of parts.toReversed()) detour.add(value, exponent);
          if (!first) for (const value of passing) detour.addProduct(3, value);
          for (const value of passing) for (let i = 0; i < 3; i++) detour.remove(value);
          expect(detour.parts()).toEqual(parts);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
