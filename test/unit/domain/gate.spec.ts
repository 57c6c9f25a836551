import { compareDrop } from '../../../src/domain/decimal.js';
import { type GatePolicy, gateVerdict, type JudgedRun, type RunMetric } from '../../../src/domain/gate.js';
import { invalidKind, metricStatus } from '../../../src/domain/status.js';

const POLICY: GatePolicy = { min_coverage_percent: 0, fail_on: 'critical', max_drop_percent: null };

type Limits = Partial<Pick<RunMetric, 'higher_is_better' | 'critical_threshold' | 'warning_threshold'>>;

/** A metric where higher is better, critical below 0.7, warning below 0.8, unless `limits` says otherwise. */
function metric(metric_name: string, value: number, limits: Limits = {}): RunMetric {
  const rule = { higher_is_better: true, critical_threshold: 0.7, warning_threshold: 0.8, ...limits };
  const invalid_kind = invalidKind(value);
  return {
    metric_name,
    display_name: metric_name,
    description: null,
    unit: null,
    category: null,
    ...rule,
    threshold_source: 'platform',
    threshold_updated_at: null,
    threshold_updated_by: null,
    value: invalid_kind === null ? value : null,
    invalid_kind,
    status: metricStatus(value, rule),
  };
}
const NO_LIMITS = { critical_threshold: null, warning_threshold: null };
const run = (...metrics: RunMetric[]): JudgedRun => ({
  unjudged: null,
  run_status: 'FINISHED',
  settled: true,
  metrics,
});
const judge = (subject: JudgedRun, policy: Partial<GatePolicy> = {}, baseline: JudgedRun | null = null) =>
  gateVerdict(subject, baseline, { ...POLICY, ...policy });

describe('the verdict of the gate', () => {
  it.each([
    [0.69, 'fail', 'a is 0.69, below the critical limit 0.7.'],
    [0.7, 'pass', '1 of 1 metric has a threshold; none is critical, 1 is a warning.'],
    [0.8, 'pass', '1 of 1 metric has a threshold; none is critical or a warning.'],
    [Number.NaN, 'not_enough_evidence', 'a is not a number (NaN).'],
    [Number.NEGATIVE_INFINITY, 'not_enough_evidence', 'a is infinite.'],
  ])('on a metric of %d is %s', (value, verdict, reason) => {
    expect(judge(run(metric('a', value)))).toMatchObject({ verdict, reason });
  });

  it('is fail for a warning only if asked to; a value equal to the limit is healthy', () => {
    expect(judge(run(metric('a', 0.79)), { fail_on: 'warning' })).toMatchObject({
      verdict: 'fail',
      reason: 'a is 0.79, below the warning limit 0.8.',
    });
    expect(judge(run(metric('a', 0.8)), { fail_on: 'warning' }).verdict).toBe('pass');
  });

  it('is fail for one critical metric, whatever else prevents a decision', () => {
    const mixed = run(metric('a', Number.NaN), metric('b', 0.1), metric('c', 1, NO_LIMITS));
    expect(judge(mixed, { min_coverage_percent: 100 })).toMatchObject({
      verdict: 'fail',
      status: 'critical',
    });
  });

  it('names three metrics and counts the others', () => {
    const { reason } = judge(run(...['a', 'b', 'c', 'd', 'e'].map((name) => metric(name, 0.1))));
    expect(reason).toMatch(/^a is .* b is .* c is .* 2 more metrics fail\.$/);
  });

  it('needs a run that the service judges, that has ended, and that has thresholds', () => {
    const critical = run(metric('a', 0.1));
    expect(judge({ ...critical, settled: false, run_status: 'RUNNING' })).toMatchObject({
      verdict: 'not_enough_evidence',
      reason: 'The run has not ended: its status is RUNNING.',
    });
    expect(judge({ ...critical, unjudged: 'It is deleted.' })).toMatchObject({
      verdict: 'not_enough_evidence',
      reason: 'It is deleted.',
    });
    expect(judge(run()).reason).toBe('The run has no metrics.');
    expect(judge(run(metric('a', 1, NO_LIMITS), metric('b', 1, NO_LIMITS)))).toMatchObject({
      verdict: 'not_enough_evidence',
      reason: 'None of its 2 metrics has a threshold.',
      status: 'unmonitored',
      coverage: 0,
    });
  });

  it('needs the coverage that was asked for, which is exact', () => {
    const third = run(metric('a', 1), metric('b', 1, NO_LIMITS), metric('c', 1, NO_LIMITS));
    expect(judge(third, { min_coverage_percent: 33.3 }).verdict).toBe('pass');
    expect(judge(third, { min_coverage_percent: 33.4 })).toMatchObject({
      verdict: 'not_enough_evidence',
      reason: '1 of 3 metrics have a threshold; at least 33.4 % are required.',
    });
  });

  it('shows the limit that was crossed, else the next one, and the distance on its better side', () => {
    const lower = { higher_is_better: false, critical_threshold: 500, warning_threshold: 250 };
    const limitAndDistance = (each: RunMetric) => {
      const [shown] = judge(run(each)).metrics;
      return [shown?.limit, shown?.distance];
    };
    expect(limitAndDistance(metric('a', 0.5))).toEqual([0.7, -0.19999999999999996]);
    expect(limitAndDistance(metric('a', 0.75))).toEqual([0.8, -0.050000000000000044]);
    expect(limitAndDistance(metric('a', 1))).toEqual([0.8, 0.19999999999999996]);
    expect(limitAndDistance(metric('a', 600, lower))).toEqual([500, -100]);
    expect(limitAndDistance(metric('a', 100, lower))).toEqual([250, 150]);
    expect(limitAndDistance(metric('a', 1, { warning_threshold: null }))).toEqual([0.7, 0.30000000000000004]);
    expect(limitAndDistance(metric('a', 1, NO_LIMITS))).toEqual([null, null]);
    expect(limitAndDistance(metric('a', Number.NaN))).toEqual([0.8, null]);
  });
});

describe('a comparison with a baseline', () => {
  const drop = (value: number, baseline: number, limits: Limits = {}, max_drop_percent = 2) =>
    judge(run(metric('a', value, limits)), { max_drop_percent }, run(metric('a', baseline, limits)));
  const LOWER = { higher_is_better: false, critical_threshold: 500, warning_threshold: 500 };

  it.each([
    [0.98, 1, {}, 'pass'],
    [0.97999, 1, {}, 'fail'],
    [1.5, 1, {}, 'pass'],
    [102, 100, LOWER, 'pass'],
    [102.1, 100, LOWER, 'fail'],
    [50, 100, LOWER, 'pass'],
    [-102, -100, { critical_threshold: -500, warning_threshold: -500 }, 'pass'],
    [-103, -100, { critical_threshold: -500, warning_threshold: -500 }, 'fail'],
    [0.1, 0, LOWER, 'fail'],
    [0, 0, LOWER, 'pass'],
  ])('of %d after %d, at most 2 %% worse, is %s', (value, baseline, limits: Limits, verdict) => {
    expect(drop(value, baseline, limits).verdict).toBe(verdict);
  });

  it('says by how much a metric is worse', () => {
    expect(drop(0.9, 1)).toMatchObject({
      reason: 'a is worse than the baseline by 10 %: 0.9 after 1; 2 % are allowed.',
      metrics: [{ baseline: 1, drop_percent: 9.999999999999998, fails: true }],
    });
  });

  it('names the metrics that only one of the two has, and needs one that both have', () => {
    const policy = { max_drop_percent: 2 };
    const result = judge(run(metric('a', 1), metric('b', 1)), policy, run(metric('a', 1), metric('c', 1)));
    expect(result).toMatchObject({ verdict: 'pass', only_in_run: ['b'], only_in_baseline: ['c'] });
    expect(judge(run(metric('a', 1)), policy, run(metric('c', 1)))).toMatchObject({
      verdict: 'not_enough_evidence',
      reason: 'No metric with a direction has a valid value in both the run and the baseline.',
    });
    expect(judge(run(metric('a', 1)), {}, run(metric('c', 1))).verdict).toBe('pass');
  });

  it('does not count metrics without a direction or a valid value', () => {
    const undirected = { higher_is_better: null };
    const [shown] = judge(
      run(metric('a', 1), metric('b', 1, undirected)),
      { max_drop_percent: 2 },
      run(metric('a', 1), metric('b', 9, undirected)),
    ).metrics;
    expect(shown).toMatchObject({ metric_name: 'a', baseline: 1 });
    const invalid = judge(
      run(metric('a', 1), metric('b', 1)),
      { max_drop_percent: 2 },
      run(metric('a', Number.NaN), metric('b', 1)),
    );
    expect(invalid.metrics.map(({ baseline }) => baseline)).toEqual([null, 1]);
  });

  it('needs a baseline that can be judged', () => {
    const deleted = { ...run(), unjudged: 'The run is deleted in MLflow.' };
    expect(judge(run(metric('a', 1)), {}, deleted)).toMatchObject({
      verdict: 'not_enough_evidence',
      reason: 'There is nothing to compare with. The run is deleted in MLflow.',
    });
    expect(judge(run(metric('a', 0.1)), {}, deleted).verdict).toBe('fail');
  });
});

describe('compareDrop', () => {
  it.each([
    [1, 0.98, 2, 0],
    [0.3, 0.27, 10, 0],
    [1e-300, 0.98e-300, 2, 0],
    [1e300, 1e-300, 99.999, 1],
    [-1, -1.02, 2, 0],
    [0, -0, 5, 0],
    [0, -1e-300, 5, 1],
    [5, 6, 0, -1],
    [123.456, 120.98688, 2, 0],
  ])('of %d to %d against %d %% is %d', (from, to, percent, sign) => {
    expect(compareDrop(from, to, percent)).toBe(sign);
  });
});
