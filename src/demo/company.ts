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

/** A company whose teams log to MLflow: every number of it depends on the seed and the moment it was founded only. */
export interface Company {
  readonly story: Scenario;
  readonly experiments: readonly FakeExperiment[];
  /** Metadata and thresholds in the shape of the catalog's APIs. */
  readonly catalog: object;
  /** The runs that start in `[from, to)`, ms, as they are once they have ended, in the order of their start. */
  runs(from: number, to: number): FakeRun[];
}

export function foundCompany(seed: number, founded: number): Company {
  const story = createScenario(seed, founded);
  const experiments = experimentsOf(story);
  const idOf = new Map(experiments.map(({ name, experiment_id }) => [name, experiment_id]));
  const trials = sweepOf(story, idOf);
  const started = ({ start_time }: FakeRun) => start_time ?? 0;
  return {
    story,
    experiments,
    catalog: catalogOf(story, idOf.get(STRICT_EXPERIMENT) ?? ''),
    runs: (from, to) => {
      const slots = APPLICATIONS.flatMap((spec) => scheduledRuns(story, spec, { from, to }));
      return [
        ...slots.map((slot) => runOf(story, slot, idOf)),
        ...trials.filter((run) => within(started(run), { from, to })),
      ].sort((a, b) => started(a) - started(b));
    },
  };
}

/** A run as MLflow shows it at `now`, ms: until it ends it is RUNNING, and its metrics are not what they will be. */
export function runAt(run: FakeRun, now: number): FakeRun {
  const [start, end] = [run.start_time ?? 0, run.end_time ?? 0];
  if (end <= now) return run;
  const done = (now - start) / (end - start);
  const metrics = run.metrics.map((metric) => {
    const spec = specOf(metric.key);
    const missing = 0.15 * Math.abs(spec?.limits?.warning ?? 0) * (1 - done);
    const value = rounded(metric.value + (spec?.higher ? -missing : missing));
    return { ...metric, value, step: Math.floor(done * Number(metric.step)), timestamp: now };
  });
  return { ...run, status: 'RUNNING', end_time: null, metrics: done < 0.3 ? [] : metrics };
}

function runOf(
  story: Scenario,
  { spec, name, start, market, chance, live }: ScheduledRun,
  idOf: ReadonlyMap<string, string>,
): FakeRun {
  const luck = chance.next();
  const status = luck < 0.018 ? 'FAILED' : luck < 0.02 ? 'KILLED' : 'FINISHED';
  const minutes = chance.between(...spec.minutes);
  const duration = live ? 20_000 + chance.next() * 160_000 : minutes * MS_PER_MINUTE;
  const end = Math.round(start + (status === 'FINISHED' ? duration : duration * chance.between(0.2, 0.6)));
  const experiment =
    spec.name === 'fraud-detection' && market !== 'pl' && market !== 'es' ? STRICT_EXPERIMENT : spec.name;
  const version = modelVersionAt(story, spec.name, start);
  const isFrequent = typeof spec.rhythm === 'number' && spec.rhythm >= 20;
  const hiccup = isFrequent && chance.next() < 0.015 ? chance.whole(0, 4) : undefined;
  const metrics = Object.entries(spec.metrics).map(([key, base], i) => ({
    key,
    value: valueAt(story, {
      application: spec.name,
      experiment,
      key,
      base,
      time: start,
      chance,
      hiccup: i === hiccup,
    }),
    step: 10,
    timestamp: end,
  }));
  const { emptySamples } = story;
  const isEmpty = within(start, emptySamples) || (live && chance.next() < 0.005);
  if (emptySamples.application === spec.name && isEmpty) {
    for (const metric of metrics) if (metric.key === emptySamples.metric) metric.value = Number.NaN;
  }
  return {
    run_id: SeededRandom.hex(32, story.seed, story.founded, name),
    run_name: `${spec.name}-v${version}-${market}-${new Date(start).toISOString().slice(5, 16).replaceAll(/[-:T]/g, '')}`,
    experiment_id: idOf.get(experiment) ?? '0',
    user_id: null,
    status,
    start_time: start,
    end_time: end,
    lifecycle_stage: 'active',
    metrics: status === 'FINISHED' ? metrics : [],
    ...labelsOf(story, spec, start, version, chance, { market }),
  };
}
