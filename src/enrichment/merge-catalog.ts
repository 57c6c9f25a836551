import { groupBy } from '../domain/group-by.js';
import type { DomainSettings, MetricMetadata, ThresholdRow } from '../domain/model.js';
import { isPattern } from '../domain/pattern.js';
import { patternsMatchingAny } from '../domain/pattern-index.js';
import type { Steps } from '../domain/steps.js';
import {
  type CatalogQuery,
  type CatalogRows,
  type ChangeTime,
  latestEntries,
  type Rulebook,
  type RulebookEntry,
  sortedByExperiment,
  updateRulebookSteps,
} from '../state/rulebook.js';
import { OWN_VERSIONS, supports, type Versions, versionsInForce } from '../state/versions.js';
import type { CatalogList, CatalogSource, ParsedCatalog } from './parse-catalog.js';

const union = (a: readonly string[], b: readonly string[]): string[] => [...new Set([...a, ...b])].sort();

export const mergeQueries = (a: CatalogQuery, b: CatalogQuery): CatalogQuery => ({
  metrics: union(a.metrics, b.metrics),
  experiments: union(a.experiments, b.experiments),
});

/** Whether the catalog was queried for all that is wanted. */
export function covers(queried: CatalogQuery, wanted: CatalogQuery): boolean {
  const metrics = new Set(queried.metrics);
  const experiments = new Set(queried.experiments);
  return (
    wanted.metrics.length === 0 ||
    (wanted.metrics.every((name) => metrics.has(name)) &&
      wanted.experiments.every((id) => experiments.has(id)))
  );
}

/**
 * The queries after which the catalog was queried for every metric with every experiment.
 * @param repeat whether to repeat earlier queries too
 */
export function queriesFor(queried: CatalogQuery, wanted: CatalogQuery, repeat: boolean): CatalogQuery[] {
  const all = mergeQueries(queried, wanted);
  const without = (list: readonly string[], known: readonly string[]) => {
    const set = new Set(known);
    return list.filter((each) => !set.has(each));
  };
  const added = {
    metrics: without(all.metrics, queried.metrics),
    experiments: without(all.experiments, queried.experiments),
  };
  const queries = repeat
    ? [all]
    : [
        { metrics: added.metrics, experiments: all.experiments },
        ...(added.experiments.length > 0
          ? [{ metrics: queried.metrics, experiments: added.experiments }]
          : []),
      ];
  return queries.filter(({ metrics }) => metrics.length > 0);
}

/** A response of the catalog with its queries. */
export interface CatalogResponse {
  readonly parsed: ParsedCatalog;
  readonly queries: readonly CatalogQuery[];
  /** Whether the queries repeat all earlier ones. */
  readonly repeated: boolean;
  readonly queriedLists: CatalogSource['queriedLists'];
}

/**
 * The rulebook after a response. Only rows that were queried can change. Rows of a metric or an experiment that was never
 * queried before have no history: they apply to all days, as if the first response had had them.
 * A process that does not support the versions of the rulebook changes nothing.
 */
export function* mergeCatalogResponse(
  book: Rulebook | undefined,
  response: CatalogResponse,
  settings: DomainSettings,
  change: ChangeTime,
  supported: Versions = OWN_VERSIONS,
): Steps<Rulebook> {
  if (book && !supports(supported, versionsInForce(book))) return book;
  const rows = yield* completeRows(book, response);
  const { queriedLists, queries } = response;
  const first = book && (yield* addFirstRows(book, rows, queriedLists));
  const next = yield* updateRulebookSteps(first, rows, settings, change, supported);
  const isQueried = queriedLists.metrics || queriedLists.thresholds;
  return { ...next, asked: isQueried ? queries.reduce(mergeQueries, next.asked) : next.asked };
}

type Row = MetricMetadata | ThresholdRow;
const nameOf = (row: Row): string => row.metric_name;
const experimentOf = (row: Row): string | null => ('experiment_id' in row ? row.experiment_id : null);
const keyOf = (name: string | null, experiment: string | null): string => JSON.stringify([name, experiment]);

/**
 * Whether the queries cover the rows of a name and an experiment.
 * @param returned the names in the response
 * @param stored those in the rulebook
 */
function* coverageOf(
  { queries, repeated }: CatalogResponse,
  returned: ReadonlySet<string>,
  stored: readonly string[],
): Steps<(name: string, experiment: string | null) => boolean> {
  const patterns = [...new Set([...returned, ...stored])].filter(isPattern);
  const sets: Record<'names' | 'patterns' | 'experiments', ReadonlySet<string>>[] = [];
  for (const { metrics, experiments } of queries) {
    sets.push({
      names: new Set(metrics),
      patterns: yield* patternsMatchingAny(patterns, metrics),
      experiments: new Set(experiments),
    });
  }
  const setsOf = (name: string) => {
    if (!isPattern(name)) return sets.filter(({ names }) => names.has(name));
    // A catalog returns a pattern with the names that match it, and may do so only for names without a row. So only the
    // response to all names shows that the pattern was removed, and none if no name matches it any more.
    return returned.has(name) || repeated ? sets.filter((set) => set.patterns.has(name)) : [];
  };
  return (name, experiment) =>
    setsOf(name).some(({ experiments }) => experiment === null || experiments.has(experiment));
}

/** All rows of the catalog: queried rows come from the response, all others are the stored ones. A rejected row does not replace the stored one. */
function* completeRows(book: Rulebook | undefined, response: CatalogResponse): Steps<CatalogRows> {
  const { parsed, queriedLists } = response;
  const entries = [...latestEntries(book).values()];
  function* mergeList<R extends Row>(
    list: CatalogList,
    stored: readonly R[],
    returned: readonly R[],
  ): Steps<R[]> {
    const isCovered = queriedLists[list]
      ? yield* coverageOf(response, new Set(returned.map(nameOf)), stored.map(nameOf))
      : () => true;
    const accepted: R[] = [];
    const acceptedKeys = new Set<string>();
    for (const row of returned) {
      yield;
      const experiment = experimentOf(row);
      if (!isCovered(row.metric_name, experiment)) continue;
      accepted.push(row);
      acceptedKeys.add(keyOf(row.metric_name, experiment));
    }
    const rejectedKeys = new Set(
      parsed.rejectedRows
        .filter((row) => row.list === list)
        .map((row) => keyOf(row.metric_name, row.experiment_id)),
    );
    const kept: R[] = [];
    for (const row of stored) {
      yield;
      const key = keyOf(row.metric_name, experimentOf(row));
      if (acceptedKeys.has(key)) continue;
      if (rejectedKeys.has(key) || !isCovered(row.metric_name, experimentOf(row))) kept.push(row);
    }
    return [...kept, ...accepted];
  }
  return {
    metadata: yield* mergeList(
      'metrics',
      entries.flatMap(({ metadata }) => metadata ?? []),
      parsed.metadata,
    ),
    thresholds: yield* mergeList(
      'thresholds',
      entries.flatMap(({ thresholds }) => thresholds),
      parsed.thresholds,
    ),
  };
}

/** Adds rows that were never queried before to every entry of their name. */
function* addFirstRows(
  book: Rulebook,
  rows: CatalogRows,
  queriedLists: CatalogSource['queriedLists'],
): Steps<Rulebook> {
  const { metrics } = book.asked;
  const names = new Set(metrics);
  const experiments = new Set<string | null>([null, ...book.asked.experiments]);
  const known = new Set<string>();
  for (const { metric_name, metadata, thresholds } of book.entries) {
    yield;
    if (metadata) known.add(metric_name);
    for (const row of thresholds) known.add(keyOf(metric_name, row.experiment_id));
  }
  const patterns = new Set<string>();
  for (const list of ['metadata', 'thresholds'] as const) {
    if (!queriedLists[list === 'metadata' ? 'metrics' : 'thresholds']) continue;
    for (const { metric_name } of rows[list]) if (isPattern(metric_name)) patterns.add(metric_name);
  }
  const queriedPatterns = yield* patternsMatchingAny([...patterns], metrics);
  const isNewName = (name: string): boolean => !(isPattern(name) ? queriedPatterns : names).has(name);
  const metadata = new Map<string, MetricMetadata>();
  if (queriedLists.metrics) {
    for (const row of rows.metadata) {
      yield;
      if (isNewName(row.metric_name) && !known.has(row.metric_name)) metadata.set(row.metric_name, row);
    }
  }
  const firstThresholds: ThresholdRow[] = [];
  for (const row of queriedLists.thresholds ? rows.thresholds : []) {
    yield;
    const isNew = isNewName(row.metric_name) || !experiments.has(row.experiment_id);
    if (isNew && !known.has(keyOf(row.metric_name, row.experiment_id))) firstThresholds.push(row);
  }
  const thresholds = groupBy(firstThresholds, (row) => row.metric_name);
  const withEntry = new Set(book.entries.map(({ metric_name }) => metric_name));
  const newEntries = [...new Set([...metadata.keys(), ...thresholds.keys()])]
    .filter((name) => !withEntry.has(name))
    .map((metric_name) => ({
      metric_name,
      first_day: null,
      changed_at: null,
      metadata: null,
      thresholds: [],
    }));
  const entries: RulebookEntry[] = [];
  for (const entry of [...book.entries, ...newEntries]) {
    yield;
    entries.push({
      ...entry,
      metadata: entry.metadata ?? metadata.get(entry.metric_name) ?? null,
      thresholds: sortedByExperiment([...entry.thresholds, ...(thresholds.get(entry.metric_name) ?? [])]),
    });
  }
  return { ...book, entries };
}
