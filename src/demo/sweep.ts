import { APPLICATIONS } from './applications.js';
import { sweepExperiment } from './catalog.js';
import type { FakeRun } from './fakes.js';
import { labelsOf, rounded, valueAt } from './metric-values.js';
import { specOf } from './metrics.js';
import { modelVersionAt, type Scenario } from './scenario.js';
import { SeededRandom } from './seeded-random.js';

const MS_PER_MINUTE = 60_000;
const TRIALS = 500;

/** One tuning run with hundreds of trials below it: many of them bad, as trials are, and none of them an incident. */
export function sweepOf(story: Scenario, idOf: ReadonlyMap<string, string>): FakeRun[] {
  const { sweep, seed, founded } = story;
  const spec = APPLICATIONS.find(({ name }) => name === sweep.application);
  if (!spec) return [];
  const parentId = SeededRandom.hex(32, seed, founded, 'sweep');
  const chance = new SeededRandom(seed, 'sweep');
  const version = modelVersionAt(story, spec.name, sweep.from);
  const experiment = sweepExperiment(story);
  const make = (
    id: string,
    name: string,
    start: number,
    end: number,
    worse: number,
    params: Record<string, string>,
  ): FakeRun => ({
    run_id: id,
    run_name: name,
    experiment_id: idOf.get(experiment) ?? '0',
    user_id: null,
    status: 'FINISHED',
    start_time: start,
    end_time: end,
    lifecycle_stage: 'active',
    metrics: Object.entries(spec.metrics).map(([key, base]) => {
      const value = valueAt(story, {
        application: '',
        experiment,
        key,
        base,
        time: start,
        chance,
        hiccup: false,
      });
      const spent = worse * Math.abs((specOf(key)?.limits?.warning ?? base) - base);
      return {
        key,
        value: rounded(value + (specOf(key)?.higher ? -spent : spent)),
        step: 10,
        timestamp: end,
      };
    }),
    ...labelsOf(story, spec, start, version, chance, params),
  });
  const parent = make(parentId, `${spec.name}-sweep`, sweep.from, sweep.to, 0, { trials: `${TRIALS}` });
  const trials = Array.from({ length: TRIALS }, (_, i) => {
    const start = Math.round(sweep.from + ((sweep.to - sweep.from - 8 * MS_PER_MINUTE) * i) / TRIALS);
    const end = Math.round(start + chance.between(0.5, 7) * MS_PER_MINUTE);
    const trial = make(
      SeededRandom.hex(32, parentId, i),
      `trial-${i + 1}`,
      start,
      end,
      chance.between(0, 3),
      {
        learning_rate: (10 ** chance.between(-4, -1)).toPrecision(3),
        max_depth: `${chance.whole(3, 12)}`,
      },
    );
    const metrics =
      chance.next() < 0.02
        ? trial.metrics.map((metric) => ({ ...metric, value: Number.NaN }))
        : trial.metrics;
    return { ...trial, metrics, tags: { ...trial.tags, 'mlflow.parentRunId': parentId } };
  });
  return [parent, ...trials];
}
