import { inSlices } from '../config/event-loop.js';
import { jsonArraySteps } from '../domain/json-steps.js';
import type { DomainSettings } from '../domain/model.js';
import { likePattern } from '../domain/pattern.js';
import { type FirstDays, isKept } from '../domain/retention.js';
import type { Unit } from '../pipeline/units.js';
import { readExperiments, type StoredExperiment } from '../state/experiments.js';
import { partitionFilesOf } from '../state/partition-files.js';
import { readFirstDays } from '../state/retention.js';
import { type CatalogQuery, type DayRules, type Rulebook, rulesOnSteps } from '../state/rulebook.js';
import {
  choosesNested,
  hasForecasts,
  namedInputs,
  settingsOfInputs,
  type Versions,
  versionsInForce,
} from '../state/versions.js';
import { type Duck, type DuckSession, sql } from '../storage/duck.js';
import { readFooter } from '../storage/footer.js';
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
import { lookAtBases, type PartFacts, readPartFacts } from './base-facts.js';
import { createScope, type DayScope, inputsDigest, queryOf } from './day-scope.js';
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

/** Judges the parts of a unit. */
export async function judgeDay(
  store: ObjectStore,
  duck: Duck,
  rulebook: RulebookSource,
  unit: Unit,
  observed?: number,
  ahead?: JudgeAhead,
): Promise<PublishCounts> {
  const counts = { written: 0, unchanged: 0 };
  for (const part of dayParts(unit.day, await partitionFilesOf(store).on(unit.day))) {
    if (unit.part !== undefined && unit.part !== part.part) continue;
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
    if (judged !== 'current' || ahead.forced || !isKept(ahead.first, '_sums', part.day)) return judged;
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
  const settings = settingsOfInputs(versions, rules.settings);
  const inputs = namedInputs(versions, await inSlices(inputsDigest(content, scope, settings)));
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
      if (key.startsWith('runs/')) await writeRuns(session, local, file, footer, copyRuns(versions));
      else await session.run(copyEnriched(versions), { file, ...footer });
    },
  };
}

const copyRuns = (versions: Versions): string =>
  choosesNested(versions)
    ? sql(import.meta.url, './sql/copy_runs.sql')
    : sql(import.meta.url, './sql/copy_runs_2.sql');

const copyEnriched = (versions: Versions): string =>
  hasForecasts(versions)
    ? sql(import.meta.url, './sql/copy_enriched_metrics.sql')
    : sql(import.meta.url, './sql/copy_enriched_metrics_1.sql');

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
  copy: string,
): Promise<void> {
  const [last] = await session.rows<{ batch: number | null }>('SELECT max(batch) AS batch FROM active');
  const batches = Array.from({ length: (last?.batch ?? 0) + 1 }, (_, batch) => batch);
  const writeBatch = (batch: number, part: string) =>
    session.run(copy, { bases, batch, file: part, ...footer });
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
  await session.define(sql(import.meta.url, './sql/heavy_bytes.sql'));
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
    read_nested: settings.count_nested_of !== null,
    counted_applications: (settings.count_nested_of ?? []).map(likePattern),
    judge_running: settings.judge_running,
  });
  const rules: string[] = [];
  await inSlices(jsonArraySteps(scope.rules, (piece) => rules.push(piece)));
  await session.run(sql(import.meta.url, './sql/judge_metrics.sql'), { rules: rules.join('') });
}
