import { type Company, foundCompany, runAt } from '../../../src/demo/company.js';
import type { FakeRun } from '../../../src/demo/fakes.js';
import { labelChange } from '../../../src/domain/label-change.js';
import { addCounts, light, NO_RUNS } from '../../../src/domain/light.js';
import type { MetricStatus, RunCounts } from '../../../src/domain/model.js';
import { createRuleResolver } from '../../../src/domain/rule.js';
import { metricStatus } from '../../../src/domain/status.js';
import { hourOf, MS_PER_DAY, MS_PER_HOUR } from '../../../src/domain/time.js';
import { parseCatalog } from '../../../src/enrichment/parse-catalog.js';
import { worstStatus } from '../../support/models/judging.js';

const MINUTE = 60_000;
/** A Tuesday afternoon, the first minutes of a day, and a weekend. */
const FOUNDED = ['2026-03-10T15:30:12Z', '2026-05-01T00:04:00Z', '2026-08-09T21:59:59Z'].map(Date.parse);
const SEEDS = [1, 2, 3, 4, 5];
const DEFAULT_LIMITS = {
  light_span_hours: 24,
  critical_runs_percent: 20,
  pass_rate_percent: 80,
  warning_runs_percent: 5,
  failed_runs_percent: 50,
};

const runsSince = (company: Company, from: number, now: number): FakeRun[] =>
  company.runs(from, now).map((run) => runAt(run, now));

/** The status of each metric of a run, computed like in the service. */
function judge(company: Company): (run: FakeRun) => { key: string; status: MetricStatus }[] {
  const { metadata, thresholds } = parseCatalog(company.catalog);
  const rule = createRuleResolver(metadata, thresholds);
  return (run) =>
    run.metrics.map(({ key, value }) => ({ key, status: metricStatus(value, rule(key, run.experiment_id)) }));
}

/** The light of every application over the 24 h that end with the hour of `now`, and that of the platform. */
function lights(company: Company, now: number): Map<string, { light: string; metrics: Set<string> }> {
  const judged = judge(company);
  const nameOf = new Map(
    company.experiments.map(({ experiment_id, name, tags }) => [experiment_id, tags.application ?? name]),
  );
  const to = hourOf(now) + MS_PER_HOUR;
  const counts = new Map<string, RunCounts>();
  const metrics = new Map<string, Set<string>>();
  for (const run of company.runs(to - 24 * MS_PER_HOUR, now).map((each) => runAt(each, now))) {
    const name = nameOf.get(run.experiment_id) ?? '';
    if (run.status === 'RUNNING' || run.tags['mlflow.parentRunId']) continue;
    const statuses = judged(run);
    const status = worstStatus(statuses.map((each) => each.status));
    const one = { ...NO_RUNS, total: 1, [status]: 1, failed: run.status === 'FINISHED' ? 0 : 1 };
    for (const application of [name, 'platform']) {
      counts.set(application, addCounts(counts.get(application) ?? NO_RUNS, one));
    }
    const bad = statuses.filter((each) => each.status === 'critical' || each.status === 'warning');
    metrics.set(name, new Set([...(metrics.get(name) ?? []), ...bad.map(({ key }) => key)]));
  }
  return new Map(
    ['platform', ...new Set(nameOf.values())]
      .filter((name) => name !== 'Default')
      .map((name) => {
        const { light: shown } = light(counts.get(name) ?? NO_RUNS, DEFAULT_LIMITS);
        return [name, { light: shown, metrics: metrics.get(name) ?? new Set<string>() }];
      }),
  );
}

describe('the demo company', () => {
  it('depends on the seed only', () => {
    const [now = 0] = FOUNDED;
    const [first, again, other] = [1, 1, 2].map((seed) =>
      runsSince(foundCompany(seed, now), now - 5 * MS_PER_DAY, now),
    );
    expect(again).toEqual(first);
    const values = (runs: FakeRun[] = []) =>
      new Set(runs.flatMap(({ metrics }) => metrics.map(({ value }) => value)));
    const [firstValues, otherValues] = [values(first), values(other)];
    expect([...firstValues].filter((value) => otherValues.has(value)).length).toBeLessThan(
      firstValues.size / 3,
    );
    const ids = new Set(first?.map(({ run_id }) => run_id));
    expect(other?.filter(({ run_id }) => ids.has(run_id))).toEqual([]);
    const affected = SEEDS.map((seed) => foundCompany(seed, now).story.badDeploy.application);
    expect(new Set(affected).size).toBeGreaterThan(2);
  });

  it('returns the same runs in one request or in many, and adds live runs about every minute', () => {
    const [founded = 0] = FOUNDED;
    const [company, restarted] = [foundCompany(7, founded), foundCompany(7, founded)];
    const later = founded + 3 * MS_PER_HOUR;
    const begin = founded - MS_PER_DAY;
    const byMinute: FakeRun[] = [];
    for (let from = begin; from < later; from += 7 * MINUTE) {
      byMinute.push(...company.runs(from, Math.min(from + 7 * MINUTE, later)));
    }
    expect(byMinute).toEqual(restarted.runs(begin, later));
    const live = byMinute.filter(({ start_time }) => (start_time ?? 0) >= founded);
    const gaps = live.slice(1).map((run, i) => (run.start_time ?? 0) - (live[i]?.start_time ?? 0));
    expect(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length).toBeLessThan(MINUTE);
    expect(Math.max(...gaps)).toBeLessThan(5 * MINUTE);
  });

  it('has running runs, which end later', () => {
    const [founded = 0] = FOUNDED;
    const company = foundCompany(3, founded);
    const now = founded + MS_PER_HOUR;
    const running = runsSince(company, founded, now).filter(({ status }) => status === 'RUNNING');
    expect(running.length).toBeGreaterThan(0);
    expect(running.every(({ end_time }) => end_time === null)).toBe(true);
    const ids = new Set(running.map(({ run_id }) => run_id));
    const ended = runsSince(company, founded, now + MS_PER_HOUR).filter(({ run_id }) => ids.has(run_id));
    expect(ended.map(({ status }) => status)).not.toContain('RUNNING');
    expect(ended.length).toBe(running.length);
  });

  it('has a catalog that the service accepts completely, with limits in the order of the direction', () => {
    const company = foundCompany(1, FOUNDED[0] ?? 0);
    const { rejectedRows, metadata, thresholds } = parseCatalog(company.catalog);
    expect(rejectedRows).toEqual([]);
    const higher = new Map(
      metadata.map(({ metric_name, higher_is_better }) => [metric_name, higher_is_better]),
    );
    expect(new Set(higher.values())).toEqual(new Set([true, false]));
    for (const { metric_name, critical_threshold, warning_threshold } of thresholds) {
      const order = (critical_threshold ?? 0) < (warning_threshold ?? 0);
      expect([metric_name, order]).toEqual([metric_name, higher.get(metric_name)]);
    }
    expect(thresholds.some(({ experiment_id }) => experiment_id !== null)).toBe(true);
  });

  it('has a month of runs with a day without any, a sweep, NaN, failed runs, owners and versions', () => {
    for (const founded of FOUNDED.slice(0, 2)) {
      const company = foundCompany(5, founded);
      const runs = runsSince(company, 0, founded);
      expect(runs.length).toBeGreaterThan(6_000);
      expect(runs.length).toBeLessThan(10_000);
      expect(new Set(runs.map(({ run_id }) => run_id)).size).toBe(runs.length);
      const days = new Set(runs.map(({ start_time }) => Math.floor((start_time ?? 0) / MS_PER_DAY)));
      const today = Math.floor(founded / MS_PER_DAY);
      expect(Math.min(...days)).toBe(today - 30);
      const emptyDays = Array.from({ length: 30 }, (_, i) => today - 30 + i).filter((day) => !days.has(day));
      expect(emptyDays).toHaveLength(1);
      const parents = new Map<string, number>();
      for (const { tags } of runs) {
        const parent = tags['mlflow.parentRunId'];
        if (parent) parents.set(parent, (parents.get(parent) ?? 0) + 1);
      }
      expect([...parents.values()]).toEqual([500]);
      expect(runs.find(({ run_id }) => parents.has(run_id))?.tags['mlflow.parentRunId']).toBeUndefined();
      const values = runs.flatMap(({ metrics }) => metrics.map(({ value }) => value));
      expect(values.some(Number.isNaN)).toBe(true);
      expect(runs.some(({ status }) => status === 'FAILED')).toBe(true);
      expect(runs.every(({ tags, params }) => tags.owner && params.model_version && params.git_commit)).toBe(
        true,
      );
      const perRun = runs.map(({ metrics }) => metrics.length).filter((n) => n > 0);
      expect([Math.min(...perRun), Math.max(...perRun)]).toEqual([5, 7]);
    }
  });

  it('has plausible metric values, few of them twice', () => {
    for (const seed of SEEDS) {
      const [now = 0] = FOUNDED;
      const company = foundCompany(seed, now);
      const byMetric = new Map<string, number[]>();
      for (const { experiment_id, metrics } of company.runs(now - 6 * MS_PER_DAY, now - 2 * MS_PER_DAY)) {
        for (const { key, value } of metrics) {
          const name = `${experiment_id} ${key}`;
          byMetric.set(name, [...(byMetric.get(name) ?? []), ...(Number.isNaN(value) ? [] : [value])]);
        }
      }
      const ratio = /auc|recall|precision|f1|accuracy$|ndcg|mrr|gini|ks_|correlation|diversity/;
      for (const [name, values] of byMetric) {
        expect([name, new Set(values).size / values.length > 0.7]).toEqual([name, true]);
        expect([name, Math.min(...values) > 0]).toEqual([name, true]);
        const max = ratio.test(name) && !name.includes('field_accuracy') ? 1 : Infinity;
        expect([name, Math.max(...values) <= max]).toEqual([name, true]);
      }
    }
  });

  it.each(SEEDS)('shows its incidents from the first moment and hours later (seed %i)', (seed) => {
    for (const founded of FOUNDED) {
      const company = foundCompany(seed, founded);
      const { badDeploy, drift, stopped, sweep } = company.story;
      for (const now of [0, 4 * MINUTE, 3 * MS_PER_HOUR].map((age) => founded + age)) {
        const shown = lights(company, now);
        expect(shown.size).toBe(15);
        const at = (name: string) => shown.get(name)?.light;
        expect([at(badDeploy.application), at(drift.application), at(stopped.application)]).toEqual([
          'critical',
          'warning',
          'no_data',
        ]);
        expect(shown.get(badDeploy.application)?.metrics).toContain(badDeploy.metric);
        expect([...(shown.get(drift.application)?.metrics ?? [])]).toContain(drift.metric);
        expect(at('voice-ordering')).toBe('unmonitored');
        const healthy = [...shown].filter(
          ([name, { light: lit }]) => name !== 'platform' && lit === 'healthy',
        );
        expect(healthy).toHaveLength(10);
        expect(at(sweep.application)).toBe('healthy');
        expect(at('platform')).not.toBe('critical');
      }
    }
  });

  it.each(SEEDS)(
    'has a new model version in the bad release and old training data in the drifting model (seed %i)',
    (seed) => {
      for (const now of FOUNDED) {
        const company = foundCompany(seed, now);
        const { badDeploy, drift } = company.story;
        const idOf = (name: string) => company.experiments.find((each) => each.name === name)?.experiment_id;
        const of = (name: string, from: number, to: number) =>
          company
            .runs(from, to)
            .filter(({ experiment_id, status }) => experiment_id === idOf(name) && status === 'FINISHED');
        const labels = (runs: FakeRun[]) => runs.map(({ params, tags }) => ({ ...params, ...tags }));
        const bad = of(badDeploy.application, badDeploy.from, now);
        const before = of(badDeploy.application, badDeploy.from - MS_PER_DAY, badDeploy.from);
        expect(labelChange(labels(before).slice(-10), labels(bad).slice(0, 10))?.label).toBe('model_version');
        const judged = judge(company);
        expect(bad.every((run) => judged(run).some(({ status }) => status === 'critical'))).toBe(true);
        const [old] = of(drift.application, now - MS_PER_DAY, now);
        const age = (old?.start_time ?? 0) - Date.parse(old?.params.training_data_until ?? '');
        expect(age).toBeGreaterThan(45 * MS_PER_DAY);
      }
    },
  );
});
