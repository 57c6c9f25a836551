import type { LimitChange } from '../../../src/dashboard/contract/limits.js';
import { formatWithUnit } from '../../../src/domain/format.js';
import { plural } from '../words/words.js';

/** A change of limits with the letter that marks it in the pictures. */
export interface LimitNote {
  readonly letter: string;
  readonly change: LimitChange;
  /** The display names of the metrics that it applies to. */
  readonly metrics: readonly string[];
  readonly unit: string | null;
}

interface Metric {
  readonly display_name: string;
  readonly unit: string | null;
  readonly limit_changes: readonly LimitChange[];
}

const keyOf = ({ at, metric_name, experiment_id }: LimitChange): string =>
  JSON.stringify([at, metric_name, experiment_id]);

/** All changes by time, lettered. A change of a pattern applies to several metrics and is one note. */
export function limitNotes(metrics: readonly Metric[]): LimitNote[] {
  const notes = new Map<string, { change: LimitChange; metrics: string[]; unit: string | null }>();
  for (const { display_name, unit, limit_changes } of metrics) {
    for (const change of limit_changes) {
      const note = notes.get(keyOf(change)) ?? { change, metrics: [], unit };
      note.metrics.push(display_name);
      notes.set(keyOf(change), note);
    }
  }
  return [...notes.values()]
    .sort((a, b) => Date.parse(a.change.at) - Date.parse(b.change.at))
    .map((note, i) => ({ ...note, letter: letterOf(i) }));
}

/** a to z, then a1, b1, … */
const letterOf = (index: number): string =>
  `${String.fromCharCode(97 + (index % 26))}${index < 26 ? '' : Math.floor(index / 26)}`;

export const letterOfChange = (notes: readonly LimitNote[], change: LimitChange): string =>
  notes.find((note) => keyOf(note.change) === keyOf(change))?.letter ?? '';

/** `critical limit from 0.82 to 0.84, warning limit from 0.86 to 0.87, by ops; 14 runs have another status` */
export function changeText(change: LimitChange, unit: string | null): string {
  const parts = [
    part('critical', change.old_critical_threshold, change.new_critical_threshold, unit),
    part('warning', change.old_warning_threshold, change.new_warning_threshold, unit),
  ].filter((text) => text !== null);
  const limits = parts.length === 0 ? 'the limits were set again' : parts.join(', ');
  const by = change.updated_by === null ? '' : `, by ${change.updated_by}`;
  const { runs_changed } = change;
  const effect = runs_changed === 0 ? '' : `; ${plural(runs_changed, 'run has', 'runs have')} another status`;
  return `${limits}${by}${effect}`;
}

function part(name: string, before: number | null, after: number | null, unit: string | null): string | null {
  if (before === after) return null;
  if (before === null) return `${name} limit set to ${formatWithUnit(after ?? 0, unit)}`;
  if (after === null) return `${name} limit of ${formatWithUnit(before, unit)} removed`;
  return `${name} limit from ${formatWithUnit(before, unit)} to ${formatWithUnit(after, unit)}`;
}
