import { CronSchedule, startOfPeriod } from '../../../src/pipeline/schedule-times.js';

const at = (text: string): number => Date.parse(text);
const lastTime = (expression: string, zone: string, now: number) =>
  new CronSchedule(expression, zone).lastTime(now);
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

describe('the last scheduled time of a cron expression', () => {
  it.each([
    ['0 2 * * *', 'UTC', '2026-03-10T15:30:00Z', '2026-03-10T02:00:00.000Z'],
    ['0 2 * * *', 'UTC', '2026-03-10T01:59:59.999Z', '2026-03-09T02:00:00.000Z'],
    ['0 2 * * *', 'UTC', '2026-03-10T02:00:00Z', '2026-03-10T02:00:00.000Z'],
    ['0 */6 * * *', 'UTC', '2026-03-10T17:59:59Z', '2026-03-10T12:00:00.000Z'],
    ['*/5 * * * *', 'UTC', '2026-03-10T15:34:00Z', '2026-03-10T15:30:00.000Z'],
    ['*/10 * * * * *', 'UTC', '2026-03-10T15:34:09.500Z', '2026-03-10T15:34:00.000Z'],
    ['30 8 * * 1', 'UTC', '2026-03-10T00:00:00Z', '2026-03-09T08:30:00.000Z'],
    ['30 8 * * 1', 'UTC', '2026-03-09T08:00:00Z', '2026-03-02T08:30:00.000Z'],
    ['@daily', 'UTC', '2026-03-10T15:30:00Z', '2026-03-10T00:00:00.000Z'],
    // Monthly: the first, and a day that not every month has.
    ['0 0 1 * *', 'UTC', '2026-03-31T23:59:00Z', '2026-03-01T00:00:00.000Z'],
    ['0 0 1 * *', 'UTC', '2026-03-15T00:00:00Z', '2026-03-01T00:00:00.000Z'],
    ['0 12 31 * *', 'UTC', '2026-03-01T00:00:00Z', '2026-01-31T12:00:00.000Z'],
  ])('%s in %s at %s is %s', (expression, zone, now, expected) => {
    expect(iso(lastTime(expression, zone, at(now)))).toBe(expected);
  });

  it.each([
    ['0 2 * * *', 'Europe/Berlin', '2026-01-10T12:00:00Z', '2026-01-10T01:00:00.000Z'],
    ['0 2 * * *', 'Europe/Berlin', '2026-07-10T12:00:00Z', '2026-07-10T00:00:00.000Z'],
    ['0 2 * * *', 'America/New_York', '2026-01-10T06:59:00Z', '2026-01-09T07:00:00.000Z'],
    ['30 1 * * *', 'Asia/Kolkata', '2026-01-10T00:00:00Z', '2026-01-09T20:00:00.000Z'],
    ['0 0 1 * *', 'Pacific/Auckland', '2026-03-15T00:00:00Z', '2026-02-28T11:00:00.000Z'],
    // The clock goes from 2:00 to 3:00: times in between become 3:00.
    ['30 2 * * *', 'Europe/Berlin', '2026-03-29T12:00:00Z', '2026-03-29T01:00:00.000Z'],
    // The clock goes from 3:00 back to 2:00: 2:30 exists twice and counts once.
    ['30 2 * * *', 'Europe/Berlin', '2026-10-25T12:00:00Z', '2026-10-25T00:30:00.000Z'],
    ['0 */6 * * *', 'Europe/Berlin', '2026-03-29T12:00:00Z', '2026-03-29T10:00:00.000Z'],
  ])('%s in %s at %s is %s, whatever the time zone of this machine', (expression, zone, now, expected) => {
    expect(iso(lastTime(expression, zone, at(now)))).toBe(expected);
  });

  it('is null if it is more than 32 days ago', () => {
    const yearly = (now: string) => iso(lastTime('0 0 1 1 *', 'UTC', at(now)));
    expect(yearly('2026-02-01T23:59:59.999Z')).toBe('2026-01-01T00:00:00.000Z');
    expect(yearly('2026-02-02T00:00:00.000Z')).toBeNull();
  });

  it.each([
    ['Europe/Berlin', '2026-03-29T01:00Z'],
    ['Europe/Berlin', '2026-10-25T01:00Z'],
    ['America/New_York', '2026-11-01T06:00Z'],
    // A change of half an hour.
    ['Australia/Lord_Howe', '2026-04-04T15:00Z'],
  ])('of a half-hourly schedule in %s is not skipped while the clocks change at %s', (zone, change) => {
    const halfHour = 1_800_000;
    for (let now = at(change) - 4 * halfHour; now <= at(change) + 4 * halfHour; now += halfHour) {
      expect(iso(lastTime('*/30 * * * *', zone, now + 1))).toBe(iso(now));
    }
  });
});

describe('a cron schedule that is asked again', () => {
  it.each([
    ['0 */6 * * *', 'Europe/Berlin', '2026-03-28T00:00Z'],
    ['30 2 * * *', 'Europe/Berlin', '2026-03-28T00:00Z'],
    ['0 0 1 * *', 'Pacific/Auckland', '2026-03-30T00:00Z'],
    ['0 0 1 1 *', 'UTC', '2026-02-01T00:00Z'],
  ])('responds as a new one, %s in %s', (expression, zone, start) => {
    const schedule = new CronSchedule(expression, zone);
    // For 2 days, and again from the start, as after the clock was set back.
    for (const round of [1, 2]) {
      for (let now = at(start); now < at(start) + 2 * 86_400_000; now += 205 * 60_000) {
        expect([round, iso(now), iso(schedule.lastTime(now))]).toEqual([
          round,
          iso(now),
          iso(lastTime(expression, zone, now)),
        ]);
      }
    }
  });
});

describe('the last multiple of a period', () => {
  it.each([
    [300_000, '2026-03-10T15:34:59.999Z', '2026-03-10T15:30:00.000Z'],
    [300_000, '2026-03-10T15:35:00Z', '2026-03-10T15:35:00.000Z'],
    [86_400_000, '2026-03-10T23:59:59Z', '2026-03-10T00:00:00.000Z'],
    [3_600_000, '1969-12-31T23:59:59Z', '1969-12-31T23:00:00.000Z'],
  ])('of %d ms at %s is %s', (period, now, expected) => {
    expect(iso(startOfPeriod(period, at(now)))).toBe(expected);
  });
});
