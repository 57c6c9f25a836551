import { formatDate, formatPeriod, formatQuantity, formatWithUnit } from './format.js';
import type { LabelChange } from './label-change.js';
import { MovingStatistics } from './moving-statistics.js';
import type { InvalidKind } from './status.js';
import { MS_PER_DAY } from './time.js';

/** A limit that was changed by people. */
export interface LimitChange {
  /** null: there was no limit. */
  readonly before: number | null;
  /** The same as before, or null: something else of the row was changed, such as its direction. */
  readonly after: number | null;
  readonly higher_is_better: boolean | null;
  /** ms; null: nobody noted it. */
  readonly at: number | null;
  readonly by: string | null;
  /** Whether the last run that is not healthy were, by the limits before. */
  readonly sufficient: boolean;
}

/** A run that was first seen long after its end, ms. */
export interface Lateness {
  readonly ended_at: number;
  readonly seen_at: number;
  /** Whether no other run of the metric has been as bad since. */
  readonly only: boolean;
}

/** What is known of a metric that is not healthy, from its runs and the rules. */
export interface Evidence {
  readonly unit: string | null;
  /** Value of the last run that was not healthy; null: it was invalid. */
  readonly value: number | null;
  readonly invalid_kind: InvalidKind | null;
  readonly limit: number | null;
  readonly higher_is_better: boolean | null;
  /** Valid values of the healthy runs before the first one that was not, oldest first, times in ms. */
  readonly before: readonly { readonly time: number; readonly value: number }[];
  /** A param or tag that changed with the first run that was not healthy. */
  readonly label: LabelChange | null;
  /** A change of the limit without which the first such run had been better. */
  readonly limit_change: LimitChange | null;
  readonly late: Lateness | null;
  /** Healthy runs since the last one that was not. */
  readonly healthy_again: number;
}

/** Why a metric is not healthy, in plain words, as far as the data tells; null: it tells nothing. */
export function why(evidence: Evidence): string | null {
  const { limit_change, late, unit, healthy_again } = evidence;
  const sentences = [
    limit_change && limitChanged(limit_change, unit),
    late && seenLate(late),
    limit_change?.sufficient ? null : valueChanged(evidence),
    again(healthy_again),
  ].filter((text) => text !== null);
  return sentences.length === 0 ? null : sentences.join(' ');
}

function valueChanged(evidence: Evidence): string | null {
  const { label, invalid_kind } = evidence;
  const moved = movement(evidence);
  if (label) {
    const changed = `The ${spoken(label.label)} changed from ${short(label.before)} to ${short(label.after)}`;
    return moved ? `${changed}; it ${moved}.` : `${changed} with the first such run.`;
  }
  if (invalid_kind) return `It is ${invalid_kind === 'nan' ? 'no number (NaN)' : 'infinite'}.`;
  return drift(evidence) ?? (moved && `It ${moved}.`);
}

/** Runs whose mean says where a metric was before. */
const RUNS_BEFORE = 20;

/** `fell from 0.903 to 0.781`: from the mean of the healthy runs just before to the value now. */
function movement({ before, value, unit, limit }: Evidence): string | null {
  if (before.length === 0 || value === null) return null;
  const was = meanOf(before.slice(-RUNS_BEFORE));
  const verb = value > was ? 'rose' : 'fell';
  return `${verb} from ${formatQuantity(was, unit, limit)} to ${formatQuantity(value, unit, limit)}`;
}

/** Healthy runs that were on their way to the limit for a day at least, and went half of it. */
function drift({ before, limit, unit, higher_is_better }: Evidence): string | null {
  const [first, last] = [before[0], before.at(-1)];
  if (!first || !last || limit === null) return null;
  const statistics = new MovingStatistics();
  for (const { time, value } of before) statistics.add(time, value);
  const days = (last.time - first.time) / MS_PER_DAY;
  const moved = (statistics.trend() ?? 0) * days;
  const begin = meanOf(before) - moved / 2;
  const towards = higher_is_better ? -moved : moved;
  if (days < 1 || towards < Math.abs(limit - begin) / 2) return null;
  const way = higher_is_better ? 'fallen' : 'risen';
  return `It had ${way} for ${formatPeriod(last.time - first.time)} before it crossed the limit, from about ${formatQuantity(begin, unit)}.`;
}

const meanOf = (points: Evidence['before']): number =>
  points.reduce((sum, { value }) => sum + value / points.length, 0);

function limitChanged({ before, after, higher_is_better, at, by }: LimitChange, unit: string | null): string {
  const when = at === null ? '' : ` on ${formatDate(at)}`;
  const who = by === null ? '' : ` by ${by}`;
  if (after === null || before === after) return `The threshold was changed${who}${when}.`;
  if (before === null)
    return `A limit of ${formatWithUnit(after, unit)} was set${who}${when}; before there was none.`;
  const verb = (higher_is_better ? after > before : after < before) ? 'tightened' : 'changed';
  return `The limit was ${verb} from ${formatWithUnit(before, unit)} to ${formatWithUnit(after, unit)}${who}${when}.`;
}

const seenLate = ({ ended_at, seen_at, only }: Lateness): string =>
  `The ${only ? '' : 'first such '}run ended on ${formatDate(ended_at)}, but was seen only ${formatPeriod(seen_at - ended_at)} later.`;

/** Why an application has no data: what it used to do. */
export function whySilent(lastRun: number, now: number, usual: number | null): string | null {
  if (usual === null) return null;
  const often = `every ${formatPeriod(usual)}`;
  return now - lastRun > 1.5 * usual
    ? `It used to run ${often}.`
    : `It runs about ${often}, so it is not overdue.`;
}

function again(count: number): string | null {
  if (count === 0) return null;
  return count === 1 ? 'The newest run is healthy again.' : `The newest ${count} runs are healthy again.`;
}

/** `mlflow.source.git.commit` → `git commit`, `model_version` → `model version`. */
const spoken = (label: string): string => label.replace(/^mlflow\.source\./, '').replaceAll(/[._-]+/g, ' ');
const short = (value: string): string => {
  if (/^[0-9a-f]{40}$/.test(value)) return value.slice(0, 8);
  return value.length > 32 ? `${value.slice(0, 31)}…` : value;
};
