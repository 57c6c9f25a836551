import fc from 'fast-check';
import type { ThresholdRow } from '../../../src/domain/model.js';
import { chooseThreshold, indexByExperiment } from '../../../src/domain/rule.js';

/** Times with their rank: invalid times come first. */
const TIMES = new Map<string | null, number>([
  [null, 0],
  ['soon', 0],
  ['2026-03-09T12:00:00Z', 1],
  ['2026-03-10T12:00:00Z', 2],
  ['2026-03-10T13:00:00+01:00', 2],
  ['2026-03-10T12:00:00.0001Z', 3],
]);
/** Patterns with their rank for `accuracy`: the higher one takes precedence. `loss` does not match. */
const NAMES = new Map([
  ['loss', 0],
  ['*', 1],
  ['acc*', 2],
  ['?ccuracy', 4],
  ['*ccuracy', 5],
  ['accuracy', 6],
]);
const limit = fc.constantFrom(null, -1, 0, 1, 2);
const rows = fc
  .array(
    fc.record({
      metric_name: fc.constantFrom(...NAMES.keys()),
      experiment_id: fc.constantFrom(null, '7', '8', ' '),
      critical_threshold: limit,
      warning_threshold: limit,
      updated_at: fc.constantFrom(...TIMES.keys()),
    }),
    { maxLength: 12 },
  )
  .map((list): ThresholdRow[] => list.map((row, i) => ({ ...row, updated_by: String(i) })));
const direction = fc.constantFrom(true, false, null);
const choose = (list: readonly ThresholdRow[], higherIsBetter: boolean | null) =>
  chooseThreshold('accuracy', '7', higherIsBetter, indexByExperiment(list));

/** The sort key of a row, the most significant part first. */
function keyOf(row: ThresholdRow, higherIsBetter: boolean | null): number[] {
  const strictness = (value: number | null) =>
    value === null ? Number.NEGATIVE_INFINITY : higherIsBetter === false ? -value : value;
  return [
    row.experiment_id === '7' ? 1 : 0,
    NAMES.get(row.metric_name) ?? 0,
    TIMES.get(row.updated_at) ?? 0,
    strictness(row.critical_threshold),
    strictness(row.warning_threshold),
  ];
}

const compare = (a: readonly number[], b: readonly number[]): number => {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : (a[at] ?? 0) < (b[at] ?? 0) ? -1 : 1;
};

describe('the threshold row that applies', () => {
  it('is the last one when sorted by experiment, name, time, critical limit, warning limit and position', () => {
    fc.assert(
      fc.property(rows, direction, (list, higherIsBetter) => {
        const matching = list.filter((row) => row.metric_name !== 'loss' && row.experiment_id !== '8');
        // Sorting is stable: of equal rows the last in the response stays last.
        const sorted = [...matching].sort((a, b) =>
          compare(keyOf(a, higherIsBetter), keyOf(b, higherIsBetter)),
        );
        expect(choose(list, higherIsBetter)).toEqual(sorted.at(-1) ?? null);
      }),
      { numRuns: 2000 },
    );
  });

  it('does not depend on the order of the response unless two rows have equal keys', () => {
    const orders = rows.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
    );
    fc.assert(
      fc.property(orders, direction, ([list, shuffled], higherIsBetter) => {
        const [one, other] = [choose(list, higherIsBetter), choose(shuffled, higherIsBetter)];
        expect(other && keyOf(other, higherIsBetter)).toEqual(one && keyOf(one, higherIsBetter));
      }),
      { numRuns: 1000 },
    );
  });
});
