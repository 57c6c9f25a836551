import { createHash } from 'node:crypto';
import { inSlices } from '../config/event-loop.js';
import { jsonArraySteps } from '../domain/json-steps.js';
import type { DomainSettings, Rule } from '../domain/model.js';
import { createFilter, firstMatch, indexPatterns } from '../domain/pattern-index.js';
import { ruleResolverSteps } from '../domain/rule.js';
import type { Steps } from '../domain/steps.js';
import type { StoredExperiment } from '../state/experiments.js';
import type { CatalogQuery, DayRules } from '../state/rulebook.js';
import type { DayPairs } from '../storage/index-document.js';
import { nestedChoice, type ScopedExperiment, scopedExperiment } from './application-of.js';

/**
 * SHA-256 of `JSON.stringify({ base, ...scope, settings })`. The order of the keys is part of the digest; the text is
 * hashed in pieces.
 */
export function* inputsDigest(
  base: string | undefined,
  { experiments, rules, excluded }: DayScope,
  settings: Partial<DomainSettings>,
): Steps<string> {
  const hash = createHash('sha256').update(base === undefined ? '{' : `{"base":${JSON.stringify(base)},`);
  for (const [name, list] of Object.entries({ experiments, rules, excluded })) {
    hash.update(`"${name}":`);
    yield* jsonArraySteps<unknown>(list, (piece) => hash.update(piece));
    hash.update(',');
  }
  return hash.update(`"settings":${JSON.stringify(settings)}}`).digest('hex');
}

/** @returns a function that gives the scope of runs by some rules. @param pairsBy the experiments and metrics of the runs */
export function createScope(
  pairsBy: (rules: DayRules) => Promise<DayPairs>,
  experiments: Readonly<Record<string, StoredExperiment>>,
): (rules: DayRules) => Promise<DayScope> {
  let last: { readonly rules: DayRules; readonly scope: DayScope } | undefined;
  return async (rules) => {
    if (last?.rules !== rules) {
      last = { rules, scope: await inSlices(scopeOfDay(await pairsBy(rules), experiments, rules)) };
    }
    return last.scope;
  };
}

/** What the catalog must have been queried for to judge the scope. */
export const queryOf = ({ rules }: DayScope): CatalogQuery => ({
  metrics: [...new Set(rules.map(({ metric_name }) => metric_name))],
  experiments: [...new Set(rules.map(({ experiment_id }) => experiment_id))],
});

/** The experiments, metrics and rules by which the runs of a part of a day are judged. */
export interface DayScope {
  /** The experiments in scope. */
  readonly experiments: readonly ScopedExperiment[];
  /** Names of metrics out of scope, sorted. */
  readonly excluded: readonly string[];
  /** One per experiment and metric in scope. */
  readonly rules: readonly (Rule & { experiment_id: string; metric_name: string })[];
}

export function* scopeOfDay(
  pairs: DayPairs,
  known: Readonly<Record<string, StoredExperiment>>,
  { metadata, thresholds, settings }: DayRules,
): Steps<DayScope> {
  const resolve = yield* ruleResolverSteps(metadata, thresholds);
  const isExperimentIncluded = yield* createFilter(settings.experiment_include, settings.experiment_exclude);
  const isMetricIncluded = yield* createFilter(settings.metric_include, settings.metric_exclude);
  // Rules before version 3 know no choice; without its key, the digest of the inputs is theirs.
  const counted = settings.count_nested_of && (yield* indexPatterns(settings.count_nested_of));
  const experiments: ScopedExperiment[] = [];
  const rules: DayScope['rules'][number][] = [];
  const excluded = new Set<string>();
  for (const [experiment_id, names] of pairs) {
    yield;
    const experiment = known[experiment_id];
    if (experiment?.lifecycle_stage === 'deleted') continue;
    if (!isExperimentIncluded(experiment?.name ?? experiment_id)) continue;
    const scoped = scopedExperiment(experiment_id, experiment, settings.application_tag);
    const nested =
      counted && nestedChoice(experiment_id, experiment, (name) => firstMatch(counted, name) !== undefined);
    experiments.push(nested ? { ...scoped, nested } : scoped);
    for (const metric_name of names) {
      yield;
      if (isMetricIncluded(metric_name)) {
        rules.push({ experiment_id, metric_name, ...resolve(metric_name, experiment_id) });
      } else {
        excluded.add(metric_name);
      }
    }
  }
  return { experiments, rules, excluded: [...excluded].sort() };
}
