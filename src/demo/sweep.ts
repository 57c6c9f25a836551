import { APPLICATIONS } from './applications.js';
import { sweepExperiment } from './catalog.js';
import type { FakeRun } from './fakes.js';
import { labelsOf, rounded, valueAt } from './metric-values.js';
import { specOf } from './metrics.js';
import { modelVersionAt, type Scenario } from './scenario.js';
import { SeededRandom } from './seeded-random.js';

const MS_PER_MINUTE = 60_000;
const TRIALS = 500;

/**
 * A hyperparameter sweep: a parent run with hundreds of child runs. Many of them have bad values, as trials do, but none is
 * an incident.
 */
export function sweepOf(scenario: Scenario, experimentIds: ReadonlyMap<string, string>): FakeRun[] {
  const { sweep, seed, founded } = scenario;
  const spec = APPLICATIONS.find(({ name }) => name === sweep.application);
  if (!spec) return [];
  const parentId = SeededRandom.hex(32, seed, founded, 'sweep');
  const random = new SeededRandom(seed, 'sweep');
  const version = modelVersionAt(scenario, spec.name, sweep.from);
  const experiment = sweepExperiment(scenario);
  /** @param degradation how much worse its values are; 1 is the distance from the base value to the warning limit */
  const makeRun = (
    id: string,
    name: string,
    start: number,
    end: number,
    degradation: number,
    params: Record<string, string>,
  ): FakeRun => ({
    run_id: id,
    run_name: name,
    experiment_id: experimentIds.get(experiment) ?? '0',
    user_id: null,
    status: 'FINISHED',
    start_time: start,
    end_time: end,
    lifecycle_stage: 'active',
    metrics: Object.entries(spec.metrics).map(([key, base]) => {
      const value = valueAt(scenario, {
        application: '',
        experiment,
        key,
        base,
        time: start,
        random,
        isOutlier: false,
      });
      const loss = degradation * Math.abs((specOf(key)?.limits?.warning ?? base) - base);
      return {
        key,
        value: rounded(value + (specOf(key)?.higherIsBetter ? -loss : loss)),
        step: 10,
        timestamp: end,
      };
    }),
    ...labelsOf(scenario, spec, start, version, random, params),
  });
  const parent = makeRun(parentId, `${spec.name}-sweep`, sweep.from, sweep.to, 0, { trials: `${TRIALS}` });
  const trials = Array.from({ length: TRIALS }, (_, i) => {
    const start = Math.round(sweep.from + ((sweep.to - sweep.from - 8 * MS_PER_MINUTE) * i) / TRIALS);
    const end = Math.round(start + random.between(0.5, 7) * MS_PER_MINUTE);
    const trial = makeRun(
      SeededRandom.hex(32, parentId, i),
      `trial-${i + 1}`,
      start,
      end,
      random.between(0, 3),
      {
        learning_rate: (10 ** random.between(-4, -1)).toPrecision(3),
        max_depth: `${random.integer(3, 12)}`,
      },
    );
    const metrics =
      random.next() < 0.02
        ? trial.metrics.map((metric) => ({ ...metric, value: Number.NaN }))
        : trial.metrics;
    return { ...trial, metrics, tags: { ...trial.tags, 'mlflow.parentRunId': parentId } };
  });
  return [parent, ...trials];
}
