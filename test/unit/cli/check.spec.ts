import { reportVerdict } from '../../../src/cli/check/report.js';
import { waitForVerdict } from '../../../src/cli/check.js';
import { MonitorError } from '../../../src/domain/errors.js';
import type { Verdict } from '../../../src/gate/contract.js';

const METRIC: Verdict['metrics'][number] = {
  metric_name: 'accuracy',
  display_name: 'Accuracy',
  description: null,
  unit: null,
  category: null,
  status: 'critical',
  value: 0.61,
  invalid_kind: null,
  limit: 0.7,
  distance: -0.09,
  higher_is_better: true,
  critical_threshold: 0.7,
  warning_threshold: 0.8,
  threshold_source: 'experiment',
  threshold_updated_at: '2026-01-02T00:00:00.000Z',
  threshold_updated_by: 'ann',
  baseline: null,
  drop_percent: null,
  fails: true,
};
const VERDICT: Verdict = {
  verdict: 'fail',
  reason: 'accuracy is 0.61, below the critical limit 0.7.',
  waiting: false,
  rules: 'the rulebook of the service',
  run: {
    run_id: 'abc',
    run_name: 'nightly',
    experiment_id: '1',
    experiment_name: 'churn',
    application: 'churn',
    run_status: 'FINISHED',
    day: '2026-03-10',
    model: { name: 'churn', version: '7' },
  },
  baseline: null,
  status: 'critical',
  evaluated_metrics: 1,
  total_metrics: 1,
  coverage: 100,
  metrics: [METRIC],
  only_in_run: [],
  only_in_baseline: [],
};

/** A clock that only sleeping moves. */
function fakeClock() {
  const slept: number[] = [];
  return {
    slept,
    now: () => slept.reduce((sum, ms) => sum + ms, 0),
    sleep: async (ms: number) => slept.push(ms),
  };
}

describe('waiting for a verdict', () => {
  it('repeats at growing intervals until the run has ended', async () => {
    const clock = fakeClock();
    let left = 6;
    const verdict = await waitForVerdict(async () => ({ ...VERDICT, waiting: left-- > 0 }), 600_000, clock);
    expect(verdict.waiting).toBe(false);
    expect(clock.slept).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000]);
  });

  it('returns the last verdict when the time is up, and asks once without it', async () => {
    const clock = fakeClock();
    const running = async () => ({ ...VERDICT, waiting: true });
    expect((await waitForVerdict(running, 5_000, clock)).waiting).toBe(true);
    expect(clock.slept).toEqual([1_000, 2_000, 2_000]);
    const none = fakeClock();
    await waitForVerdict(running, 0, none);
    expect(none.slept).toEqual([]);
  });

  it('ignores errors that may pass, until the time is up', async () => {
    const down = (retryable: boolean) => () => Promise.reject(new MonitorError('x', 'down', {}, retryable));
    const clock = fakeClock();
    await expect(waitForVerdict(down(true), 5_000, clock)).rejects.toThrow('down');
    expect(clock.slept).toEqual([1_000, 2_000, 2_000]);
    const permanent = fakeClock();
    await expect(waitForVerdict(down(false), 5_000, permanent)).rejects.toThrow('down');
    expect(permanent.slept).toEqual([]);
  });
});

describe('a verdict as text', () => {
  it('begins with the verdict; a row names value, limit, distance and who set the limit', () => {
    expect(reportVerdict(VERDICT, 'text')).toBe(
      [
        'FAIL: accuracy is 0.61, below the critical limit 0.7.',
        'Run: abc (nightly) of churn, churn version 7, FINISHED',
        'Rules: the rulebook of the service, of 2026-03-10',
        '',
        'METRIC    STATUS            VALUE  LIMIT  DISTANCE  SET BY',
        'accuracy  critical (fails)  0.61   0.7    -0.09     ann, 2026-01-02, for the experiment',
      ].join('\n'),
    );
  });

  it('names what only one of two compared runs has', () => {
    const compared = {
      ...VERDICT,
      baseline: VERDICT.run,
      only_in_run: ['new'],
      only_in_baseline: ['old', 'older'],
    };
    const text = reportVerdict(compared, 'text');
    expect(text).toContain('\nOnly in the run: new\nOnly in the baseline: old, older\n');
    expect(text).toContain('BASELINE  WORSE BY');
  });

  it('shows no control characters', () => {
    const hostile = { ...VERDICT, metrics: [{ ...METRIC, metric_name: 'a\u001b[31m\n::error::b\u202e' }] };
    expect(reportVerdict(hostile, 'text')).toContain(String.raw`a\u001b[31m\u000a::error::b\u202e`);
  });
});

describe('a verdict as annotations of GitHub', () => {
  it('begins with the verdict; each annotation is one line', () => {
    const lines = reportVerdict(
      { ...VERDICT, metrics: [{ ...METRIC, metric_name: 'a:b,c%\nd' }] },
      'github',
    ).split('\n');
    expect(lines).toEqual([
      'FAIL: accuracy is 0.61, below the critical limit 0.7.',
      '::error title=mlflow-monitor::FAIL: accuracy is 0.61, below the critical limit 0.7.',
      '::error title=mlflow-monitor%3A a%3Ab%2Cc%25%0Ad::a:b,c%25\\u000ad is 0.61 (critical); limit 0.7, set by ann, 2026-01-02, for the experiment; distance -0.09.',
    ]);
  });
});

describe('a verdict as JUnit', () => {
  it('has a test case for the verdict and one per metric', () => {
    const metrics = [
      METRIC,
      {
        ...METRIC,
        metric_name: 'loss',
        status: 'invalid' as const,
        value: null,
        invalid_kind: 'nan' as const,
        fails: false,
      },
      {
        ...METRIC,
        metric_name: 'cpu & <b>"',
        status: 'unmonitored' as const,
        limit: null,
        distance: null,
        fails: false,
      },
      { ...METRIC, metric_name: 'f1', status: 'healthy' as const, value: 0.9, fails: false },
    ];
    const xml = reportVerdict({ ...VERDICT, metrics }, 'junit');
    expect(xml).toMatch(/^<\?xml/);
    expect(xml).toContain('tests="5" failures="2" errors="1" skipped="1"');
    expect(xml).toContain(
      '<testcase classname="churn" name="verdict"><failure message="FAIL: accuracy is 0.61',
    );
    expect(xml).toContain('name="loss"><error message="loss is nan (invalid)');
    expect(xml).toContain('name="cpu &amp; &lt;b&gt;&quot;"><skipped');
    expect(xml).toContain('<testcase classname="churn" name="f1"/>');
  });
});

describe('a verdict as JSON', () => {
  it('is what the REST API returns', () => {
    expect(JSON.parse(reportVerdict(VERDICT, 'json'))).toEqual(VERDICT);
  });
});
