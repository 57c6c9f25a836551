import { MS_PER_DAY } from '../domain/time.js';
import { type ApplicationSpec, STRICT_EXPERIMENT, STRICT_LIMITS } from './applications.js';
import type { FakeRun } from './fakes.js';
import { type Limits, specOf } from './metrics.js';
import { type Scenario, shiftAt } from './scenario.js';
import { SeededRandom } from './seeded-random.js';

/** Who ran what: the params and tags in which the reason of an incident can be found. */
export function labelsOf(
  { seed, drift, begins }: Scenario,
  spec: ApplicationSpec,
  start: number,
  version: number,
  chance: SeededRandom,
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
      'mlflow.user': chance.pick(spec.people),
      'mlflow.source.type': 'JOB',
      'mlflow.source.name': `${spec.name}/evaluate.py`,
      'mlflow.source.git.commit': commit,
    },
  };
}

export interface Measured {
  readonly application: string;
  readonly experiment: string;
  readonly key: string;
  readonly base: number;
  readonly time: number;
  readonly chance: SeededRandom;
  readonly hiccup: boolean;
}

/** A value on the scale from the metric's good days (0) to its warning limit (1): season, noise, and what happens. */
export function valueAt(
  story: Scenario,
  { application, experiment, key, base, time, chance, hiccup }: Measured,
): number {
  const noise = chance.bell();
  const [taste, phase] = SeededRandom.pair(story.seed, 'taste', application, key);
  const level = 0.2 * taste - 0.1;
  const day = Math.sin(2 * Math.PI * (time / MS_PER_DAY + phase));
  const week = Math.sin(2 * Math.PI * (time / (7 * MS_PER_DAY) + 2 * phase));
  const spec = specOf(key);
  const strict: { readonly [key: string]: Limits } = experiment === STRICT_EXPERIMENT ? STRICT_LIMITS : {};
  const limits = strict[key] ?? spec?.limits;
  if (!limits) return rounded(base * (1 + 0.3 * level + 0.015 * noise + 0.01 * week));
  const { warning, critical } = limits;
  const gap = warning - base;
  // A metric that lies far from its limit does not swing all the way to it.
  const calm = Math.min(1, (0.5 * Math.abs(base)) / Math.abs(gap));
  const swing = calm * (level + 0.1 * noise + 0.06 * day + 0.08 * week);
  const limit = (critical - base) / gap;
  const position = swing + shiftAt(story, application, key, time, limit);
  // A bad hour: beyond the warning limit, and well before the critical one.
  const bad = 1 + (limit - 1) * (0.4 + 0.1 * noise);
  return rounded(base + gap * (hiccup ? Math.max(position, bad) : position));
}

export const rounded = (value: number): number => Number(value.toPrecision(5));
