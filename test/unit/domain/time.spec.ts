import fc from 'fast-check';
import {
  addDays,
  compareInstants,
  dayOf,
  dayStart,
  daysOf,
  hourOf,
  type Instant,
  instantOf,
  instantText,
} from '../../../src/domain/time.js';

const at = (text: string): number => Date.parse(text);

describe('the UTC day', () => {
  it.each([
    ['2026-03-10T00:00:00.000Z', '2026-03-10'],
    ['2026-03-10T23:59:59.999Z', '2026-03-10'],
    ['2024-02-29T12:00:00Z', '2024-02-29'],
    ['1969-12-31T23:59:59.999Z', '1969-12-31'],
    ['0000-01-01T00:00:00Z', '0000-01-01'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31'],
  ])('of %s is %s', (instant, day) => {
    expect(dayOf(at(instant))).toBe(day);
    expect(dayStart(day)).toBe(at(`${day}T00:00:00Z`));
  });

  it.each([253_402_300_800_000, -62_167_219_200_001, 8.64e15 + 1, Number.NaN])('of %d throws', (ms) => {
    expect(() => dayOf(ms)).toThrow(RangeError);
  });

  it.each(['2026-02-29', '2026-13-01', '2026-1-1', '2026-03-10T00:00:00Z', '', '20260310'])(
    'rejects %j',
    (day) => {
      expect(() => dayStart(day)).toThrow(RangeError);
    },
  );

  it.each([
    ['2026-03-10', -7, '2026-03-03'],
    ['2026-03-01', -1, '2026-02-28'],
    ['2024-02-28', 1, '2024-02-29'],
    ['2025-12-31', 1, '2026-01-01'],
    ['2026-03-29', 1, '2026-03-30'],
  ])('%s plus %d days is %s', (day, n, result) => {
    expect(addDays(day, n)).toBe(result);
  });

  it.each([
    ['2026-03-10T12:00:00Z', '2026-03-10T12:00:00Z', []],
    ['2026-03-10T12:00:00Z', '2026-03-09T12:00:00Z', []],
    ['2026-03-10T12:00:00Z', '2026-03-10T12:00:00.001Z', ['2026-03-10']],
    ['2026-03-09T00:00:00Z', '2026-03-10T00:00:00Z', ['2026-03-09']],
    ['2026-03-09T23:59:59.999Z', '2026-03-10T00:00:00.001Z', ['2026-03-09', '2026-03-10']],
    ['2026-02-27T05:00:00Z', '2026-03-01T05:00:00Z', ['2026-02-27', '2026-02-28', '2026-03-01']],
  ])('the window from %s to %s overlaps with %j', (from, to, days) => {
    expect(daysOf({ from: at(from), to: at(to) })).toEqual(days);
  });

  it.each([
    ['2026-03-10T12:59:59.999Z', '2026-03-10T12:00:00Z'],
    ['2026-03-10T12:00:00Z', '2026-03-10T12:00:00Z'],
    ['1969-12-31T23:30:00Z', '1969-12-31T23:00:00Z'],
  ])('the hour of %s starts at %s', (instant, hour) => {
    expect(hourOf(at(instant))).toBe(at(hour));
  });
});

describe('an instant', () => {
  it.each([
    ['2026-03-10T12:00:00Z', '2026-03-10T12:00:00.000Z', ''],
    ['2026-03-10T12:00:00+02:00', '2026-03-10T10:00:00.000Z', ''],
    ['2026-03-10T12:00:00+0530', '2026-03-10T06:30:00.000Z', ''],
    ['2026-03-10T12:00:00-03', '2026-03-10T15:00:00.000Z', ''],
    ['2026-03-10 12:00:00', '2026-03-10T12:00:00.000Z', ''],
    ['2026-03-10t12:00:00z', '2026-03-10T12:00:00.000Z', ''],
    ['2026-03-10T12:00', '2026-03-10T12:00:00.000Z', ''],
    ['2026-03-10', '2026-03-10T00:00:00.000Z', ''],
    [' 2026-03-10 ', '2026-03-10T00:00:00.000Z', ''],
    ['2026-03-10T12:00:00.5Z', '2026-03-10T12:00:00.500Z', ''],
    ['2026-03-10T12:00:00,25Z', '2026-03-10T12:00:00.250Z', ''],
    ['2026-03-10T12:00:00.123456Z', '2026-03-10T12:00:00.123Z', '456'],
    ['2026-03-10T12:00:00.123456000Z', '2026-03-10T12:00:00.123Z', '456'],
    ['2026-03-10T12:00:00.1234567891Z', '2026-03-10T12:00:00.123Z', '4567891'],
  ])('%s is %s plus the decimals %j', (text, iso, subMillisecond) => {
    expect(instantOf(text)).toEqual({ ms: at(iso), subMillisecond });
  });

  it.each([
    '',
    'yesterday',
    '1',
    '2026',
    '2026-03',
    '2026-02-30',
    '2026-02-30T12:00:00Z',
    '2026-13-01T12:00:00Z',
    '2026-03-10T25:00:00Z',
    '2026-03-10T12:61:00Z',
    '2026-03-10T12',
    '2026-03-10T12:00:00+99:00',
    'Tue, 10 Mar 2026 12:00:00 GMT',
    '1773144000000',
    '9999-12-31T23:59:59-05:00',
    '0000-01-01T00:00:00+01:00',
  ])('%j is rejected', (text) => {
    expect(instantOf(text)).toBeNull();
  });

  it.each([
    ['2026-03-10T12:00+02:00', '2026-03-10T10:00:00.000Z'],
    ['2026-03-10 12:00:00,25', '2026-03-10T12:00:00.250Z'],
    ['2026-03-10T12:00:00.1234500Z', '2026-03-10T12:00:00.12345Z'],
    ['0000-01-01', '0000-01-01T00:00:00.000Z'],
  ])('%s has the canonical text %s', (text, expected) => {
    const written = instantText(instantOf(text) as Instant);
    expect(written).toBe(expected);
    expect(instantOf(written)).toEqual(instantOf(text));
  });

  it('compares with all digits, whatever the offset in its text', () => {
    const written = fc.record({
      ms: fc.constantFrom(0, 1, 999, 1_000, -1, -1_000, 1_773_144_000_000, 1_773_144_000_001),
      digits: fc.string({ unit: fc.constantFrom('0', '1', '9'), maxLength: 6 }),
      offset: fc.integer({ min: -14 * 60, max: 14 * 60 }),
    });
    const pad = (n: number, width = 2) => String(n).padStart(width, '0');
    const textOf = ({ ms, digits, offset }: { ms: number; digits: string; offset: number }) => {
      const local = new Date(ms + offset * 60_000).toISOString().slice(0, -1);
      const minutes = Math.abs(offset);
      return `${local}${digits}${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
    };
    /** In nanoseconds. */
    const exact = ({ ms, digits }: { ms: number; digits: string }) =>
      BigInt(ms) * 1_000_000n + BigInt(digits.padEnd(6, '0'));
    fc.assert(
      fc.property(written, written, (a, b) => {
        const difference = exact(a) - exact(b);
        const sign = difference > 0n ? 1 : difference < 0n ? -1 : 0;
        const [first, second] = [instantOf(textOf(a)), instantOf(textOf(b))] as [Instant, Instant];
        expect(Math.sign(compareInstants(first, second))).toBe(sign);
      }),
      { numRuns: 2000 },
    );
  });
});
