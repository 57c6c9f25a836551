import { groupBy } from '../domain/group-by.js';
import { isPattern } from '../domain/pattern.js';
import { patternsMatchingAny } from '../domain/pattern-index.js';
import { type FirstDays } from '../domain/retention.js';
import type { Steps } from '../domain/steps.js';
import { dayOf } from '../domain/time.js';
import { DERIVED_DATASETS } from '../storage/keys.js';
import { type CatalogQuery, latestChangeTime, type Rulebook, type RulebookEntry } from './rulebook.js';

/** What decides which rules are still needed. */
export interface RuleUse {
  /** The first day that any dataset keeps; `undefined` if one is kept for ever. */
  readonly firstDay: string | undefined;
  /** The metrics and experiments of all stored facts; `undefined` if they are not known. */
  readonly stored: CatalogQuery | undefined;
  /** The lists of the catalog that are queried by name. */
  readonly queriedLists: Readonly<Record<'metrics' | 'thresholds', boolean>>;
  /** Changes up to this time are reported, and no pipeline run still compares the rules before and after them, ms. */
  readonly settledUntil: number;
}

/** Before this day no dataset has anything that is made from rules; `undefined` if one of them is kept for ever. */
export function firstRuledDay(first: FirstDays): string | undefined {
  const days = [...DERIVED_DATASETS, '_base'].map((dataset) => first[dataset] ?? '').sort();
  return days[0] || undefined;
}

/**
 * The rulebook without what no stored day needs: entries that a later one replaces on all stored days, settings of the
 * same kind, and names that were queried for days that are no longer stored. The rules of every stored day stay the same.
 * @returns the same object if everything is needed
 */
export function* pruneRulebookSteps(book: Rulebook, use: RuleUse): Steps<Rulebook> {
  // The newest change stays: the time of the next one must be later.
  const settledUntil = Math.min(use.settledUntil, latestChangeTime(book) - 1);
  const isSettled = ({ changed_at }: RulebookEntry) => changed_at === null || changed_at <= settledUntil;
  const forgotten = yield* namesToForget(book, use, isSettled);
  const kept = new Map<RulebookEntry, RulebookEntry>();
  for (const [name, entries] of groupBy(book.entries, ({ metric_name }) => metric_name)) {
    yield;
    if (forgotten.has(name)) continue;
    for (const [entry, now] of keptEntries(entries, isSettled, use.firstDay)) kept.set(entry, now);
  }
  const settings = keptSettings(book.settings, use.firstDay);
  const names = new Set([...kept.keys()].map(({ metric_name }) => metric_name));
  const { stored } = use;
  const [metrics, experiments] = [new Set(stored?.metrics), new Set(stored?.experiments)];
  const asked = stored
    ? {
        metrics: book.asked.metrics.filter((name) => metrics.has(name) || names.has(name)),
        experiments: book.asked.experiments.filter((id) => experiments.has(id)),
      }
    : book.asked;
  const isUnchanged =
    kept.size === book.entries.length &&
    settings.length === book.settings.length &&
    asked.metrics.length === book.asked.metrics.length &&
    asked.experiments.length === book.asked.experiments.length;
  if (isUnchanged) return book;
  const entries = book.entries.flatMap((entry) => kept.get(entry) ?? []);
  return { ...book, asked, entries, settings };
}

/**
 * Of the entries of a name, those that are needed, and what they are from now on. An entry is not needed once a later one
 * applies to the same days, or was made before the first stored day: the runs of all stored days began after it.
 */
function keptEntries(
  entries: readonly RulebookEntry[],
  isSettled: (entry: RulebookEntry) => boolean,
  firstDay: string | undefined,
): (readonly [entry: RulebookEntry, now: RulebookEntry])[] {
  const kept: RulebookEntry[] = [];
  /** The first day to which a later entry applies; '' for all stored days. */
  let replacedFrom: string | undefined;
  for (const entry of [...entries].reverse()) {
    const from = entry.first_day ?? '';
    if (replacedFrom === undefined || replacedFrom > from) kept.unshift(entry);
    if (!isSettled(entry)) continue;
    const isOld = entry.changed_at !== null && firstDay !== undefined && dayOf(entry.changed_at) < firstDay;
    if (isOld) replacedFrom = '';
    else if (replacedFrom === undefined || from < replacedFrom) replacedFrom = from;
  }
  const [oldest, ...others] = kept;
  if (!oldest || oldest === entries[0]) return kept.map((entry) => [entry, entry]);
  const isEmpty = oldest.metadata === null && oldest.thresholds.length === 0;
  // What was before it is forgotten: it is as if the first response of the catalog had had it.
  const first = { ...oldest, first_day: null, changed_at: null };
  const rest = others.map((entry) => [entry, entry] as const);
  return isEmpty && others.length === 0 ? [] : [[oldest, first], ...rest];
}

/** Those that apply to a stored day. */
function keptSettings(settings: Rulebook['settings'], firstDay = ''): Rulebook['settings'] {
  const kept: Rulebook['settings'] = [];
  let replacedFrom: string | undefined;
  for (const entry of [...settings].reverse()) {
    const from = entry.first_day ?? '';
    const stored = from > firstDay ? from : firstDay;
    if (replacedFrom !== undefined && replacedFrom <= stored) continue;
    kept.unshift(entry);
    replacedFrom = from;
  }
  if (kept.length === settings.length) return settings;
  return kept.map((entry, i) => (i === 0 ? { ...entry, first_day: null } : entry));
}

/**
 * Names with entries that are as good as never queried: no stored day has them, or a name that they match. Rows that come
 * from a file stay: the next read of the file would add them again.
 */
function* namesToForget(
  { entries, asked }: Rulebook,
  { stored, queriedLists }: RuleUse,
  isSettled: (entry: RulebookEntry) => boolean,
): Steps<ReadonlySet<string>> {
  if (!stored || asked.metrics.length === 0) return new Set();
  const unused = new Set(entries.map(({ metric_name }) => metric_name));
  for (const name of stored.metrics) unused.delete(name);
  for (const pattern of yield* patternsMatchingAny([...unused].filter(isPattern), stored.metrics)) {
    unused.delete(pattern);
  }
  for (const entry of entries) {
    yield;
    const isQueried =
      (entry.metadata === null || queriedLists.metrics) &&
      (entry.thresholds.length === 0 || queriedLists.thresholds);
    if (!isQueried || !isSettled(entry)) unused.delete(entry.metric_name);
  }
  return unused;
}
