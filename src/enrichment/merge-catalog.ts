import { groupBy } from '../domain/group-by.js';
import type { DomainSettings, MetricMetadata, ThresholdRow } from '../domain/model.js';
import { isPattern, matches } from '../domain/pattern.js';
import {
  type CatalogQuery,
  type CatalogRows,
  type ChangeTime,
  hasNewerRules,
  latestEntries,
  type Rulebook,
  type RulebookEntry,
  sortedByExperiment,
  updateRulebook,
} from '../state/rulebook.js';
import type { CatalogList, CatalogSource, ParsedCatalog } from './parse-catalog.js';

type Asks = CatalogSource['queriedLists'];

const union = (a: readonly string[], b: readonly string[]): string[] => [...new Set([...a, ...b])].sort();

export const mergeQueries = (a: CatalogQuery, b: CatalogQuery): CatalogQuery => ({
  metrics: union(a.metrics, b.metrics),
  experiments: union(a.experiments, b.experiments),
});

/** Whether all that is wanted was asked and answered. */
export function covers(asked: CatalogQuery, wanted: CatalogQuery): boolean {
  const metrics = new Set(asked.metrics);
  const experiments = new Set(asked.experiments);
  return (
    wanted.metrics.length === 0 ||
    (wanted.metrics.every((name) => metrics.has(name)) &&
      wanted.experiments.every((id) => experiments.has(id)))
  );
}

/**
 * What to ask, so that afterwards every metric was asked with every experiment.
 * @param again also asks once more what was answered before
 */
export function queriesFor(asked: CatalogQuery, wanted: CatalogQuery, again: boolean): CatalogQuery[] {
  const all = mergeQueries(asked, wanted);
  const without = (list: readonly string[], known: readonly string[]) => {
    const set = new Set(known);
    return list.filter((each) => !set.has(each));
  };
  const added = {
    metrics: without(all.metrics, asked.metrics),
    experiments: without(all.experiments, asked.experiments),
  };
  const questions = again
    ? [all]
    : [
        { metrics: added.metrics, experiments: all.experiments },
        ...(added.experiments.length > 0 ? [{ metrics: asked.metrics, experiments: added.experiments }] : []),
      ];
  return questions.filter(({ metrics }) => metrics.length > 0);
}

/** An answer with the questions that it answers. */
export interface CatalogResponse {
  readonly parsed: ParsedCatalog;
  readonly queries: readonly CatalogQuery[];
  /** Everything that was ever asked was asked again. */
  readonly again: boolean;
  readonly asks: Asks;
}

/**
 * The book after the answers to some questions. Only what was asked may change. Rows of a metric or an experiment that
 * was never asked before have no history: they apply to all days, as if they had been heard at the very first.
 * A process that knows older rules than the book's changes nothing.
 */
export function mergeCatalogResponse(
  book: Rulebook | undefined,
  answered: CatalogResponse,
  settings: DomainSettings,
  change: ChangeTime,
): Rulebook {
  const { asks, queries: questions } = answered;
  if (book && hasNewerRules(book, settings)) return book;
  const answer = completeAnswer(book, answered);
  const next = updateRulebook(book && learn(book, answer, asks), answer, settings, change);
  const asked = asks.metrics || asks.thresholds ? questions.reduce(mergeQueries, next.asked) : next.asked;
  return { ...next, asked };
}

/** Whether the questions cover the rows of a name and an experiment. A pattern is answered with the names that it matches. */
function isAsked(
  { queries: questions, again }: CatalogResponse,
  heard: ReadonlySet<string>,
): (name: string, experiment: string | null) => boolean {
  const sets = questions.map(({ metrics, experiments }) => ({
    metrics,
    names: new Set(metrics),
    experiments: new Set(experiments),
  }));
  const ofPattern = new Map<string, readonly (typeof sets)[number][]>();
  const setsOf = (name: string) => {
    if (!isPattern(name)) return sets.filter(({ names }) => names.has(name));
    let found = ofPattern.get(name);
    if (!found) {
      // A catalog may name a pattern only for names without rows of their own: only the answer to all of them shows that it left.
      const unheard = again ? sets : [];
      found = heard.has(name)
        ? sets.filter(({ metrics }) => metrics.some((asked) => matches(name, asked)))
        : unheard;
      ofPattern.set(name, found);
    }
    return found;
  };
  return (name, experiment) =>
    setsOf(name).some(({ experiments }) => experiment === null || experiments.has(experiment));
}

type Row = MetricMetadata | ThresholdRow;
const experimentOf = (row: Row): string | null => ('experiment_id' in row ? row.experiment_id : null);
const keyOf = (name: string | null, experiment: string | null): string => JSON.stringify([name, experiment]);

/** What the catalog says of all names: of those asked what it answers, of the others what is known. A refused item leaves the row that is known. */
function completeAnswer(book: Rulebook | undefined, answered: CatalogResponse): CatalogRows {
  const { parsed, asks } = answered;
  const known = [...latestEntries(book).values()];
  const half = <R extends Row>(
    stored: readonly R[],
    heard: readonly R[],
    list: CatalogList,
    asking: boolean,
  ): R[] => {
    const asked = asking ? isAsked(answered, new Set(heard.map((row) => row.metric_name))) : () => true;
    const fresh = heard.filter((row) => asked(row.metric_name, experimentOf(row)));
    const keys = new Set(fresh.map((row) => keyOf(row.metric_name, experimentOf(row))));
    const refused = new Set(
      parsed.rejectedRows
        .filter((item) => item.list === list)
        .map((item) => keyOf(item.metric_name, item.experiment_id)),
    );
    const kept = stored.filter((row) => {
      const key = keyOf(row.metric_name, experimentOf(row));
      return !keys.has(key) && (refused.has(key) || !asked(row.metric_name, experimentOf(row)));
    });
    return [...kept, ...fresh];
  };
  return {
    metadata: half(
      known.flatMap(({ metadata }) => metadata ?? []),
      parsed.metadata,
      'metrics',
      asks.metrics,
    ),
    thresholds: half(
      known.flatMap(({ thresholds }) => thresholds),
      parsed.thresholds,
      'thresholds',
      asks.thresholds,
    ),
  };
}

/** Writes what is heard for the first time into all that is known of its name. */
function learn(book: Rulebook, answer: CatalogRows, asks: Asks): Rulebook {
  const { metrics } = book.asked;
  const names = new Set(metrics);
  const experiments = new Set<string | null>([null, ...book.asked.experiments]);
  const known = new Set(
    book.entries.flatMap(({ metric_name, metadata, thresholds }) => [
      ...(metadata ? [metric_name] : []),
      ...thresholds.map((row) => keyOf(metric_name, row.experiment_id)),
    ]),
  );
  const neverAsked = (name: string): boolean =>
    isPattern(name) ? !metrics.some((asked) => matches(name, asked)) : !names.has(name);
  const metadata = new Map<string, MetricMetadata>();
  if (asks.metrics) {
    for (const row of answer.metadata) {
      if (neverAsked(row.metric_name) && !known.has(row.metric_name)) metadata.set(row.metric_name, row);
    }
  }
  const heard = (asks.thresholds ? answer.thresholds : []).filter(
    (row) =>
      (neverAsked(row.metric_name) || !experiments.has(row.experiment_id)) &&
      !known.has(keyOf(row.metric_name, row.experiment_id)),
  );
  const thresholds = groupBy(heard, (row) => row.metric_name);
  const withEntry = new Set(book.entries.map(({ metric_name }) => metric_name));
  const first = [...new Set([...metadata.keys(), ...thresholds.keys()])]
    .filter((name) => !withEntry.has(name))
    .map((metric_name) => ({
      metric_name,
      first_day: null,
      changed_at: null,
      metadata: null,
      thresholds: [],
    }));
  return {
    ...book,
    entries: [...book.entries, ...first].map((entry: RulebookEntry) => ({
      ...entry,
      metadata: entry.metadata ?? metadata.get(entry.metric_name) ?? null,
      thresholds: sortedByExperiment([...entry.thresholds, ...(thresholds.get(entry.metric_name) ?? [])]),
    })),
  };
}
