import { fraction, mergeEqual, timeTicks, valueSpan } from '../../../web/src/marks/scale.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('the span of values', () => {
  it.each([
    [[0.5, 0.5], []],
    [[0, 0], []],
    [[1e-300, 3e-300], [2e-300]],
    [[-Number.MAX_VALUE, Number.MAX_VALUE], [0]],
    [[1e308], [-1e308]],
    [[5], [Number.MAX_VALUE]],
  ])('of %j with the limits %j is finite, and has all values inside', (values, limits) => {
    const span = valueSpan(values, limits);
    if (!span) throw new Error('no span');
    expect(Number.isFinite(span.low) && Number.isFinite(span.high)).toBe(true);
    expect(span.low).toBeLessThan(span.high);
    for (const value of values) {
      const place = fraction(value, span);
      expect(place).toBeGreaterThanOrEqual(0);
      expect(place).toBeLessThanOrEqual(1);
    }
  });

  it('contains a limit near the values, and not one that would make them a straight line', () => {
    expect(valueSpan([0.9, 0.8], [0.7])?.low).toBeLessThan(0.7);
    expect(valueSpan([0.9, 0.8], [-100])?.low).toBeGreaterThan(0.7);
  });

  it('does not exist without values', () => {
    expect(valueSpan([], [1])).toBeNull();
  });
});

describe('the labels of a time axis', () => {
  const utc = () => 0;
  it.each([
    [DAY, 8, HOUR * 3],
    [14 * DAY, 8, 2 * DAY],
    [30 * DAY, 6, 7 * DAY],
    [90 * DAY, 8, 14 * DAY],
  ])('over %d ms with room for %d are whole steps apart', (length, most, step) => {
    const from = Date.UTC(2026, 10, 3, 15, 30);
    const { at } = timeTicks(from, from + length, most, utc);
    expect(at.length).toBeGreaterThan(1);
    expect(at.length).toBeLessThanOrEqual(most + 1);
    expect(new Set(at.slice(1).map((tick, i) => tick - (at[i] ?? 0)))).toEqual(new Set([step]));
    expect(at.every((tick) => tick >= from && tick < from + length)).toBe(true);
  });

  it('are midnights of the zone, also across a change of its clocks', () => {
    // Central Europe: two hours ahead of UTC until 25 October 2026, 1:00 UTC, then one.
    const offset = (at: number) => (at < Date.UTC(2026, 9, 25, 1) ? 2 : 1) * HOUR;
    const { at, days } = timeTicks(Date.UTC(2026, 9, 23), Date.UTC(2026, 9, 28), 5, offset);
    expect(days).toBe(true);
    expect(at.map((tick) => new Date(tick + offset(tick)).getUTCHours())).toEqual(at.map(() => 0));
    expect(at).toHaveLength(5);
  });
});

describe('equal neighbours', () => {
  it('are one stretch', () => {
    expect(mergeEqual(['a', 'a', 'b', 'a'])).toEqual([
      { value: 'a', from: 0, to: 2 },
      { value: 'b', from: 2, to: 3 },
      { value: 'a', from: 3, to: 4 },
    ]);
    expect(mergeEqual([])).toEqual([]);
  });
});
