import { exactTime, offsetOf, shortDay, zoneName } from '../../../web/src/words/time.js';

describe('times', () => {
  const at = '2026-10-24T22:30:00.000Z';
  it('are written in the chosen zone', () => {
    expect(exactTime(at, 'UTC')).toBe('Sat 24 Oct 2026, 22:30:00 UTC');
    expect(exactTime(at, 'Europe/Berlin')).toMatch(/^Sun 25 Oct 2026, 00:30:00 (CEST|GMT\+2)$/);
    expect(shortDay(at, 'Europe/Berlin')).toBe('25 Oct');
    expect(zoneName(at, 'Asia/Kolkata')).toMatch(/^(IST|GMT\+5:30)$/);
  });

  it('know how far a zone is from UTC', () => {
    expect(offsetOf(Date.parse(at), 'Europe/Berlin')).toBe(2 * 3_600_000);
    expect(offsetOf(Date.parse('2026-10-25T12:00:00Z'), 'Europe/Berlin')).toBe(3_600_000);
    expect(offsetOf(Date.parse(at), 'Asia/Kolkata')).toBe(5.5 * 3_600_000);
    expect(offsetOf(Date.parse(at), 'UTC')).toBe(0);
  });
});
