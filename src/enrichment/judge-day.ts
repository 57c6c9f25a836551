import { createHash } from 'node:crypto';
import { MonitorError } from '../domain/errors.js';
import type { Rule } from '../domain/model.js';
import { passes } from '../domain/pattern.js';
import { createRuleResolver } from '../domain/rule.js';
import { readExperiments, type StoredExperiment } from '../state/experiments.js';
import { type CatalogQuery, type DayRules, type Rulebook, rulesOn } from '../state/rulebook.js';
import { type Duck, type DuckSession, sql } from '../storage/duck.js';
import { readFooter } from '../storage/footer.js';
import { baseKey, partitionKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import { type Prepared, type PublishCounts, publishTogether } from '../storage/publish.js';

export interface JudgeTools {
  readonly store: ObjectStore;
  readonly duck: Duck;
  readonly rulesVersion: number;
  /** The rulebook, after the catalog has answered what is needed of it. `observed`: the newest time of MLflow's answers, ms. */
  readonly rulebook: (
    needs: (book: Rulebook) => CatalogQuery,
    observed: number | undefined,
  ) => Promise<Rulebook>;
}

/**
 * Makes `runs` and `enriched_metrics` of one day equal to its base facts judged by the rulebook, if the inputs they name are not these.
 * @param observed the newest time of MLflow's answers, ms
 */
export async function judgeDay(tools: JudgeTools, day: string, observed?: number): Promise<PublishCounts> {
  const { store, duck } = tools;
  return duck.session((session) =>
    publishTogether(store, session, [partitionKey('runs', day), partitionKey('enriched_metrics', day)], {
      recorded: (file) => readFooter(session, file, 'inputs'),
      prepare: () => prepare(tools, session, day, observed),
    }),
  );
}

async function prepare(
  tools: JudgeTools,
  session: DuckSession,
  day: string,
  observed: number | undefined,
): Promise<Prepared | undefined> {
  const base = await tools.store.fetch(baseKey(day));
  if (!base) return undefined;
  const scopeBy = await loadScope(tools.store, session, base.file);
  const book = await tools.rulebook((stored) => questionOf(scopeBy(rulesOn(stored, day))), observed);
  const rules = rulesOn(book, day);
  if (rules.settings.rules_version > tools.rulesVersion) {
    throw new MonitorError(
      'older_rules',
      `The store is judged by rules version ${rules.settings.rules_version}; this process knows ${tools.rulesVersion}`,
    );
  }
  const scope = scopeBy(rules);
  const content = await readFooter(session, base.file, 'content');
  const inputs = createHash('sha256')
    .update(JSON.stringify({ base: content, ...scope, settings: rules.settings }))
    .digest('hex');
  let judged: Promise<void> | undefined;
  return {
    inputs,
    write: async (key, file) => {
      judged ??= judge(session, base.file, scope, rules);
      await judged;
      const statement = key.startsWith('runs/') ? './sql/copy_runs.sql' : './sql/copy_enriched_metrics.sql';
      await session.run(sql(import.meta.url, statement), { file, inputs });
    },
  };
}

/** @param base a local base object; what comes back tells what some rules say of its runs */
export async function loadScope(
  store: ObjectStore,
  session: DuckSession,
  base: string,
): Promise<(rules: DayRules) => DayScope> {
  const known = await readExperiments(store);
  const pairs = await session.columns(sql(import.meta.url, './sql/day_pairs.sql'), { base });
  return (rules) => scopeOfDay(pairs, known, rules);
}

/** What a catalog must have been asked for to judge by it. */
const questionOf = ({ rules }: DayScope): CatalogQuery => ({
  metrics: [...new Set(rules.map(({ metric_name }) => metric_name))],
  experiments: [...new Set(rules.map(({ experiment_id }) => experiment_id))],
});

/** What the rulebook and the experiments say of one day's runs. */
export interface DayScope {
  readonly experiments: readonly { experiment_id: string; name: string | null; tag: string | null }[];
  readonly excluded: readonly string[];
  readonly rules: readonly (Rule & { experiment_id: string; metric_name: string })[];
}

/**
 * @param pairs columns `experiment_id` and `metric_name` (null: an experiment as such), sorted
 */
export function scopeOfDay(
  pairs: Readonly<Record<string, readonly unknown[]>>,
  known: Readonly<Record<string, StoredExperiment>>,
  { metadata, thresholds, settings }: DayRules,
): DayScope {
  const resolve = createRuleResolver(metadata, thresholds);
  const scope = {
    experiments: [] as { experiment_id: string; name: string | null; tag: string | null }[],
    rules: [] as (Rule & { experiment_id: string; metric_name: string })[],
  };
  const excluded = new Set<string>();
  const inScope = new Map<string, boolean>();
  const experimentInScope = (id: string): boolean => {
    let answer = inScope.get(id);
    if (answer === undefined) {
      const experiment = known[id];
      answer =
        experiment?.lifecycle_stage !== 'deleted' &&
        passes(experiment?.name ?? id, settings.experiment_include, settings.experiment_exclude);
      inScope.set(id, answer);
    }
    return answer;
  };
  const { experiment_id: ids = [], metric_name: names = [] } = pairs;
  for (const [i, value] of ids.entries()) {
    const experiment_id = String(value);
    if (!experimentInScope(experiment_id)) continue;
    const metric_name = names[i];
    if (typeof metric_name !== 'string') {
      const experiment = known[experiment_id];
      const tag = experiment?.tags[settings.application_tag];
      scope.experiments.push({
        experiment_id,
        name: experiment?.name.trim() ? experiment.name : null,
        tag: tag?.trim() ? tag : null,
      });
    } else if (passes(metric_name, settings.metric_include, settings.metric_exclude)) {
      scope.rules.push({ experiment_id, metric_name, ...resolve(metric_name, experiment_id) });
    } else {
      excluded.add(metric_name);
    }
  }
  return { ...scope, excluded: [...excluded].sort() };
}

/** Makes `active` and `judged` of the scope. */
export async function judge(
  session: DuckSession,
  base: string,
  scope: DayScope,
  { settings }: DayRules,
): Promise<void> {
  await session.run(sql(import.meta.url, './sql/judge_runs.sql'), {
    base,
    experiments: JSON.stringify(scope.experiments),
    excluded: scope.excluded,
    application_tag: settings.application_tag,
    count_nested_runs: settings.count_nested_runs,
    judge_running: settings.judge_running,
  });
  await session.run(sql(import.meta.url, './sql/judge_metrics.sql'), { rules: JSON.stringify(scope.rules) });
}
