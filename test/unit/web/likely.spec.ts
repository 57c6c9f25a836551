import { likelyText, nextBreach } from '../../../web/src/words/likely.js';

describe('the words about a forecast', () => {
  const now = Date.parse('2026-11-24T10:00:00Z');
  const metric = { unit: 'ms', higher_is_better: false, critical_threshold: 470, warning_threshold: 440 };
  const text = (earliest: string, expected: string, more: object = {}) =>
    likelyText({ next: 'critical', earliest, expected, metric: { ...metric, ...more } }, now);

  it('name the limit and when it is crossed', () => {
    expect(text('2026-11-27T10:00:00Z', '2026-11-30T10:00:00Z')).toBe(
      'If it goes on like this, it rises above its critical limit of 470 ms in about 6 d, at the earliest in 3 d.',
    );
  });

  it('say that it may happen before it is expected', () => {
    expect(text('2026-11-24T09:00:00Z', '2026-11-24T20:00:00Z', { higher_is_better: true })).toBe(
      'If it goes on like this, it falls below its critical limit of 470 ms in about 10 h, possibly sooner.',
    );
    expect(text('2026-11-24T09:00:00Z', '2026-11-24T09:59:00Z')).toMatch(/470 ms about now\.$/);
  });
});

describe('the next limit that a metric crosses', () => {
  const now = Date.parse('2026-11-24T10:00:00Z');
  const at = (day: number) => ({
    earliest: `2026-11-${day}T08:00:00.000Z`,
    expected: `2026-11-${day}T12:00:00.000Z`,
  });
  it('is the one that is expected first, and none that is past', () => {
    expect(nextBreach({ warning: at(25), critical: at(27) }, now)).toEqual({ next: 'warning', ...at(25) });
    expect(nextBreach({ warning: at(23), critical: at(27) }, now)).toEqual({ next: 'critical', ...at(27) });
    expect(nextBreach({ warning: at(23), critical: null }, now)).toBeNull();
    expect(nextBreach(undefined, now)).toBeNull();
  });
});
