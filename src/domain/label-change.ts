import { compareText } from './text.js';

/** The params and tags of one run. */
export type Labels = Readonly<Record<string, string>>;

export interface LabelChange {
  readonly label: string;
  readonly before: string;
  readonly after: string;
}

/** With fewer runs before the change, a label that differs in every run would look constant. */
const MIN_RUNS_BEFORE = 3;

/** Labels that most likely explain a change in quality, the likeliest first. */
const LIKELY_CAUSES: readonly RegExp[] = [/version/i, /model/i, /data|train/i, /commit|revision|\bsha\b/i];
/** MLflow's own tags describe where a run was started, not what it ran; the git commit is the exception. */
const MLFLOW_TAGS = /^mlflow\.(?!source\.git\.commit$)/;

/**
 * The param or tag that had one value in all runs before and has another value in all runs since. If there are several,
 * the likeliest cause is returned; null if there is none.
 */
export function labelChange(before: readonly Labels[], since: readonly Labels[]): LabelChange | null {
  const [first] = since;
  if (first === undefined || before.length < MIN_RUNS_BEFORE) return null;
  const changes = Object.entries(first).flatMap(([label, after]) => {
    const old = before[0]?.[label];
    const constantBefore = old !== undefined && before.every((labels) => labels[label] === old);
    const changed = old !== after && since.every((labels) => labels[label] === after);
    return constantBefore && changed && !MLFLOW_TAGS.test(label) ? [{ label, before: old, after }] : [];
  });
  changes.sort((a, b) => rankOf(a.label) - rankOf(b.label) || compareText(a.label, b.label));
  return changes[0] ?? null;
}

function rankOf(label: string): number {
  const rank = LIKELY_CAUSES.findIndex((pattern) => pattern.test(label));
  return rank < 0 ? LIKELY_CAUSES.length : rank;
}
