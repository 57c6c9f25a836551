import { MS_PER_DAY } from '../domain/time.js';
import { type ApplicationSpec, STRICT_EXPERIMENT, STRICT_LIMITS } from './applications.js';
import type { FakeRun } from './fakes.js';
import { type Limits, specOf } from './metrics.js';
import { calmnessOf, type Scenario, shiftAt } from './scenario.js';
import { SeededRandom } from './seeded-random.js';

/** The params and tags of a run. They contain the causes of the incidents: a new model version, old training data. */
export function labelsOf(
  { seed, drift, begins }: Scenario,
  spec: ApplicationSpec,
  start: number,
  version: number,
  random: SeededRandom,
  params: Record<string, string>,
): Pick<FakeRun, 'params' | 'tags'> {
  const commit = SeededRandom.hex(40, seed, spec.name, version);
  const dataAge = drift.application === spec.name ? start - begins + 21 * MS_PER_DAY : 2 * MS_PER_DAY;
  return {
    params: {
      model_version: `v${version}`,
      git_commit: commit.slice(0, 8),
      training_data_until: new Date(start - dataAge).toISOString().slice(0, 10),
      ...params,
    },
    tags: {
      owner: spec.owner,
      'mlflow.user': random.pick(spec.people),
      'mlflow.source.type': 'JOB',
      'mlflow.source.name': `${spec.name}/evaluate.py`,
      'mlflow.source.git.commit': commit,
    },
  };
}

interface Measurement {
  readonly application: string;
  readonly experiment: string;
  /** Name of the metric. */
  readonly key: string;
  /** The metric's value on a normal day. */
  readonly base: number;
  /** ms */
  readonly time: number;
  readonly random: SeededRandom;
  /** Whether the value exceeds the warning limit in this run only. */
  readonly isOutlier: boolean;
}

/**
 * The value of a metric in a run: base + (warning limit − base) · position. The position is 0 at the base value and 1 at
 * the warning limit; it is the sum of a level, daily and weekly seasonality, noise, and the effect of incidents.
 */
export function valueAt(
  scenario: Scenario,
  { application, experiment, key, base, time, random, isOutlier }: Measurement,
): number {
  const noise = random.normal();
  const [offset, phase] = SeededRandom.pair(scenario.seed, 'taste', application, key);
  const level = 0.2 * offset - 0.1;
  const day = Math.sin(2 * Math.PI * (time / MS_PER_DAY + phase));
  const week = Math.sin(2 * Math.PI * (time / (7 * MS_PER_DAY) + 2 * phase));
  const spec = specOf(key);
  const strict: { readonly [key: string]: Limits } = experiment === STRICT_EXPERIMENT ? STRICT_LIMITS : {};
  const limits = strict[key] ?? spec?.limits;
  if (!limits) return rounded(base * (1 + 0.3 * level + 0.015 * noise + 0.01 * week));
  const { warning, critical } = limits;
  const gap = warning - base;
  // Damps the variation of a metric whose limit is far from its base value, so that it stays plausible.
  const damping = Math.min(1, (0.5 * Math.abs(base)) / Math.abs(gap));
  const variation =
    calmnessOf(scenario, application, key) * damping * (level + 0.1 * noise + 0.06 * day + 0.08 * week);
  const criticalPosition = (critical - base) / gap;
  const position = variation + shiftAt(scenario, application, key, time, criticalPosition);
  // Between the warning limit and the critical one.
  const outlierPosition = 1 + (criticalPosition - 1) * (0.4 + 0.1 * noise);
  return rounded(base + gap * (isOutlier ? Math.max(position, outlierPosition) : position));
}

/** Rounds to 5 significant digits. */
export const rounded = (value: number): number => Number(value.toPrecision(5));
