import { parseRetryAfter } from '../../../src/upstream/retry-after.js';

const NOW = Date.parse('2026-03-10T12:00:00Z');

describe('Retry-After', () => {
  it.each([
    ['120', 120_000],
    [' 0 ', 0],
    ['0.5', 500],
    ['-5', 0],
    ['Tue, 10 Mar 2026 12:01:30 GMT', 90_000],
    ['Tue, 10 Mar 2026 11:00:00 GMT', 0],
    ['Wed, 31 Dec 1969 00:00:00 GMT', 0],
    ['soon', undefined],
    ['-5x', undefined],
    [' ', undefined],
    ['', undefined],
    [undefined, undefined],
    [['120'], undefined],
  ])('%j requests a wait of %p ms', (header, ms) => {
    expect(parseRetryAfter(header, NOW)).toBe(ms);
  });
});
