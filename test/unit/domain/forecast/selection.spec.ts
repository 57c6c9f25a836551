import fc from 'fast-check';
import { extremesOf, nthSmallest } from '../../../../src/domain/forecast/selection.js';
import { noiseFrom } from '../../../support/noise.js';

const numbers = fc.oneof(
  fc.double({ noNaN: true }),
  fc.constantFrom(0, -0, 1, -1, 2, Number.MIN_VALUE, -Number.MIN_VALUE, Number.MAX_VALUE),
);

/** Every place of a list, as `sort` has it. */
function expectOrder(values: Float64Array): void {
  const before = values.slice();
  const found = values.map((_, n) => nthSmallest(values, n));
  // toEqual tells −0 from 0.
  expect(found).toEqual(before.slice().sort());
  expect(values).toEqual(before);
}

describe('the nth smallest of some numbers', () => {
  it('is the one that sorting puts there, also among −0, 0 and equal numbers', () => {
    fc.assert(
      fc.property(fc.array(numbers, { minLength: 1, maxLength: 40 }), (list) =>
        expectOrder(Float64Array.from(list)),
      ),
    );
  });

  it.each([
    ['rise', (i: number) => i],
    ['fall', (i: number) => -i],
    ['are equal', () => 3],
    ['take turns', (i: number) => i % 2],
    ['are random', noiseFrom(8)],
  ] as const)('is right for many numbers that %s', (_name, value) => {
    expectOrder(Float64Array.from({ length: 600 }, (_, i) => value(i)));
  });
});

it('the extremes of some numbers are the first and the last in order', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1 }), (list) => {
      const { least, greatest } = extremesOf(Float64Array.from(list));
      expect([least, greatest].map((x) => x + 0)).toEqual(
        [Math.min(...list), Math.max(...list)].map((x) => x + 0),
      );
    }),
  );
});
