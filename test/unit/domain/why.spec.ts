import { type Evidence, type LimitChange, why, whySilent } from '../../../src/domain/why.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const steady = (count: number, value: number) =>
  Array.from({ length: count }, (_, i) => ({ time: i * HOUR, value }));
const NOTHING: Evidence = {
  unit: null,
  value: 0.78,
  invalid_kind: null,
  limit: 0.84,
  higher_is_better: true,
  before: [],
  label: null,
  limit_change: null,
  late: null,
  healthy_again: 0,
};

describe('why', () => {
  it('names the label that changed with the first unhealthy run, and the change of the value', () => {
    const label = { label: 'model_version', before: 'v1', after: 'v2' };
    expect(why({ ...NOTHING, label, before: steady(20, 0.9) })).toBe(
      'The model version changed from v1 to v2; the metric fell from 0.9 to 0.78.',
    );
    expect(why({ ...NOTHING, label, value: null, invalid_kind: 'nan' })).toBe(
      'The model version changed from v1 to v2 in the first unhealthy run.',
    );
  });

  it('shortens commits and long values', () => {
    const commit = (text: string) => text.repeat(40);
    const label = { label: 'mlflow.source.git.commit', before: commit('a'), after: commit('b') };
    expect(why({ ...NOTHING, label })).toContain('The git commit changed from aaaaaaaa to bbbbbbbb');
    const long = { label: 'prompt', before: 'x', after: 'y'.repeat(50) };
    expect(why({ ...NOTHING, label: long })).toContain(`from x to ${'y'.repeat(31)}…`);
  });

  const changed = (before: number | null, after: number | null, more: Partial<LimitChange> = {}) => ({
    before,
    after,
    higher_is_better: false,
    at: null,
    by: null,
    sufficient: true,
    ...more,
  });
  it.each([
    [
      changed(9, 6, { at: Date.parse('2026-11-12T11:02:30Z'), by: 'ops' }),
      'The limit was tightened from 9 % to 6 % by ops on 12 Nov at 11:02 UTC.',
    ],
    [changed(6, 9, { higher_is_better: true }), 'The limit was tightened from 6 % to 9 %.'],
    [changed(9, 6, { higher_is_better: true }), 'The limit was changed from 9 % to 6 %.'],
    [changed(null, 6, { by: 'ops' }), 'A limit of 6 % was set by ops; there was none before.'],
    [changed(6, 6, { by: 'ops' }), 'The threshold was changed by ops.'],
    [changed(6, null), 'The threshold was changed.'],
  ])('reports only a change of the limit if it explains the status', (limit_change, expected) => {
    const label = { label: 'a', before: '1', after: '2' };
    expect(why({ ...NOTHING, unit: '%', limit_change, label })).toBe(expected);
  });

  it('reports the value, too, if the change of the limit alone does not explain the status', () => {
    const limit_change = changed(0.5, 0.84, { higher_is_better: true, sufficient: false });
    expect(why({ ...NOTHING, value: 0.3, limit_change, before: steady(5, 0.9) })).toBe(
      'The limit was tightened from 0.5 to 0.84. The metric fell from 0.9 to 0.3.',
    );
  });

  it.each([
    [true, 9, 'The run ended on 3 Nov at 10:00 UTC but was first seen 9 h later.'],
    [false, 72, 'The first unhealthy run ended on 3 Nov at 10:00 UTC but was first seen 3 d later.'],
  ])('reports late data and the change of the value', (only, hours, expected) => {
    const ended_at = Date.parse('2026-11-03T10:00:59Z');
    const late = { ended_at, seen_at: ended_at + hours * HOUR, only };
    expect(why({ ...NOTHING, late, before: steady(5, 0.9) })).toBe(
      `${expected} The metric fell from 0.9 to 0.78.`,
    );
  });

  it('distinguishes a drift from a jump', () => {
    const drifting = Array.from({ length: 60 }, (_, i) => ({ time: i * 2 * HOUR, value: 0.94 - i * 0.0016 }));
    expect(why({ ...NOTHING, before: drifting })).toBe(
      'The metric fell for 5 d before it crossed the limit, starting at about 0.94.',
    );
    expect(why({ ...NOTHING, before: steady(60, 0.9) })).toBe('The metric fell from 0.9 to 0.78.');
    // A move away from the limit is no drift.
    const rising = drifting.map(({ time, value }) => ({ time, value: 1.8 - value }));
    expect(why({ ...NOTHING, before: rising })).toMatch(/^The metric fell from/);
    // A move within a day is no drift.
    const quick = drifting.map(({ time, value }) => ({ time: time / 10, value }));
    expect(why({ ...NOTHING, before: quick })).toMatch(/^The metric fell from/);
  });

  it('reports that newer runs are healthy again', () => {
    expect(why({ ...NOTHING, healthy_again: 1 })).toBe('The newest run is healthy again.');
    expect(why({ ...NOTHING, before: steady(5, 0.9), healthy_again: 3 })).toBe(
      'The metric fell from 0.9 to 0.78. The newest 3 runs are healthy again.',
    );
  });

  it('is null without evidence, and names an invalid value', () => {
    expect(why(NOTHING)).toBeNull();
    expect(why({ ...NOTHING, value: null, invalid_kind: 'nan' })).toBe('The value is not a number (NaN).');
    expect(why({ ...NOTHING, value: null, invalid_kind: '-inf' })).toBe('The value is infinite.');
  });
});

describe('whySilent', () => {
  it.each([
    [2 * DAY, DAY, 'It used to run every 24 h.'],
    [1.4 * DAY, DAY, 'It runs about every 24 h, so it is not overdue.'],
    [3 * DAY, 7 * DAY, 'It runs about every 7 d, so it is not overdue.'],
    [3 * DAY, null, null],
  ])('%p ms without a run, usually every %p: %p', (age, usual, expected) => {
    expect(whySilent(0, age, usual)).toBe(expected);
  });
});
