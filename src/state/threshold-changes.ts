import { z } from 'zod';
import type { ThresholdRow, Window } from '../domain/model.js';
import { effectiveRow } from '../domain/rule.js';
import { dayStart } from '../domain/time.js';
import { readDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import { latestChangeTime, type Rulebook, type RulebookEntry, readRulebook } from './rulebook.js';

/** The changes of the rulebook in the interval (after, through], ms. */
export const changeSpanSchema = z.object({ after: z.int(), through: z.int() });
export type ChangeSpan = z.infer<typeof changeSpanSchema>;

/** A change of the limits of one name (or pattern) and one experiment (null: the platform). */
export interface ThresholdChange {
  readonly metric_name: string;
  readonly experiment_id: string | null;
  /** null if there was no row. */
  readonly before: ThresholdRow | null;
  /** null if the row was removed. */
  readonly after: ThresholdRow | null;
  /** ms. */
  readonly changed_at: number;
  /** The first day it applies to; null for all days. */
  readonly first_day: string | null;
}

/** The changes in a span, in the order of the rulebook. Rows of the first response are no changes. */
export function thresholdChanges(book: Rulebook, span: ChangeSpan): ThresholdChange[] {
  const latest = new Map<string, RulebookEntry>();
  const changes: ThresholdChange[] = [];
  for (const entry of book.entries) {
    const { metric_name, changed_at, first_day } = entry;
    const previous = latest.get(metric_name);
    latest.set(metric_name, entry);
    if (changed_at === null || changed_at <= span.after || changed_at > span.through) continue;
    const rows = [...(previous?.thresholds ?? []), ...entry.thresholds];
    for (const experiment_id of new Set(rows.map((row) => row.experiment_id))) {
      const [before, after] = [rowOf(previous, experiment_id), rowOf(entry, experiment_id)];
      if (sameLimits(before, after)) continue;
      changes.push({ metric_name, experiment_id, before, after, changed_at, first_day });
    }
  }
  return changes;
}

/** No row is the same as a row without limits. */
const sameLimits = (a: ThresholdRow | null, b: ThresholdRow | null): boolean =>
  (a?.critical_threshold ?? null) === (b?.critical_threshold ?? null) &&
  (a?.warning_threshold ?? null) === (b?.warning_threshold ?? null);

function rowOf(entry: RulebookEntry | undefined, experimentId: string | null): ThresholdRow | null {
  const rows = entry?.thresholds.filter((row) => row.experiment_id === experimentId) ?? [];
  return effectiveRow(rows, entry?.metadata?.higher_is_better ?? null);
}

/** The rulebook as it was before a time, ms; always with the entries of the first response. */
export function rulebookBefore(book: Rulebook, time: number): Rulebook {
  return {
    ...book,
    entries: book.entries.filter(({ changed_at }) => changed_at === null || changed_at < time),
  };
}

/** The start of the first day, ms, that the changes after a time apply to: 0 for all days, `undefined` without changes. */
export function firstChangedDay(book: Rulebook, after: number): number | undefined {
  let first: number | undefined;
  for (const { changed_at, first_day } of book.entries) {
    if (changed_at === null || changed_at <= after) continue;
    first = Math.min(first ?? Number.POSITIVE_INFINITY, first_day === null ? 0 : dayStart(first_day));
  }
  return first;
}

const PUBLISHED_KEY = '_state/threshold-changes.json';
/** All changes up to and including this time, ms, are in the dataset `threshold_changes`. */
const publishedSchema = z.object({ version: z.literal(1), through: z.int() });

/** All changes up to and including this time, ms, are in the dataset; 0 if none is. */
export async function publishedThrough(store: ObjectStore): Promise<number> {
  return (await readDocument(store, PUBLISHED_KEY, publishedSchema))?.value.through ?? 0;
}

/**
 * The changes that are not in the dataset yet; `undefined` if there are none, or if a reevaluation of `window` (null: of
 * all days) does not cover every day they apply to.
 */
export async function unpublishedChanges(
  store: ObjectStore,
  window: Window | null,
): Promise<ChangeSpan | undefined> {
  const book = await readRulebook(store);
  const after = await publishedThrough(store);
  const first = book && firstChangedDay(book, after);
  if (first === undefined || (window && window.from > first)) return undefined;
  return { after, through: latestChangeTime(book) };
}

export async function markChangesPublished(store: ObjectStore, { through }: ChangeSpan): Promise<void> {
  await updateDocument(store, PUBLISHED_KEY, publishedSchema, (current) => ({
    version: 1 as const,
    through: Math.max(through, current?.through ?? 0),
  }));
}
