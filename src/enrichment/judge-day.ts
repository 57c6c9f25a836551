import { createHash } from 'node:crypto';
import { inSlices } from '../config/event-loop.js';
import { jsonArraySteps } from '../domain/json-steps.js';
import type { DomainSettings, Rule } from '../domain/model.js';
import { createFilter } from '../domain/pattern-index.js';
import { ruleResolverSteps } from '../domain/rule.js';
import type { Steps } from '../domain/steps.js';
import { readExperiments, type StoredExperiment } from '../state/experiments.js';
import { type CatalogQuery, type DayRules, type Rulebook, rulesOnSteps } from '../state/rulebook.js';
import { assertSupportedRules } from '../state/rules-version.js';
import { type Duck, type DuckSession, sql } from '../storage/duck.js';
import { readFooter } from '../storage/footer.js';
import { baseKey, partitionKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import { type Prepared, type PublishCounts, publishDerived } from '../storage/publish.js';
import { BATCH_BYTES, writeBatches } from './heavy-rows.js';

export interface RulebookSource {
  /**
   * @param needs what the catalog must have been queried for to judge by a rulebook
   * @param observed the newest time of MLflow's responses, ms
   */
  rulebookFor(
    needs: (book: Rulebook) => CatalogQuery | Promise<CatalogQuery>,
    observed?: number,
  ): Promise<Rulebook>;
}

/**
 * Publishes `runs` and `enriched_metrics` of one day from its base facts and the rulebook, unless the stored objects name
 * these inputs already.
 * @param observed the newest time of MLflow's responses, ms
 */
export function judgeDay(
  store: ObjectStore,
  duck: Duck,
  rulebook: RulebookSource,
  day: string,
  observed?: number,
): Promise<PublishCounts> {
  const keys = [partitionKey('runs', day), partitionKey('enriched_metrics', day)];
  return duck.session((session) =>
    publishDerived(store, session, keys, {
      recorded: (file) => readFooter(session, file, 'inputs'),
      prepare: () => prepare(store, session, rulebook, day, observed),
    }),
  );
}

async function prepare(
  store: ObjectStore,
  session: DuckSession,
  rulebook: RulebookSource,
  day: string,
  observed: number | undefined,
): Promise<Prepared | undefined> {
  const base = await store.fetch(baseKey(day));
  if (!base) return undefined;
  const scopeBy = await loadScope(store, session, base.file);
  const book = await rulebook.rulebookFor(
    async (stored) => queryOf(await scopeBy(await inSlices(rulesOnSteps(stored, day)))),
    observed,
  );
  const rules = await inSlices(rulesOnSteps(book, day));
  assertSupportedRules(rules.settings);
  const scope = await scopeBy(rules);
  const content = await readFooter(session, base.file, 'content');
  const inputs = await inSlices(inputsDigest(content, scope, rules.settings));
  let judged: Promise<void> | undefined;
  return {
    inputs,
    write: async (key, file) => {
      judged ??= judge(session, base.file, scope, rules);
      await judged;
      if (key.startsWith('runs/')) await writeRuns(session, base.file, file, inputs);
      else await session.run(sql(import.meta.url, './sql/copy_enriched_metrics.sql'), { file, inputs });
    },
  };
}

/**
 * SHA-256 of `JSON.stringify({ base, ...scope, settings })`. The order of the keys is part of the digest; the text is
 * hashed in pieces.
 */
export function* inputsDigest(
  base: string | undefined,
  { experiments, rules, excluded }: DayScope,
  settings: DomainSettings,
): Steps<string> {
  const hash = createHash('sha256').update(base === undefined ? '{' : `{"base":${JSON.stringify(base)},`);
  for (const [name, list] of Object.entries({ experiments, rules, excluded })) {
    hash.update(`"${name}":`);
    yield* jsonArraySteps<unknown>(list, (piece) => hash.update(piece));
    hash.update(',');
  }
  return hash.update(`"settings":${JSON.stringify(settings)}}`).digest('hex');
}

/**
 * @param base local file of a base object
 * @returns a function that gives the scope of the day's runs by some rules
 */
export async function loadScope(
  store: ObjectStore,
  session: DuckSession,
  base: string,
): Promise<(rules: DayRules) => Promise<DayScope>> {
  const experiments = await readExperiments(store);
  const pairs = await session.columns(sql(import.meta.url, './sql/day_pairs.sql'), { base });
  const unprefixed = Object.fromEntries(
    Object.entries(pairs).map(([name, texts]) => [
      name,
      texts.map((text) => (typeof text === 'string' ? text.slice(1) : text)),
    ]),
  );
  let last: { readonly rules: DayRules; readonly scope: DayScope } | undefined;
  return async (rules) => {
    if (last?.rules !== rules) {
      last = { rules, scope: await inSlices(scopeOfDay(unprefixed, experiments, rules)) };
    }
    return last.scope;
  };
}

/** What the catalog must have been queried for to judge the scope. */
const queryOf = ({ rules }: DayScope): CatalogQuery => ({
  metrics: [...new Set(rules.map(({ metric_name }) => metric_name))],
  experiments: [...new Set(rules.map(({ experiment_id }) => experiment_id))],
});

interface ScopedExperiment {
  readonly experiment_id: string;
  /** null if it has no name. */
  readonly name: string | null;
  /** The value of the tag that names its application; null if it has none. */
  readonly tag: string | null;
}

/** The experiments, metrics and rules by which the runs of one day are judged. */
export interface DayScope {
  /** The experiments in scope. */
  readonly experiments: readonly ScopedExperiment[];
  /** Names of metrics out of scope, sorted. */
  readonly excluded: readonly string[];
  /** One per experiment and metric in scope. */
  readonly rules: readonly (Rule & { experiment_id: string; metric_name: string })[];
}

/** @param pairs result columns of day_pairs.sql, without the prefix of each text */
export function* scopeOfDay(
  pairs: Readonly<Record<string, readonly unknown[]>>,
  known: Readonly<Record<string, StoredExperiment>>,
  { metadata, thresholds, settings }: DayRules,
): Steps<DayScope> {
  const resolve = yield* ruleResolverSteps(metadata, thresholds);
  const isExperimentIncluded = yield* createFilter(settings.experiment_include, settings.experiment_exclude);
  const isMetricIncluded = yield* createFilter(settings.metric_include, settings.metric_exclude);
  const experiments: ScopedExperiment[] = [];
  const rules: DayScope['rules'][number][] = [];
  const excluded = new Set<string>();
  const inScope = new Map<string, boolean>();
  const isInScope = (id: string): boolean => {
    let result = inScope.get(id);
    if (result === undefined) {
      const experiment = known[id];
      result = experiment?.lifecycle_stage !== 'deleted' && isExperimentIncluded(experiment?.name ?? id);
      inScope.set(id, result);
    }
    return result;
  };
  const { experiment_id: ids = [], metric_name: names = [] } = pairs;
  for (const [i, value] of ids.entries()) {
    yield;
    const experiment_id = String(value);
    if (!isInScope(experiment_id)) continue;
    const metric_name = names[i];
    if (typeof metric_name !== 'string') {
      const experiment = known[experiment_id];
      const tag = experiment?.tags[settings.application_tag];
      experiments.push({
        experiment_id,
        name: experiment?.name.trim() ? experiment.name : null,
        tag: tag?.trim() ? tag : null,
      });
    } else if (isMetricIncluded(metric_name)) {
      rules.push({ experiment_id, metric_name, ...resolve(metric_name, experiment_id) });
    } else {
      excluded.add(metric_name);
    }
  }
  return { experiments, rules, excluded: [...excluded].sort() };
}

async function writeRuns(session: DuckSession, base: string, file: string, inputs: string): Promise<void> {
  const [last] = await session.rows<{ batch: number | null }>('SELECT max(batch) AS batch FROM active');
  const batches = Array.from({ length: (last?.batch ?? 0) + 1 }, (_, batch) => batch);
  const writeBatch = (batch: number, part: string) =>
    session.run(sql(import.meta.url, './sql/copy_runs.sql'), { base, batch, file: part, inputs });
  await writeBatches(session, file, batches, writeBatch, (files) =>
    session.run(sql(import.meta.url, './sql/join_runs.sql'), { files, file, inputs }),
  );
}

/** Makes `active` and `judged` of the runs in a base object. */
export async function judge(
  session: DuckSession,
  base: string,
  scope: DayScope,
  { settings }: DayRules,
): Promise<void> {
  await session.run(sql(import.meta.url, './sql/heavy_bytes.sql'));
  await session.run(sql(import.meta.url, './sql/judge_runs.sql'), {
    base,
    batch_bytes: BATCH_BYTES,
    experiments: JSON.stringify(scope.experiments),
    excluded: scope.excluded,
    application_tag: settings.application_tag,
    count_nested_runs: settings.count_nested_runs,
    judge_running: settings.judge_running,
  });
  const rules: string[] = [];
  await inSlices(jsonArraySteps(scope.rules, (piece) => rules.push(piece)));
  await session.run(sql(import.meta.url, './sql/judge_metrics.sql'), { rules: rules.join('') });
}
