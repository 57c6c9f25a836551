import {
  firstDaysOn,
  isComputable,
  isKept,
  isRewritable,
  laterOf,
  parseRetention,
  retentionProblems,
} from '../../../src/domain/retention.js';

describe('parseRetention', () => {
  it.each([
    ['runs=365,_base=400', { _raw: 3, runs: 365, _base: 400 }],
    [' runs = 365 , ', { _raw: 3, runs: 365 }],
    ['_raw=1', { _raw: 1 }],
    ['', { _raw: 3 }],
  ])('reads %j', (text, days) => {
    expect(parseRetention(text)).toEqual(days);
  });

  it.each([
    'run=365',
    'runs',
    'runs=',
    'runs=0',
    'runs=-1',
    'runs=1.5',
    'runs=36501',
    'runs=1,runs=2',
    '_sums=9',
  ])('rejects %j', (text) => {
    expect(parseRetention(text)).toBeUndefined();
  });
});

describe('retentionProblems', () => {
  const problems = (text: string, reread = 30, rejudged = 7) =>
    retentionProblems(parseRetention(text) ?? { _raw: 3 }, reread, rejudged).map(
      (problem) => /^(\w+) needs at least (\d+) days/.exec(problem)?.slice(1).join(' ') ?? problem,
    );
  it.each([
    ['_base=29', ['_base 30']],
    ['_base=30,runs=37,enriched_metrics=37,metric_timeseries=8,quarantine=1,threshold_changes=1', []],
    ['runs=36,enriched_metrics=30', ['runs 37', 'enriched_metrics 37']],
    ['platform_summary=7', ['platform_summary 8']],
  ])('of %j', (text, expected) => {
    expect(problems(text)).toEqual(expected);
  });

  it('counts the days to which a changed threshold applies', () => {
    expect(problems('_base=89,runs=96', 30, 90)).toEqual(['_base 90', 'runs 97']);
  });
});

describe('first days', () => {
  const first = firstDaysOn('2026-03-10', { _raw: 3, runs: 10, enriched_metrics: 12 });

  it('are so many days before today, with today', () => {
    expect(first).toEqual({ runs: '2026-02-28', enriched_metrics: '2026-02-26' });
    expect(isKept(first, 'runs', '2026-02-28')).toBe(true);
    expect(isKept(first, 'runs', '2026-02-27')).toBe(false);
    expect(isKept(first, '_sums', '2026-02-26')).toBe(true);
    expect(isKept(first, '_sums', '2026-02-25')).toBe(false);
    expect(isKept(first, '_base', '1970-01-01')).toBe(true);
  });

  it('never move back', () => {
    expect(laterOf(first, { runs: '2026-02-27', _base: '2026-01-01' })).toEqual({
      ...first,
      _base: '2026-01-01',
    });
    expect(laterOf(first, { runs: '2026-03-01' }).runs).toBe('2026-03-01');
  });

  it('leave objects whose inputs are gone as they are', () => {
    const facts = { ...first, _base: '2026-03-05' };
    expect(isRewritable(facts, 'runs', '2026-03-04')).toBe(false);
    expect(isRewritable(facts, 'enriched_metrics', '2026-03-05')).toBe(true);
    expect(isRewritable(facts, 'metric_forecast', '2026-03-04')).toBe(false);
    expect(isRewritable(facts, 'metric_forecast', '2026-03-05')).toBe(true);
    expect(isRewritable(facts, 'platform_summary', '2026-03-06')).toBe(false);
  });

  it('leave the aggregates of the 7 days after them as they are', () => {
    expect(isComputable(first, '2026-03-06')).toBe(false);
    expect(isComputable(first, '2026-03-07')).toBe(true);
    expect(isComputable({}, '1970-01-01')).toBe(true);
  });
});
