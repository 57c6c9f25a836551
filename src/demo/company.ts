import { APPLICATIONS, STRICT_EXPERIMENT } from './applications.js';
import { catalogOf, experimentsOf } from './catalog.js';
import type { FakeExperiment, FakeRun } from './fakes.js';
import { labelsOf, rounded, valueAt } from './metric-values.js';
import { specOf } from './metrics.js';
import { type ScheduledRun, scheduledRuns } from './run-schedule.js';
import { createScenario, modelVersionAt, type Scenario, within } from './scenario.js';
import { SeededRandom } from './seeded-random.js';
import { sweepOf } from './sweep.js';

const MS_PER_MINUTE = 60_000;

/** A fictional company whose teams log to MLflow. All of its data is a function of the seed and `founded`. */
export interface Company {
  readonly story: Scenario;
  readonly experiments: readonly FakeExperiment[];
  /** Metadata and thresholds in the format of the catalog APIs. */
  readonly catalog: object;
  /** The runs that start in `[from, to)`, ms, in their final state, sorted by start. */
  runs(from: number, to: number): FakeRun[];
}

/** @param founded the time, ms, to which all events of the company are relative */
export function foundCompany(seed: number, founded: number): Company {
  const story = createScenario(seed, founded);
  const experiments = experimentsOf(story);
  const experimentIds = new Map(experiments.map(({ name, experiment_id }) => [name, experiment_id]));
  const sweepRuns = sweepOf(story, experimentIds);
  const startOf = ({ start_time }: FakeRun) => start_time ?? 0;
  return {
    story,
    experiments,
    catalog: catalogOf(story, experimentIds.get(STRICT_EXPERIMENT) ?? ''),
    runs: (from, to) => {
      const scheduled = APPLICATIONS.flatMap((spec) => scheduledRuns(story, spec, { from, to }));
      return [
        ...scheduled.map((each) => runOf(story, each, experimentIds)),
        ...sweepRuns.filter((run) => within(startOf(run), { from, to })),
      ].sort((a, b) => startOf(a) - startOf(b));
    },
  };
}

/** A run as MLflow shows it at `now`, ms. Until it ends, it is RUNNING and its metrics are worse than in the end. */
export function runAt(run: FakeRun, now: number): FakeRun {
  const [start, end] = [run.start_time ?? 0, run.end_time ?? 0];
  if (end <= now) return run;
  const progress = (now - start) / (end - start);
  const metrics = run.metrics.map((metric) => {
    const spec = specOf(metric.key);
    const missing = 0.15 * Math.abs(spec?.limits?.warning ?? 0) * (1 - progress);
    const value = rounded(metric.value + (spec?.higherIsBetter ? -missing : missing));
    return { ...metric, value, step: Math.floor(progress * Number(metric.step)), timestamp: now };
  });
  return { ...run, status: 'RUNNING', end_time: null, metrics: progress < 0.3 ? [] : metrics };
}

/** The order in which it draws random numbers is part of the data: another order changes every value. */
function runOf(
  scenario: Scenario,
  { spec, name, start, market, random, live }: ScheduledRun,
  experimentIds: ReadonlyMap<string, string>,
): FakeRun {
  const outcome = random.next();
  const status = outcome < 0.018 ? 'FAILED' : outcome < 0.02 ? 'KILLED' : 'FINISHED';
  const minutes = random.between(...spec.minutes);
  const duration = live ? 20_000 + random.next() * 160_000 : minutes * MS_PER_MINUTE;
  const end = Math.round(start + (status === 'FINISHED' ? duration : duration * random.between(0.2, 0.6)));
  const experiment =
    spec.name === 'fraud-detection' && market !== 'pl' && market !== 'es' ? STRICT_EXPERIMENT : spec.name;
  const version = modelVersionAt(scenario, spec.name, start);
  const isFrequent = typeof spec.schedule === 'number' && spec.schedule >= 20;
  const outlier = isFrequent && random.next() < 0.015 ? random.integer(0, 4) : undefined;
  const metrics = Object.entries(spec.metrics).map(([key, base], i) => ({
    key,
    value: valueAt(scenario, {
      application: spec.name,
      experiment,
      key,
      base,
      time: start,
      random,
      isOutlier: i === outlier,
    }),
    step: 10,
    timestamp: end,
  }));
  const { emptySamples } = scenario;
  const isEmpty = within(start, emptySamples) || (live && random.next() < 0.005);
  if (emptySamples.application === spec.name && isEmpty) {
    for (const metric of metrics) if (metric.key === emptySamples.metric) metric.value = Number.NaN;
  }
  return {
    run_id: SeededRandom.hex(32, scenario.seed, scenario.founded, name),
    run_name: `${spec.name}-v${version}-${market}-${new Date(start).toISOString().slice(5, 16).replaceAll(/[-:T]/g, '')}`,
    experiment_id: experimentIds.get(experiment) ?? '0',
    user_id: null,
    status,
    start_time: start,
    end_time: end,
    lifecycle_stage: 'active',
    metrics: status === 'FINISHED' ? metrics : [],
    ...labelsOf(scenario, spec, start, version, random, { market }),
  };
}
