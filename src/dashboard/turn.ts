import { ATTENTION_SPAN_MS, lastBadSequence } from '../domain/attention.js';
import { type Labels, labelChange } from '../domain/label-change.js';
import type { MetricStatus } from '../domain/model.js';
import { isPattern, matches } from '../domain/pattern.js';
import { median } from '../domain/rhythm.js';
import { resolveRule } from '../domain/rule.js';
import { metricStatus } from '../domain/status.js';
import { addDays, dayOf, dayStart, MS_PER_DAY, MS_PER_HOUR } from '../domain/time.js';
import { type LimitChange, why } from '../domain/why.js';
import { type Rulebook, rulesOn } from '../pipeline/rulebook.js';
import type { SeriesRun } from './load-series.js';

/** Where a series turned: its last unbroken sequence of runs that are not healthy, and what came before. */
export interface Turn {
  readonly first: SeriesRun;
  /** The newest run of the sequence: the one that is shown. */
  readonly last: SeriesRun;
  readonly began_before: boolean;
  /** Healthy runs before it, oldest first. */
  readonly before: readonly SeriesRun[];
  /** The runs of the sequence, oldest first. */
  readonly since: readonly SeriesRun[];
  readonly healthy_again: number;
}

/** @param runs a series, oldest first */
export function turnOf(runs: readonly SeriesRun[], to: number): Turn | null {
  const sequence = lastBadSequence(runs, to - ATTENTION_SPAN_MS);
  const [first, last] = [runs[sequence?.first ?? -1], runs[sequence?.last ?? -1]];
  if (!sequence || !first || !last) return null;
  const healthy = (some: readonly SeriesRun[]) => some.filter(({ status }) => status === 'healthy');
  return {
    first,
    last,
    began_before: sequence.began_before,
    before: sequence.began_before ? [] : healthy(runs.slice(0, sequence.first)),
    since: runs.slice(sequence.first, sequence.last + 1).filter(({ status }) => status !== 'unmonitored'),
    healthy_again: healthy(runs.slice(sequence.last + 1)).length,
  };
}

/** Runs on each side of a turn whose labels are compared. */
const COMPARED = 10;
const compared = ({ before, since }: Turn) => ({
  before: before.slice(-COMPARED),
  since: since.slice(0, COMPARED),
});

/** The runs whose params and tags say why. */
export function runsToCompare(turn: Turn): string[] {
  const { before, since } = compared(turn);
  return [...before, ...since, turn.last].map(({ run_id }) => run_id);
}

export interface Rules {
  readonly book: Rulebook;
  /** `REEVALUATE_DAYS`: how far back a change applies. */
  readonly reevaluateDays: number;
}

/** Why the metric turned, in plain words; null: the data does not tell. */
export function explain(
  turn: Turn,
  labels: ReadonlyMap<string, Labels>,
  rules: Rules | undefined,
): string | null {
  const { last } = turn;
  const { before, since } = compared(turn);
  const labelsOf = ({ run_id, model_id, dataset_name }: SeriesRun): Labels => ({
    ...labels.get(run_id),
    ...(model_id ? { model: model_id } : {}),
    ...(dataset_name ? { dataset: dataset_name } : {}),
  });
  return why({
    unit: last.unit,
    value: last.value,
    invalid_kind: last.invalid_kind,
    limit: limitOf(last, last.status),
    higher_is_better: last.higher_is_better,
    before: turn.before.flatMap(({ time, value }) => (value === null ? [] : [{ time, value }])),
    label: labelChange(before.map(labelsOf), since.map(labelsOf)),
    limit_change: rules ? limitChange(turn, rules) : null,
    healthy_again: turn.healthy_again,
  });
}

type Limits = Pick<SeriesRun, 'critical_threshold' | 'warning_threshold'>;

/** The limit that a value of this status is beyond. */
export function limitOf(limits: Limits, status: MetricStatus): number | null {
  if (status === 'critical') return limits.critical_threshold;
  return status === 'warning' ? limits.warning_threshold : null;
}

/**
 * The change of the limit that the shown run is beyond, if it is the reason: by the rule before it the run were healthy,
 * and the sequence had begun when the change was seen, so that the change was applied to it.
 */
function limitChange({ first, last }: Turn, { book, reevaluateDays }: Rules): LimitChange | null {
  const { metric_name, experiment_id, status } = last;
  const day = dayOf(last.time);
  const changes = book.entries.flatMap(({ metric_name: name, first_day }) => {
    const applies = name === metric_name || (isPattern(name) && matches(name, metric_name));
    return applies && first_day !== null && first_day <= day ? [first_day] : [];
  });
  const changed = changes.sort().at(-1);
  if (changed === undefined || first.time >= dayStart(changed) + (reevaluateDays + 1) * MS_PER_DAY)
    return null;
  const ruleOn = (when: string) => {
    const { metadata, thresholds } = rulesOn(book, when);
    return resolveRule(metric_name, experiment_id, metadata, thresholds);
  };
  const [old, now] = [ruleOn(addDays(changed, -1)), ruleOn(day)];
  const [before, after] = [limitOf(old, status), limitOf(now, status)];
  if (after === null || before === after || now.higher_is_better === null) return null;
  if (!['healthy', 'unmonitored'].includes(metricStatus(last.value, old))) return null;
  const at = now.threshold_updated_at === null ? Number.NaN : Date.parse(now.threshold_updated_at);
  return {
    before,
    after,
    higher_is_better: now.higher_is_better,
    at: Number.isNaN(at) ? null : at,
    by: now.threshold_updated_by,
  };
}

const BUCKET_MS = 3 * MS_PER_HOUR;

/** The runs that draw the series of the last 7 days: of every 3 hours the one with the middle value, and the shown run. */
export function sparkline(
  runs: readonly SeriesRun[],
  shown: SeriesRun,
  to: number,
): { time: number; value: number }[] {
  const bucketOf = (time: number) => Math.ceil((to - time) / BUCKET_MS);
  const buckets = new Map<number, { time: number; value: number }[]>();
  for (const { time, value } of runs) {
    if (value === null || time < to - ATTENTION_SPAN_MS) continue;
    const bucket = bucketOf(time);
    buckets.set(bucket, [...(buckets.get(bucket) ?? []), { time, value }]);
  }
  return [...buckets]
    .sort(([a], [b]) => b - a)
    .flatMap(([bucket, points]) => {
      if (bucket === bucketOf(shown.time) && shown.value !== null)
        return [{ time: shown.time, value: shown.value }];
      const middle = median(points.map(({ value }) => value));
      return points.find(({ value }) => value === middle) ?? [];
    });
}
