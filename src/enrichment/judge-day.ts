import { createHash } from 'node:crypto';
import { inSlices } from '../config/event-loop.js';
import { jsonArraySteps } from '../domain/json-steps.js';
import type { DomainSettings, Rule } from '../domain/model.js';
import { createFilter } from '../domain/pattern-index.js';
import { type FirstDays, isKept } from '../domain/retention.js';
import { ruleResolverSteps } from '../domain/rule.js';
import type { Steps } from '../domain/steps.js';
import { readExperiments, type StoredExperiment } from '../state/experiments.js';
import { partitionFilesOf } from '../state/partition-files.js';
import { readFirstDays } from '../state/retention.js';
import { type CatalogQuery, type DayRules, type Rulebook, rulesOnSteps } from '../state/rulebook.js';
import { namedInputs, versionsInForce } from '../state/versions.js';
import { type Duck, type DuckSession, sql } from '../storage/duck.js';
import { readFooter } from '../storage/footer.js';
import type { DayPairs } from '../storage/index-document.js';
import { partitionKey } from '../storage/keys.js';
import type { ObjectEntry, ObjectStore } from '../storage/object-store.js';
import { createPartMacro, type DayPart, dayParts } from '../storage/parts.js';
import {
  type Ahead,
  type Comparison,
  compareDerived,
  fetchExactly,
  lookAt,
  type Prepared,
  type Publication,
  type PublishCounts,
  publishDerived,
} from '../storage/publish.js';
import { compareSums, publishSums } from '../storage/series-sums.js';
import { type ScopedExperiment, scopedExperiment } from './application-of.js';
import { lookAtBases, type PartFacts, readPartFacts } from './base-facts.js';
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
  readonly first: FirstDays;
}

/** The datasets that are made from the facts of one day. */
export const JUDGED = ['runs', 'enriched_metrics'] as const;

/** Judges all parts of a day. */
export async function judgeDay(
  store: ObjectStore,
  duck: Duck,
  rulebook: RulebookSource,
  day: string,
  observed?: number,
  ahead?: JudgeAhead,
): Promise<PublishCounts> {
  const counts = { written: 0, unchanged: 0 };
  for (const part of dayParts(day, await partitionFilesOf(store).on(day))) {
    const { written, unchanged } = await judgePart(store, duck, rulebook, part, observed, ahead);
    counts.written += written;
    counts.unchanged += unchanged;
  }
  return counts;
}

/**
 * Publishes `runs` and `enriched_metrics` of one part of a day from the base facts of its applications and the rulebook,
 * unless the stored objects name these inputs already, and then the sums over its metrics. Base objects are downloaded only
 * to write. A part without runs is written as well: a day is complete once it has all its parts.
 * @param observed the newest time of MLflow's responses, ms
 */
export async function judgePart(
  store: ObjectStore,
  duck: Duck,
  rulebook: RulebookSource,
  part: DayPart,
  observed?: number,
  ahead?: JudgeAhead,
): Promise<PublishCounts> {
  const first = ahead?.first ?? (await readFirstDays(store));
  const keys = keysOf(part, first);
  if (keys.length === 0) return { written: 0, unchanged: 0 };
  return duck.session(async (session) => {
    const publication = publicationOf(store, session, rulebook, part, observed);
    const counts = await publishDerived(store, session, keys, publication, ahead);
    // Internal, and not counted: whoever does not find them computes them.
    if (isKept(first, '_sums', part.day)) {
      await publishSums(store, session, part, counts.written === 0 ? ahead : undefined);
    }
    return counts;
  });
}

/** Whether `judgePart` would find the objects of the part up to date, and its sums. Downloads nothing. */
export function compareJudged(
  store: ObjectStore,
  duck: Duck,
  rulebook: RulebookSource,
  part: DayPart,
  ahead: JudgeAhead,
): Promise<Comparison> {
  return duck.session(async (session) => {
    const publication = publicationOf(store, session, rulebook, part, undefined);
    const keys = keysOf(part, ahead.first);
    const judged = keys.length > 0 ? await compareDerived(store, keys, publication, ahead) : 'current';
    if (judged !== 'current' || !isKept(ahead.first, '_sums', part.day)) return judged;
    return (await compareSums(store, session, part, ahead)) === 'outdated' ? 'outdated' : 'current';
  });
}

/** None if the facts of the day are not kept. */
const keysOf = ({ day, part }: DayPart, first: FirstDays): string[] =>
  JUDGED.filter((dataset) => isKept(first, '_base', day) && isKept(first, dataset, day)).map((dataset) =>
    partitionKey(dataset, day, part),
  );

function publicationOf(
  store: ObjectStore,
  session: DuckSession,
  rulebook: RulebookSource,
  part: DayPart,
  observed: number | undefined,
): Publication<JudgeAhead> {
  return {
    recorded: (file) => readFooter(session, file, 'inputs'),
    prepare: (read) => prepare(store, session, rulebook, part, observed, read),
  };
}

async function prepare(
  store: ObjectStore,
  session: DuckSession,
  rulebook: RulebookSource,
  part: DayPart,
  observed: number | undefined,
  ahead: JudgeAhead | undefined,
): Promise<Prepared | undefined> {
  const { day, files } = part;
  const all = await lookAtBases(ahead?.look ?? lookAt(store), day, files);
  if (all.length === 0) return undefined;
  const fetch = ahead?.fetch ?? ((base: ObjectEntry) => fetchExactly(store, base));
  const experiments = ahead?.experiments ?? (await readExperiments(store));
  const known = new Map<string, Promise<PartFacts<ObjectEntry>>>();
  const factsBy = (settings: DomainSettings): Promise<PartFacts<ObjectEntry>> => {
    const tag = settings.application_tag;
    const facts = known.get(tag) ?? readPartFacts(store, session, all, fetch, part, tag, experiments);
    known.set(tag, facts);
    return facts;
  };
  const scopeBy = createScope(async ({ settings }) => (await factsBy(settings)).pairs, experiments);
  const book = await rulebook.rulebookFor(
    async (stored) => queryOf(await scopeBy(await inSlices(rulesOnSteps(stored, day)))),
    observed,
    ahead?.rulebook,
  );
  const rules = await inSlices(rulesOnSteps(book, day));
  const scope = await scopeBy(rules);
  const { content, bases } = await factsBy(rules.settings);
  const versions = versionsInForce(book);
  const inputs = namedInputs(versions, await inSlices(inputsDigest(content, scope, rules.settings)));
  const footer = { inputs, schema: String(versions.schema) };
  /** The local copies of the base objects, once they are judged. */
  let judged: Promise<readonly string[]> | undefined;
  const judgeOnce = async (): Promise<readonly string[]> => {
    const local: string[] = [];
    // The columns come from an object, also if the part has no runs.
    for (const base of bases.length > 0 ? bases : all.slice(0, 1)) local.push(await fetch(base));
    await judge(session, local, scope, rules, part);
    return local;
  };
  return {
    inputs,
    write: async (key, file) => {
      judged ??= judgeOnce();
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
const queryOf = ({ rules }: DayScope): CatalogQuery => ({
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
  const experiments: ScopedExperiment[] = [];
  const rules: DayScope['rules'][number][] = [];
  const excluded = new Set<string>();
  for (const [experiment_id, names] of pairs) {
    yield;
    const experiment = known[experiment_id];
    if (experiment?.lifecycle_stage === 'deleted') continue;
    if (!isExperimentIncluded(experiment?.name ?? experiment_id)) continue;
    experiments.push(scopedExperiment(experiment_id, experiment, settings.application_tag));
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

async function writeRuns(
  session: DuckSession,
  bases: readonly string[],
  file: string,
  footer: Footer,
): Promise<void> {
  const [last] = await session.rows<{ batch: number | null }>('SELECT max(batch) AS batch FROM active');
  const batches = Array.from({ length: (last?.batch ?? 0) + 1 }, (_, batch) => batch);
  const writeBatch = (batch: number, part: string) =>
    session.run(sql(import.meta.url, './sql/copy_runs.sql'), { bases, batch, file: part, ...footer });
  await writeBatches(session, file, batches, writeBatch, (files) =>
    session.run(sql(import.meta.url, './sql/join_runs.sql'), { files, file, ...footer }),
  );
}

/**
 * Makes `active` and `judged` of the runs in base objects whose application is in a part.
 * @param bases local files
 */
export async function judge(
  session: DuckSession,
  bases: readonly string[],
  scope: DayScope,
  { settings }: DayRules,
  { part, files }: Pick<DayPart, 'part' | 'files'>,
): Promise<void> {
  await session.run(sql(import.meta.url, './sql/heavy_bytes.sql'));
  await createPartMacro(session);
  await session.run(sql(import.meta.url, './sql/judge_runs.sql'), {
    bases,
    part,
    files,
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
