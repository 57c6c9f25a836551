import { createHash } from 'node:crypto';
import { inSlices } from '../config/event-loop.js';
import { jsonArraySteps } from '../domain/json-steps.js';
import type { DomainSettings, Rule } from '../domain/model.js';
import { createFilter } from '../domain/pattern-index.js';
import { ruleResolverSteps } from '../domain/rule.js';
import type { Steps } from '../domain/steps.js';
import { readExperiments, type StoredExperiment } from '../state/experiments.js';
import { type CatalogQuery, type DayRules, type Rulebook, rulesOnSteps } from '../state/rulebook.js';
import { namedInputs, versionsInForce } from '../state/versions.js';
import { type Duck, type DuckSession, sql } from '../storage/duck.js';
import { readFooter } from '../storage/footer.js';
import type { DayPairs } from '../storage/index-document.js';
import { baseKey, partitionKey } from '../storage/keys.js';
import type { ObjectStore } from '../storage/object-store.js';
import {
  type Ahead,
  fetchExactly,
  lookAt,
  type Prepared,
  type PublishCounts,
  publishDerived,
} from '../storage/publish.js';
import { publishSums } from '../storage/series-sums.js';
import { readBaseFacts } from './base-facts.js';
import { BATCH_BYTES, writeBatches } from './heavy-rows.js';

export interface RulebookSource {
  /**
   * @param needs what the catalog must have been queried for to judge by a rulebook
   * @param observed the newest time of MLflow's responses, ms
   * @param known a rulebook that this method returned: returned again without a request, if it contains what is needed
   */
  rulebookFor(
    needs: (book: Rulebook) => CatalogQuery | Promise<CatalogQuery>,
    observed?: number,
    known?: Rulebook,
  ): Promise<Rulebook>;
}

/** What was read before the days of a pass are judged. */
export interface JudgeAhead extends Ahead {
  readonly rulebook: Rulebook;
  readonly experiments: Readonly<Record<string, StoredExperiment>>;
}

/** The datasets that are made from the facts of one day. */
export const JUDGED = ['runs', 'enriched_metrics'] as const;

/**
 * Publishes `runs` and `enriched_metrics` of one day from its base facts and the rulebook, unless the stored objects name
 * these inputs already, and then the sums over its metrics. The base is downloaded only to write.
 * @param observed the newest time of MLflow's responses, ms
 */
export function judgeDay(
  store: ObjectStore,
  duck: Duck,
  rulebook: RulebookSource,
  day: string,
  observed?: number,
  ahead?: JudgeAhead,
): Promise<PublishCounts> {
  const keys = JUDGED.map((dataset) => partitionKey(dataset, day));
  return duck.session(async (session) => {
    const publication = {
      recorded: (file: string) => readFooter(session, file, 'inputs'),
      prepare: (read?: JudgeAhead) => prepare(store, session, rulebook, day, observed, read),
    };
    const counts = await publishDerived(store, session, keys, publication, ahead);
    // Internal, and not counted: whoever does not find them computes them.
    await publishSums(store, session, day, counts.written === 0 ? ahead : undefined);
    return counts;
  });
}

async function prepare(
  store: ObjectStore,
  session: DuckSession,
  rulebook: RulebookSource,
  day: string,
  observed: number | undefined,
  ahead: JudgeAhead | undefined,
): Promise<Prepared | undefined> {
  const base = await (ahead?.look ?? lookAt(store))(baseKey(day));
  if (!base) return undefined;
  const fetch = () => fetchExactly(store, base);
  const { content, pairs } = await readBaseFacts(store, session, base, fetch);
  const scopeBy = createScope(pairs, ahead?.experiments ?? (await readExperiments(store)));
  const book = await rulebook.rulebookFor(
    async (stored) => queryOf(await scopeBy(await inSlices(rulesOnSteps(stored, day)))),
    observed,
    ahead?.rulebook,
  );
  const rules = await inSlices(rulesOnSteps(book, day));
  const scope = await scopeBy(rules);
  const versions = versionsInForce(book);
  const inputs = namedInputs(versions, await inSlices(inputsDigest(content, scope, rules.settings)));
  const footer = { inputs, schema: String(versions.schema) };
  /** The local copy of the base, once it is judged. */
  let judged: Promise<string> | undefined;
  return {
    inputs,
    write: async (key, file) => {
      judged ??= fetch().then(async (base) => {
        await judge(session, base, scope, rules);
        return base;
      });
      const local = await judged;
      if (key.startsWith('runs/')) await writeRuns(session, local, file, footer);
      else await session.run(sql(import.meta.url, './sql/copy_enriched_metrics.sql'), { file, ...footer });
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

/** @returns a function that gives the scope of the day's runs by some rules */
export function createScope(
  pairs: DayPairs,
  experiments: Readonly<Record<string, StoredExperiment>>,
): (rules: DayRules) => Promise<DayScope> {
  let last: { readonly rules: DayRules; readonly scope: DayScope } | undefined;
  return async (rules) => {
    if (last?.rules !== rules) {
      last = { rules, scope: await inSlices(scopeOfDay(pairs, experiments, rules)) };
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

export function* scopeOfDay(
  pairs: DayPairs,
  known: Readonly<Record<string, StoredExperiment>>,
  { metadata, thresholds, settings }: DayRules,
): Steps<DayScope> {
  const resolve = yield* ruleResolverSteps(metadata, thresholds);
  const isExperimentIncluded = yield* createFilter(settings.experiment_include, settings.experiment_exclude);
  const isMetricIncluded = yield* createFilter(settings.metric_include, settings.metric_exclude);
  const experiments: ScopedExperiment[] = [];
  const rules: DayScope['rules'][number][] = [];
  const excluded = new Set<string>();
  for (const [experiment_id, names] of pairs) {
    yield;
    const experiment = known[experiment_id];
    if (experiment?.lifecycle_stage === 'deleted') continue;
    if (!isExperimentIncluded(experiment?.name ?? experiment_id)) continue;
    const tag = experiment?.tags[settings.application_tag];
    experiments.push({
      experiment_id,
      name: experiment?.name.trim() ? experiment.name : null,
      tag: tag?.trim() ? tag : null,
    });
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

/** The metadata of a derived object. */
interface Footer {
  readonly inputs: string;
  readonly schema: string;
}

async function writeRuns(session: DuckSession, base: string, file: string, footer: Footer): Promise<void> {
  const [last] = await session.rows<{ batch: number | null }>('SELECT max(batch) AS batch FROM active');
  const batches = Array.from({ length: (last?.batch ?? 0) + 1 }, (_, batch) => batch);
  const writeBatch = (batch: number, part: string) =>
    session.run(sql(import.meta.url, './sql/copy_runs.sql'), { base, batch, file: part, ...footer });
  await writeBatches(session, file, batches, writeBatch, (files) =>
    session.run(sql(import.meta.url, './sql/join_runs.sql'), { files, file, ...footer }),
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
