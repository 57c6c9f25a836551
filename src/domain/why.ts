import { formatDate, formatPeriod, formatQuantity, formatWithUnit } from './format.js';
import type { LabelChange } from './label-change.js';
import { SeriesSums } from './moving-statistics.js';
import type { InvalidKind } from './status.js';
import { MS_PER_DAY } from './time.js';

/** A change of a limit in the catalog. */
export interface LimitChange {
  /** null: there was no limit. */
  readonly before: number | null;
  /** Equal to `before`, or null, if something else of the threshold row changed, such as the direction. */
  readonly after: number | null;
  readonly higher_is_better: boolean | null;
  /** ms; null: the catalog does not say when. */
  readonly at: number | null;
  /** null: the catalog does not say who. */
  readonly by: string | null;
  /** Whether the last unhealthy run would be healthy or unmonitored under the old limits: the change alone explains it. */
  readonly sufficient: boolean;
}

/** A run that was first observed long after its end; times in ms. */
export interface Lateness {
  readonly ended_at: number;
  readonly seen_at: number;
  /** Whether it is the only unhealthy run of the metric. */
  readonly only: boolean;
}

/** What is known from the runs and the rules about an unhealthy metric. */
export interface Evidence {
  readonly unit: string | null;
  /** Value of the last unhealthy run; null: it was invalid. */
  readonly value: number | null;
  readonly invalid_kind: InvalidKind | null;
  readonly limit: number | null;
  readonly higher_is_better: boolean | null;
  /** Valid values of the healthy runs before the first unhealthy one, oldest first; times in ms. */
  readonly before: readonly { readonly time: number; readonly value: number }[];
  /** A param or tag that changed with the first unhealthy run. */
  readonly label: LabelChange | null;
  /** A change of the limit without which the first unhealthy run would have had a better status. */
  readonly limit_change: LimitChange | null;
  readonly late: Lateness | null;
  /** Number of healthy runs since the last unhealthy one. */
  readonly healthy_again: number;
}

/** Why a metric is unhealthy, in sentences for people; null if the evidence shows no reason. */
export function why(evidence: Evidence): string | null {
  const { limit_change, late, unit, healthy_again } = evidence;
  const sentences = [
    limit_change && limitChanged(limit_change, unit),
    late && arrivedLate(late),
    limit_change?.sufficient ? null : valueChanged(evidence),
    recovered(healthy_again),
  ].filter((text) => text !== null);
  return sentences.length === 0 ? null : sentences.join(' ');
}

function valueChanged(evidence: Evidence): string | null {
  const { label, invalid_kind } = evidence;
  const moved = movement(evidence);
  if (label) {
    const changed = `The ${readable(label.label)} changed from ${shortened(label.before)} to ${shortened(label.after)}`;
    return moved ? `${changed}; the metric ${moved}.` : `${changed} in the first unhealthy run.`;
  }
  if (invalid_kind) return `The value is ${invalid_kind === 'nan' ? 'not a number (NaN)' : 'infinite'}.`;
  return drift(evidence) ?? (moved && `The metric ${moved}.`);
}

/** The mean of this many healthy runs is the level before the change. */
const RUNS_BEFORE = 20;

/** `fell from 0.903 to 0.781`: from the mean of the last healthy runs before to the value now. */
function movement({ before, value, unit, limit }: Evidence): string | null {
  if (before.length === 0 || value === null) return null;
  const level = meanOf(before.slice(-RUNS_BEFORE));
  const verb = value > level ? 'rose' : 'fell';
  return `${verb} from ${formatQuantity(level, unit, limit)} to ${formatQuantity(value, unit, limit)}`;
}

/** A sentence if the healthy values moved towards the limit for at least a day and covered at least half the distance. */
function drift({ before, limit, unit, higher_is_better }: Evidence): string | null {
  const [first, last] = [before[0], before.at(-1)];
  if (!first || !last || limit === null) return null;
  const sums = new SeriesSums();
  for (const { time, value } of before) sums.add(time - first.time, value);
  const days = (last.time - first.time) / MS_PER_DAY;
  const change = (sums.trend(last.time - first.time) ?? 0) * days;
  // The fitted line passes through the mean, so it starts half the change before it.
  const start = meanOf(before) - change / 2;
  const towardsLimit = higher_is_better ? -change : change;
  if (days < 1 || towardsLimit < Math.abs(limit - start) / 2) return null;
  const verb = higher_is_better ? 'fell' : 'rose';
  return `The metric ${verb} for ${formatPeriod(last.time - first.time)} before it crossed the limit, starting at about ${formatQuantity(start, unit)}.`;
}

const meanOf = (points: Evidence['before']): number =>
  points.reduce((sum, { value }) => sum + value / points.length, 0);

function limitChanged({ before, after, higher_is_better, at, by }: LimitChange, unit: string | null): string {
  const when = at === null ? '' : ` on ${formatDate(at)}`;
  const who = by === null ? '' : ` by ${by}`;
  if (after === null || before === after) return `The threshold was changed${who}${when}.`;
  if (before === null)
    return `A limit of ${formatWithUnit(after, unit)} was set${who}${when}; there was none before.`;
  const verb = (higher_is_better ? after > before : after < before) ? 'tightened' : 'changed';
  return `The limit was ${verb} from ${formatWithUnit(before, unit)} to ${formatWithUnit(after, unit)}${who}${when}.`;
}

const arrivedLate = ({ ended_at, seen_at, only }: Lateness): string =>
  `The ${only ? '' : 'first unhealthy '}run ended on ${formatDate(ended_at)} but was first seen ${formatPeriod(seen_at - ended_at)} later.`;

/**
 * Why an application has no data, from how often it runs; null if that is unknown.
 * @param lastRun time of the last run, ms
 * @param now ms
 * @param period usual time between runs, ms
 */
export function whySilent(lastRun: number, now: number, period: number | null): string | null {
  if (period === null) return null;
  const frequency = `every ${formatPeriod(period)}`;
  return now - lastRun > 1.5 * period
    ? `It used to run ${frequency}.`
    : `It runs about ${frequency}, so it is not overdue.`;
}

function recovered(count: number): string | null {
  if (count === 0) return null;
  return count === 1 ? 'The newest run is healthy again.' : `The newest ${count} runs are healthy again.`;
}

/** `mlflow.source.git.commit` → `git commit`, `model_version` → `model version`. */
const readable = (label: string): string => label.replace(/^mlflow\.source\./, '').replaceAll(/[._-]+/g, ' ');
const shortened = (value: string): string => {
  if (/^[0-9a-f]{40}$/.test(value)) return value.slice(0, 8);
  return value.length > 32 ? `${value.slice(0, 31)}…` : value;
};
