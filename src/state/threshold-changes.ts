import { z } from 'zod';
import type { ThresholdRow, Window } from '../domain/model.js';
import { effectiveRow } from '../domain/rule.js';
import { dayStart } from '../domain/time.js';
import { readDocument, updateDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';
import { latestChangeTime, type Rulebook, type RulebookEntry, readRulebook } from './rulebook.js';

/** Changes of the rulebook in (after, through], ms. */
export const changeSpanSchema = z.object({ after: z.int(), through: z.int() });
export type ChangeSpan = z.infer<typeof changeSpanSchema>;

/** The limits of one name (or pattern) and one experiment (null: the platform) became others. */
export interface ThresholdChange {
  readonly metric_name: string;
  readonly experiment_id: string | null;
  /** null: there was no row, or there is none any more. */
  readonly before: ThresholdRow | null;
  readonly after: ThresholdRow | null;
  /** ms. */
  readonly changed_at: number;
  /** The first day to which it applies; null: all. */
  readonly first_day: string | null;
}

/** The changes that the book tells of in a span of time, in its order. What was heard first is none. */
export function thresholdChanges(book: Rulebook, { after, through }: ChangeSpan): ThresholdChange[] {
  const last = new Map<string, RulebookEntry>();
  const changes: ThresholdChange[] = [];
  for (const entry of book.entries) {
    const { metric_name, changed_at, first_day } = entry;
    const known = last.get(metric_name);
    last.set(metric_name, entry);
    if (changed_at === null || changed_at <= after || changed_at > through) continue;
    const rows = [...(known?.thresholds ?? []), ...entry.thresholds];
    for (const experiment_id of new Set(rows.map((row) => row.experiment_id))) {
      const [before, now] = [limitsOf(known, experiment_id), limitsOf(entry, experiment_id)];
      if (sameLimits(before, now)) continue;
      changes.push({ metric_name, experiment_id, before, after: now, changed_at, first_day });
    }
  }
  return changes;
}

/** No row limits as much as one without limits. */
const sameLimits = (a: ThresholdRow | null, b: ThresholdRow | null): boolean =>
  (a?.critical_threshold ?? null) === (b?.critical_threshold ?? null) &&
  (a?.warning_threshold ?? null) === (b?.warning_threshold ?? null);

function limitsOf(entry: RulebookEntry | undefined, experimentId: string | null): ThresholdRow | null {
  const rows = entry?.thresholds.filter((row) => row.experiment_id === experimentId) ?? [];
  return effectiveRow(rows, entry?.metadata?.higher_is_better ?? null);
}

/** The book as it was before a time, ms; what was heard first is in it. */
export function rulebookBefore(book: Rulebook, time: number): Rulebook {
  return {
    ...book,
    entries: book.entries.filter(({ changed_at }) => changed_at === null || changed_at < time),
  };
}

/** The start of the first day, ms, to which what changed after a time applies: 0 for all days; undefined: nothing changed. */
export function firstChangedDay(book: Rulebook, after: number): number | undefined {
  let first: number | undefined;
  for (const { changed_at, first_day } of book.entries) {
    if (changed_at === null || changed_at <= after) continue;
    first = Math.min(first ?? Number.POSITIVE_INFINITY, first_day === null ? 0 : dayStart(first_day));
  }
  return first;
}

const REPORTED_KEY = '_state/threshold-changes.json';
/** All changes up to this time, ms, are in the dataset `threshold_changes`. */
const reportedSchema = z.object({ version: z.literal(1), through: z.int() });

/**
 * The changes that are not in the dataset yet, if a reevaluation of this window (null: of all days) judges every day to
 * which they apply.
 */
export async function unpublishedChanges(
  store: ObjectStore,
  window: Window | null,
): Promise<ChangeSpan | undefined> {
  const book = await readRulebook(store);
  const after = (await readDocument(store, REPORTED_KEY, reportedSchema))?.value.through ?? 0;
  const first = book && firstChangedDay(book, after);
  if (first === undefined || (window && window.from > first)) return undefined;
  return { after, through: latestChangeTime(book) };
}

export async function markChangesPublished(store: ObjectStore, { through }: ChangeSpan): Promise<void> {
  await updateDocument(store, REPORTED_KEY, reportedSchema, (current) => ({
    version: 1 as const,
    through: Math.max(through, current?.through ?? 0),
  }));
}
