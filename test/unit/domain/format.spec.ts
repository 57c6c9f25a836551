import fc from 'fast-check';
import { formatDuration, formatPeriod, formatQuantity, formatWithUnit } from '../../../src/domain/format.js';

describe('formatQuantity', () => {
  it.each([
    [0.78123, null, null, '0.781'],
    [447.26, 'ms', null, '447 ms'],
    [7.9012, '%', null, '7.9 %'],
    [12_400.4, null, null, '12,400'],
    [1_234_567.9, null, null, '1,234,568'],
    [0, '%', null, '0 %'],
    [-0.0123456, null, null, '-0.0123'],
    [0.0000123456, null, null, '0.0000123'],
    // Enough digits to show on which side of the limit the value lies.
    [0.7896, null, 0.79, '0.7896'],
    [0.79, null, 0.79, '0.79'],
    [440.01, 'ms', 440, '440.01 ms'],
    [439.7, 'ms', 440, '439.7 ms'],
  ])('%p %p with limit %p: %p', (value, unit, limit, expected) => {
    expect(formatQuantity(value, unit, limit)).toBe(expected);
  });

  it('never rounds a value to the other side of its limit', () => {
    const number = fc.double({ noNaN: true, min: -1e9, max: 1e9 });
    fc.assert(
      fc.property(number, number, (value, limit) => {
        const shown = Number(formatQuantity(value, null, limit).replaceAll(',', ''));
        return Math.sign(shown - limit) === Math.sign(value - limit);
      }),
    );
  });
});

describe('formatWithUnit', () => {
  it('keeps all digits', () => {
    expect(formatWithUnit(0.123456789, null)).toBe('0.123456789');
    expect(formatWithUnit(1500.25, 'ms')).toBe('1,500.25 ms');
    expect(formatWithUnit(-1234567, null)).toBe('-1,234,567');
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0 s'],
    [38_900, '38 s'],
    [12 * 60_000 + 59_000, '12 min'],
    [3 * 3_600_000 + 20 * 60_000, '3 h 20 min'],
    [3 * 3_600_000, '3 h'],
    [26 * 3_600_000, '1 d 2 h'],
    [12 * 86_400_000 + 7 * 3_600_000, '12 d'],
  ])('%p ms: %p', (ms, expected) => {
    expect(formatDuration(ms)).toBe(expected);
  });
});

describe('formatPeriod', () => {
  it.each([
    [30_000, '1 min'],
    [30 * 60_000, '30 min'],
    [59 * 60_000, '59 min'],
    [23.6 * 3_600_000, '24 h'],
    [7 * 86_400_000, '7 d'],
  ])('%p ms: %p', (ms, expected) => {
    expect(formatPeriod(ms)).toBe(expected);
  });
});
