import { compareText } from './text.js';

/** The params and tags of one run. */
export type Labels = Readonly<Record<string, string>>;

export interface LabelChange {
  readonly label: string;
  readonly before: string;
  readonly after: string;
}

/** So many runs before must agree, else the label changes with every run anyway. */
const FEWEST_BEFORE = 3;

/** What most likely explains a change of quality, first; MLflow's own tags say where a run was started, not what it ran. */
const KINDS: readonly RegExp[] = [/version/i, /model/i, /data|train/i, /commit|revision|\bsha\b/i];
const OWN_TAGS = /^mlflow\.(?!source\.git\.commit$)/;

/**
 * The param or tag that had one value in the runs before, and has another one in all runs since; the likeliest of several.
 * null: none has.
 */
export function labelChange(before: readonly Labels[], since: readonly Labels[]): LabelChange | null {
  const [first] = since;
  if (first === undefined || before.length < FEWEST_BEFORE) return null;
  const changes = Object.entries(first).flatMap(([label, after]) => {
    const was = before[0]?.[label];
    const steady = was !== undefined && before.every((labels) => labels[label] === was);
    const changed = was !== after && since.every((labels) => labels[label] === after);
    return steady && changed && !OWN_TAGS.test(label) ? [{ label, before: was, after }] : [];
  });
  changes.sort((a, b) => kindOf(a.label) - kindOf(b.label) || compareText(a.label, b.label));
  return changes[0] ?? null;
}

function kindOf(label: string): number {
  const kind = KINDS.findIndex((pattern) => pattern.test(label));
  return kind < 0 ? KINDS.length : kind;
}
