import type { LimitStep } from '../../../src/dashboard/contract/limits.js';
import { lineParts, stretches } from '../../../web/src/marks/cells.js';
import { hasOtherLimits, limitSegments, zonesOf } from '../../../web/src/marks/limits.js';

const [LOW, HIGH] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

describe('the status of cells', () => {
  it('merges equal neighbours and lasts until the next run', () => {
    expect(stretches(['ok', null, 'ok', null, 'bad', 'bad'])).toEqual([
      { value: 'ok', from: 0, to: 4 },
      { value: 'bad', from: 4, to: 6 },
    ]);
  });

  it('leaves gaps empty: more than three times the usual distance', () => {
    const cells = ['ok', 'ok', 'ok', null, null, null, null, 'ok', null, null, null, null];
    expect(stretches(cells)).toEqual([
      { value: 'ok', from: 0, to: 3 },
      { value: 'ok', from: 7, to: 8 },
    ]);
    expect(stretches([null, null])).toEqual([]);
  });

  it('lets a nightly job fill its day', () => {
    const nightly = Array.from({ length: 24 }, (_, i) => (i % 8 === 0 ? 'ok' : null));
    expect(stretches(nightly)).toEqual([{ value: 'ok', from: 0, to: 24 }]);
    expect(lineParts(nightly.map((cell) => (cell ? 1 : null)))).toEqual([[0, 8, 16]]);
  });

  it('breaks the line at gaps', () => {
    expect(lineParts([1, 2, 3, null, 4, null, null, null, null, 5])).toEqual([[0, 1, 2, 4], [9]]);
  });
});

const step = (from: string, critical: number | null, experiment_id: string | null = null): LimitStep => ({
  from,
  experiment_id,
  critical_threshold: critical,
  warning_threshold: null,
  updated_at: null,
  updated_by: null,
});

describe('the limits over time', () => {
  const [from, to] = [Date.parse('2026-11-01T00:00:00Z'), Date.parse('2026-11-11T00:00:00Z')];
  it('step where they changed', () => {
    const changed = Date.parse('2026-11-05T00:00:00Z');
    expect(
      limitSegments([step('2026-11-05T00:00:00Z', 2), step('2026-11-02T00:00:00Z', 1)], from, to),
    ).toEqual([
      { from, to: changed, critical: 1, warning: null },
      { from: changed, to, critical: 2, warning: null },
    ]);
  });

  it('are those that judged the newest run, if experiments have their own', () => {
    const steps = [step('2026-11-01T00:00:00Z', 1), step('2026-11-06T00:00:00Z', 3, '7')];
    expect(limitSegments(steps, from, to)).toEqual([{ from, to, critical: 3, warning: null }]);
    expect(hasOtherLimits(steps)).toBe(true);
    expect(limitSegments([], from, to)).toEqual([]);
  });

  it.each([
    [
      { critical: 0.7, warning: 0.8 },
      true,
      [
        ['critical', LOW, 0.7],
        ['warning', 0.7, 0.8],
      ],
    ],
    [
      { critical: 9, warning: 6 },
      false,
      [
        ['critical', 9, HIGH],
        ['warning', 6, 9],
      ],
    ],
    [{ critical: null, warning: 0.8 }, true, [['warning', LOW, 0.8]]],
    // In the wrong order nothing is left for a warning.
    [{ critical: 0.8, warning: 0.7 }, true, [['critical', LOW, 0.8]]],
    [{ critical: null, warning: null }, true, []],
  ])('%j with higher is better: %p shade what is beyond them', (limits, higher, zones) => {
    expect(zonesOf(limits, higher).map(({ status, low, high }) => [status, low, high])).toEqual(zones);
  });
});
