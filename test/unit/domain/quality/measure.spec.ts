import { CHECKS, type CountedCheck, keepsLimit } from '../../../../src/domain/quality/checks.js';
import {
  type DayMeasures,
  type Measurement,
  measureCounts,
  measureFreshness,
  measureRunning,
  measureVolume,
} from '../../../../src/domain/quality/measure.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const AT = Date.parse('2026-03-10T15:00:00Z');

const passes = (check: keyof typeof CHECKS, { measured }: Pick<Measurement, 'measured'>): boolean =>
  keepsLimit(check, measured, CHECKS[check].limit);

const dayOfCounts = (check: CountedCheck, counts: Record<string, [rows: number, affected: number]>) => ({
  counts: {
    [check]: Object.fromEntries(
      Object.entries(counts).map(([name, [rows, affected]]) => [name, { rows, affected, sample: '["x"]' }]),
    ),
  } as DayMeasures['counts'],
});

describe('a check that counts records', () => {
  it.each<[CountedCheck, inside: [number, number], outside: [number, number]]>([
    ['null_values', [100, 5], [1_000, 51]],
    ['duplicate_records', [100, 0], [100, 1]],
    ['metric_ranges', [100, 0], [10_000, 1]],
    ['schema_compliance', [100, 0], [100, 1]],
    ['threshold_order', [100, 0], [100, 1]],
    ['catalog_coverage', [100, 50], [100, 51]],
  ])('%s passes on its limit and fails just beyond it, per application', (check, inside, outside) => {
    const values = measureCounts(check, [dayOfCounts(check, { inside, outside })]);
    expect(values.slice(1).map((value) => [value.application, passes(check, value)])).toEqual([
      ['inside', true],
      ['outside', false],
    ]);
  });

  it('adds days and applications, and takes its sample from the newest day', () => {
    const [today, yesterday] = [
      dayOfCounts('null_values', { a: [10, 1], b: [10, 0] }),
      dayOfCounts('null_values', { a: [30, 3] }),
    ];
    expect(measureCounts('null_values', [today, yesterday])).toEqual([
      { application: null, measured: 8, affected: 4, sample: '["x"]' },
      { application: 'a', measured: 10, affected: 4, sample: '["x"]' },
      { application: 'b', measured: 0, affected: 0, sample: '["x"]' },
    ]);
  });

  it('counts records of an unknown application only in the total', () => {
    const values = measureCounts('schema_compliance', [dayOfCounts('schema_compliance', { '': [2, 2] })]);
    expect(values).toMatchObject([{ application: null, measured: 2 }]);
  });

  it('passes without records', () => {
    const [total] = measureCounts('catalog_coverage', [{ counts: { catalog_coverage: {} } as never }]);
    expect(total).toMatchObject({ measured: null });
    expect(keepsLimit('catalog_coverage', null, 50)).toBe(true);
  });
});

describe('data_freshness', () => {
  const values = (age: number, period: number) =>
    measureFreshness({ periods: { churn: period }, newest: { churn: AT - age } }, [], AT).slice(1);

  it('compares the time since the newest run with the usual period of the application', () => {
    expect(values(3 * DAY, DAY).map((value) => passes('data_freshness', value))).toEqual([true]);
    expect(values(3 * DAY + HOUR, DAY).map((value) => passes('data_freshness', value))).toEqual([false]);
  });

  it('does not report pauses of up to a day of jobs that run every few minutes', () => {
    expect(values(24 * HOUR, HOUR / 10).map((value) => passes('data_freshness', value))).toEqual([true]);
    expect(values(25 * HOUR, HOUR / 10).map((value) => passes('data_freshness', value))).toEqual([false]);
  });

  it('takes newer runs from the measured days, and the worst application as the total', () => {
    const runs = { churn: { count: 1, newest: AT - HOUR } };
    const periods = { churn: DAY, fraud: DAY };
    const found = measureFreshness({ periods, newest: { churn: 0, fraud: AT - 2 * DAY } }, [{ runs }], AT);
    expect(found.map(({ application, measured }) => [application, measured])).toEqual([
      [null, 2],
      ['churn', 0.042],
      ['fraud', 2],
    ]);
  });
});

describe('volume', () => {
  const value = (count: number, usual: number) =>
    measureVolume({ runs: { churn: usual } }, { runs: { churn: { count, newest: AT } } })[1];

  it('compares the number of runs with the usual one of the weekday, in both directions', () => {
    for (const [count, kept] of [
      [2, true],
      [1, false],
      [18, true],
      [19, false],
    ] as const) {
      expect([count, passes('volume', value(count, 10) ?? { measured: null })]).toEqual([count, kept]);
    }
  });

  it('does not judge applications with few runs, and counts one without any as 100 % away', () => {
    expect(value(0, 4)).toBeUndefined();
    expect(measureVolume({ runs: { churn: 5 } }, { runs: {} })[1]).toMatchObject({
      measured: 100,
      affected: 5,
    });
  });
});

describe('stuck_runs', () => {
  const run = (run_id: string, age: number, experiment_id = '1') => ({
    run_id,
    experiment_id,
    application: 'churn',
    started: AT - age,
  });
  const measure = (...running: ReturnType<typeof run>[]) =>
    measureRunning({ durations: { 1: HOUR } }, running, CHECKS.stuck_runs.limit, AT);

  it('compares the age of a running run with the usual duration of its experiment', () => {
    expect(measure(run('a', 10 * HOUR))[1]).toMatchObject({ measured: 10, affected: 0 });
    expect(measure(run('a', 11 * HOUR), run('b', 12 * HOUR), run('c', HOUR))[1]).toMatchObject({
      measured: 12,
      affected: 2,
    });
  });

  it('names the stuck runs, the longest first', () => {
    const [total] = measure(run('a', 11 * HOUR), run('b', 12 * HOUR));
    expect(JSON.parse(total?.sample ?? '')).toMatchObject([
      { application: 'churn' },
      { run_id: 'b' },
      { run_id: 'a' },
    ]);
  });

  it('does not judge experiments whose usual duration is unknown', () => {
    expect(measure(run('a', 99 * DAY, '2'))).toEqual([
      { application: null, measured: null, affected: 0, sample: '[]' },
    ]);
  });
});
