import type { MetricMetadata, Rule, ThresholdRow } from './model.js';
import { isPattern } from './pattern.js';
import { firstMatch, indexPatterns, type PatternIndex } from './pattern-index.js';
import { finish, type Steps } from './steps.js';
import { codePointCount, compareText, nonBlank } from './text.js';
import { compareInstants, instantOf } from './time.js';

/** Rows by metric name or pattern; the rows of one name keep the order of the response. */
interface NameIndex<Row> {
  readonly exact: ReadonlyMap<string, readonly Row[]>;
  /** Sorted by descending length, then alphabetically. */
  readonly patterns: PatternIndex;
}

/** Threshold rows by experiment id; null is the key of platform-wide rows. */
type ThresholdIndex = ReadonlyMap<string | null, NameIndex<ThresholdRow>>;

function addTo<Key, Row>(groups: Map<Key, Row[]>, key: Key, row: Row): void {
  const group = groups.get(key);
  if (group) group.push(row);
  else groups.set(key, [row]);
}

/** Rows without a name are ignored. */
function* indexByName<Row extends { readonly metric_name: string }>(
  rows: readonly Row[],
): Steps<NameIndex<Row>> {
  const exact = new Map<string, Row[]>();
  for (const row of rows) {
    yield;
    if (nonBlank(row.metric_name)) addTo(exact, row.metric_name, row);
  }
  const byLength = new Map<number, string[]>();
  for (const name of exact.keys()) {
    yield;
    if (isPattern(name)) addTo(byLength, codePointCount(name), name);
  }
  const patterns: string[] = [];
  for (const [, names] of [...byLength].sort(([a], [b]) => b - a)) {
    yield;
    for (const name of names.sort(compareText)) patterns.push(name);
  }
  return { exact, patterns: yield* indexPatterns(patterns) };
}

/** Rows are never modified: many days share them, and then their index. */
const metadataIndexes = new WeakMap<readonly MetricMetadata[], NameIndex<MetricMetadata>>();
const thresholdIndexes = new WeakMap<readonly ThresholdRow[], ThresholdIndex>();

function* cachedIndex<Row, Index>(
  cache: WeakMap<readonly Row[], Index>,
  rows: readonly Row[],
  create: (rows: readonly Row[]) => Steps<Index>,
): Steps<Index> {
  const index = cache.get(rows) ?? (yield* create(rows));
  cache.set(rows, index);
  return index;
}

export const thresholdIndexSteps = (rows: readonly ThresholdRow[]): Steps<ThresholdIndex> =>
  cachedIndex(thresholdIndexes, rows, createThresholdIndex);

function* createThresholdIndex(rows: readonly ThresholdRow[]): Steps<ThresholdIndex> {
  const groups = new Map<string | null, ThresholdRow[]>();
  for (const row of rows) {
    yield;
    addTo(groups, nonBlank(row.experiment_id), row);
  }
  const index = new Map<string | null, NameIndex<ThresholdRow>>();
  for (const [experiment, group] of groups) index.set(experiment, yield* indexByName(group));
  return index;
}

export const indexByExperiment = (rows: readonly ThresholdRow[]): ThresholdIndex =>
  finish(thresholdIndexSteps(rows));

/** The rows of the most specific name that matches: the exact name, else the longest pattern; empty if none matches. */
function rowsFor<Row>(index: NameIndex<Row> | undefined, name: string): readonly Row[] {
  const exact = index?.exact.get(name);
  if (exact || !index) return exact ?? [];
  const match = firstMatch(index.patterns, name);
  return (match !== undefined && index.exact.get(index.patterns.patterns[match] ?? '')) || [];
}

/** The metadata that applies to a metric: of several rows with the same name the last one in the response. */
function chooseMetadata(metricName: string, index: NameIndex<MetricMetadata>): MetricMetadata | null {
  return rowsFor(index, metricName).at(-1) ?? null;
}

/**
 * The threshold row that applies to a metric of an experiment; null if there is none. Rows of the experiment take
 * precedence over platform-wide rows.
 * @param higherIsBetter the direction from the metadata; it decides which of two rows is stricter
 */
export function chooseThreshold(
  metricName: string,
  experimentId: string,
  higherIsBetter: boolean | null,
  thresholds: ThresholdIndex,
): ThresholdRow | null {
  const experimentRows = rowsFor(thresholds.get(experimentId), metricName);
  const rows = experimentRows.length > 0 ? experimentRows : rowsFor(thresholds.get(null), metricName);
  return effectiveRow(rows, higherIsBetter);
}

/**
 * The row that applies out of the rows of one name and one experiment: the newest, then the stricter critical limit, then
 * the stricter warning limit, then the last in the response; null if there are no rows.
 */
export function effectiveRow(
  rows: readonly ThresholdRow[],
  higherIsBetter: boolean | null,
): ThresholdRow | null {
  let chosen: ThresholdRow | null = null;
  for (const row of rows) {
    if (chosen === null || precedence(row, chosen, higherIsBetter) >= 0) chosen = row;
  }
  return chosen;
}

/** Positive if row `a` takes precedence over `b`, negative if `b` does, 0 if the order of the response decides. */
function precedence(a: ThresholdRow, b: ThresholdRow, higherIsBetter: boolean | null): number {
  return (
    compareTimes(a.updated_at, b.updated_at) ||
    compareStrictness(a.critical_threshold, b.critical_threshold, higherIsBetter) ||
    compareStrictness(a.warning_threshold, b.warning_threshold, higherIsBetter)
  );
}

function compareTimes(a: string | null, b: string | null): number {
  const [first, second] = [a === null ? null : instantOf(a), b === null ? null : instantOf(b)];
  if (first === null || second === null) return Number(first !== null) - Number(second !== null);
  return compareInstants(first, second);
}

function compareStrictness(a: number | null, b: number | null, higherIsBetter: boolean | null): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  return higherIsBetter === false ? b - a : a - b;
}

/** Whether higher is better: from the metadata, else from the order of two different limits, else unknown (null). */
function directionOf(
  metadata: Pick<MetricMetadata, 'higher_is_better'> | null,
  threshold: Pick<ThresholdRow, 'critical_threshold' | 'warning_threshold'> | null,
): boolean | null {
  if (metadata !== null && metadata.higher_is_better !== null) return metadata.higher_is_better;
  const critical = threshold?.critical_threshold ?? null;
  const warning = threshold?.warning_threshold ?? null;
  return critical === null || warning === null || critical === warning ? null : critical < warning;
}

function ruleOf(metricName: string, metadata: MetricMetadata | null, threshold: ThresholdRow | null): Rule {
  return {
    display_name: nonBlank(metadata?.display_name ?? null) ?? metricName,
    description: nonBlank(metadata?.description ?? null),
    unit: nonBlank(metadata?.unit ?? null),
    category: nonBlank(metadata?.category ?? null),
    higher_is_better: directionOf(metadata, threshold),
    critical_threshold: threshold?.critical_threshold ?? null,
    warning_threshold: threshold?.warning_threshold ?? null,
    threshold_source: threshold && (nonBlank(threshold.experiment_id) ? 'experiment' : 'platform'),
    threshold_updated_at: nonBlank(threshold?.updated_at ?? null),
    threshold_updated_by: nonBlank(threshold?.updated_by ?? null),
    ...(typeof metadata?.min === 'number' ? { min_value: metadata.min } : {}),
    ...(typeof metadata?.max === 'number' ? { max_value: metadata.max } : {}),
  };
}

export type RuleResolver = (metricName: string, experimentId: string) => Rule;

/** Resolves rules from one catalog. Caches what does not depend on the experiment per metric name. */
export const createRuleResolver = (
  metadata: readonly MetricMetadata[],
  thresholds: readonly ThresholdRow[],
): RuleResolver => finish(ruleResolverSteps(metadata, thresholds));

export function* ruleResolverSteps(
  metadata: readonly MetricMetadata[],
  thresholds: readonly ThresholdRow[],
): Steps<RuleResolver> {
  const metadataIndex = yield* cachedIndex(metadataIndexes, metadata, indexByName);
  const thresholdIndex = yield* thresholdIndexSteps(thresholds);
  const metadataCache = new Map<string, MetricMetadata | null>();
  const platformRules = new Map<string, Rule>();

  const metadataOf = (metricName: string): MetricMetadata | null => {
    let found = metadataCache.get(metricName);
    if (found === undefined) {
      found = chooseMetadata(metricName, metadataIndex);
      metadataCache.set(metricName, found);
    }
    return found;
  };
  const resolve = (metricName: string, experimentId: string): Rule => {
    const found = metadataOf(metricName);
    return ruleOf(
      metricName,
      found,
      chooseThreshold(metricName, experimentId, found?.higher_is_better ?? null, thresholdIndex),
    );
  };
  return (metricName, experimentId) => {
    if (thresholdIndex.has(experimentId)) return resolve(metricName, experimentId);
    let rule = platformRules.get(metricName);
    if (rule === undefined) {
      rule = resolve(metricName, experimentId);
      platformRules.set(metricName, rule);
    }
    return rule;
  };
}

/** The rule for one metric of one experiment. For many lookups in one catalog use `createRuleResolver`. */
export function resolveRule(
  metricName: string,
  experimentId: string,
  metadata: readonly MetricMetadata[],
  thresholds: readonly ThresholdRow[],
): Rule {
  return createRuleResolver(metadata, thresholds)(metricName, experimentId);
}
