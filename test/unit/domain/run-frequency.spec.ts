import { median, usualPeriod } from '../../../src/domain/run-frequency.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const every = (period: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => i * period);

describe('usualPeriod', () => {
  it.each([
    ['one run per hour', every(HOUR, 48), HOUR],
    ['one run per night', every(DAY, 20), DAY],
    [
      'five runs per night, ten minutes apart',
      every(DAY, 20).flatMap((night) => every(10 * MINUTE, 5).map((run) => night + run)),
      DAY,
    ],
    [
      'one run per hour with a day without runs',
      [...every(HOUR, 100), ...every(HOUR, 100).map((time) => time + 124 * HOUR)],
      HOUR,
    ],
    [
      'fifty runs per week, a minute apart',
      every(7 * DAY, 5).flatMap((week) => every(MINUTE, 50).map((run) => week + run)),
      7 * DAY,
    ],
    ['one run per night with a night missing', every(DAY, 20).filter((night) => night !== 9 * DAY), DAY],
  ])('%s', (_, times, expected) => {
    expect(usualPeriod(times)).toBe(expected);
  });

  it('is null for too few runs', () => {
    expect(usualPeriod([])).toBeNull();
    expect(usualPeriod([0])).toBeNull();
    expect(usualPeriod(every(DAY, 3))).toBeNull();
    expect(usualPeriod([0, 0, 0, 0, 0])).toBeNull();
  });
});

describe('median', () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 3],
    [[10, 9], 10],
    [[], 0],
  ])('of %p is %p', (values, expected) => {
    expect(median(values)).toBe(expected);
  });
});
