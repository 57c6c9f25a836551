import { compareDrop } from './decimal.js';
import { formatQuantity, formatWithUnit } from './format.js';
import { comparePercent } from './light.js';
import { METRIC_STATUSES, type MetricStatus, type Rule } from './model.js';
import type { InvalidKind } from './status.js';
import { compareText } from './text.js';

/** Whether a run may go on, for example into production. */
export const GATE_VERDICTS = ['pass', 'fail', 'not_enough_evidence'] as const;
export type GateVerdict = (typeof GATE_VERDICTS)[number];

/** A metric of a run with the rule that applies, as `enriched_metrics` publishes it. */
export interface RunMetric extends Rule {
  readonly metric_name: string;
  /** null: invalid. */
  readonly value: number | null;
  readonly invalid_kind: InvalidKind | null;
  readonly status: MetricStatus;
}

/** A run as the service judges it. */
export interface JudgedRun {
  /** Why the service does not judge it, in a sentence; null if it does. */
  readonly unjudged: string | null;
  /** The status of the run in MLflow; null if it is unknown. */
  readonly run_status: string | null;
  /** false: the run has not ended, and its metrics do not count yet. */
  readonly settled: boolean;
  readonly metrics: readonly RunMetric[];
}

export interface GatePolicy {
  /** The share of metrics that must have a threshold, percent. */
  readonly min_coverage_percent: number;
  /** The status from which a metric fails the run. */
  readonly fail_on: 'critical' | 'warning';
  /** By how much a metric may be worse than that of the baseline, percent of the latter; null: by any amount. */
  readonly max_drop_percent: number | null;
}

/** A metric, and how far it is from its limit and from the baseline. */
export interface GateMetric extends RunMetric {
  /** The limit that the value has crossed, else the one it would cross first; null without a threshold. */
  readonly limit: number | null;
  /** The distance of the value from its limit; negative if the value is beyond it. null if it has no limit or is invalid. */
  readonly distance: number | null;
  /** null: not compared. */
  readonly baseline: number | null;
  /** By how much the value is worse than the baseline, percent of it; negative: better. null: not compared, or the baseline is 0. */
  readonly drop_percent: number | null;
  /** Whether it fails the run: beyond its limit, or worse than the baseline by more than is allowed. */
  readonly fails: boolean;
}

export interface GateResult {
  readonly verdict: GateVerdict;
  /** Why, in one or two sentences. */
  readonly reason: string;
  /** The status that the service publishes for the run. */
  readonly status: MetricStatus;
  readonly evaluated_metrics: number;
  readonly total_metrics: number;
  /** Percent of the metrics that have a threshold; null without metrics. */
  readonly coverage: number | null;
  /** Worst status first, then by name. */
  readonly metrics: readonly GateMetric[];
  /** Names of the metrics that only one of the two runs has; empty without a baseline. */
  readonly only_in_run: readonly string[];
  readonly only_in_baseline: readonly string[];
}

/**
 * The verdict on a run. A run that has not ended is never decided. Otherwise a metric that fails decides; then what prevents
 * a decision; else the run passes. A value equal to a limit gets the better status, and a drop equal to the allowed one passes.
 */
export function gateVerdict(run: JudgedRun, baseline: JudgedRun | null, policy: GatePolicy): GateResult {
  const { metrics } = run;
  const before = comparable(baseline?.metrics ?? []);
  const compared = metrics.map((metric) => compare(metric, before, policy)).sort(byStatus);
  const evaluated = metrics.filter(({ status }) => status !== 'unmonitored').length;
  const total = metrics.length;
  const [verdict, reason] = decide(run, baseline, compared, evaluated, policy);
  const others = baseline?.metrics ?? metrics;
  return {
    verdict,
    reason,
    status:
      METRIC_STATUSES.find((status) => metrics.some((metric) => metric.status === status)) ?? 'unmonitored',
    evaluated_metrics: evaluated,
    total_metrics: total,
    coverage: total === 0 ? null : (100 * evaluated) / total,
    metrics: compared,
    only_in_run: namesOnlyIn(metrics, others),
    only_in_baseline: namesOnlyIn(others, metrics),
  };
}

function namesOnlyIn(metrics: readonly RunMetric[], others: readonly RunMetric[]): string[] {
  const known = new Set(others.map(({ metric_name }) => metric_name));
  const names = metrics.map(({ metric_name }) => metric_name);
  return names.filter((name) => !known.has(name)).sort(compareText);
}

type Decision = readonly [verdict: GateVerdict, reason: string];

function decide(
  { unjudged, run_status, settled, metrics }: JudgedRun,
  baseline: JudgedRun | null,
  compared: readonly GateMetric[],
  evaluated: number,
  policy: GatePolicy,
): Decision {
  const { max_drop_percent, min_coverage_percent } = policy;
  const undecided = (reason: string): Decision => ['not_enough_evidence', reason];
  if (unjudged !== null) return undecided(unjudged);
  if (!settled) return undecided(`The run has not ended: its status is ${run_status}.`);
  const failed = compared.filter(({ fails }) => fails);
  if (failed.length > 0) return ['fail', describeFailed(failed, policy)];
  const total = metrics.length;
  if (total === 0) return undecided('The run has no metrics.');
  if (evaluated === 0) {
    return undecided(
      total === 1 ? 'Its metric has no threshold.' : `None of its ${total} metrics has a threshold.`,
    );
  }
  const invalid = compared.filter(({ status }) => status === 'invalid');
  if (invalid.length > 0) return undecided(invalid.slice(0, MAX_NAMED).map(describeInvalid).join(' '));
  const coverage = `${evaluated} of ${total === 1 ? '1 metric has' : `${total} metrics have`} a threshold`;
  if (comparePercent(evaluated, total, min_coverage_percent) < 0) {
    return undecided(`${coverage}; at least ${min_coverage_percent} % are required.`);
  }
  if (baseline !== null && baseline.unjudged !== null) {
    return undecided(`There is nothing to compare with. ${baseline.unjudged}`);
  }
  const isCompared = compared.some((metric) => metric.baseline !== null);
  if (baseline !== null && max_drop_percent !== null && !isCompared) {
    return undecided('No metric with a direction has a valid value in both the run and the baseline.');
  }
  const warnings = compared.filter(({ status }) => status === 'warning').length;
  const worst =
    warnings === 0
      ? 'none is critical or a warning'
      : `none is critical, ${warnings} ${warnings === 1 ? 'is a warning' : 'are warnings'}`;
  const drop =
    isCompared && max_drop_percent !== null
      ? `; none is over ${max_drop_percent} % worse than the baseline`
      : '';
  return ['pass', `${coverage}; ${worst}${drop}.`];
}

const isBeyond = ({ status }: RunMetric, { fail_on }: GatePolicy): boolean =>
  status === 'critical' || (status === 'warning' && fail_on === 'warning');

const MAX_NAMED = 3;

function describeFailed(failed: readonly GateMetric[], policy: GatePolicy): string {
  const sentences = failed.slice(0, MAX_NAMED).map((metric) => describeFailure(metric, policy));
  const more = failed.length - sentences.length;
  if (more > 0) sentences.push(more === 1 ? '1 more metric fails.' : `${more} more metrics fail.`);
  return sentences.join(' ');
}

function describeFailure(metric: GateMetric, policy: GatePolicy): string {
  const { metric_name, value, limit, status, unit, higher_is_better, baseline, drop_percent } = metric;
  if (value === null) return `${metric_name} fails.`;
  if (limit !== null && isBeyond(metric, policy)) {
    const side = higher_is_better ? 'below' : 'above';
    return `${metric_name} is ${formatQuantity(value, unit, limit)}, ${side} the ${status} limit ${formatWithUnit(limit, unit)}.`;
  }
  const { max_drop_percent: allowed } = policy;
  const by = drop_percent === null ? '' : ` by ${formatQuantity(drop_percent, '%', allowed)}`;
  const before = formatQuantity(baseline ?? 0, unit, value);
  return `${metric_name} is worse than the baseline${by}: ${formatQuantity(value, unit, baseline)} after ${before}; ${allowed} % are allowed.`;
}

const describeInvalid = ({ metric_name, invalid_kind }: GateMetric): string =>
  `${metric_name} is ${invalid_kind === 'nan' ? 'not a number (NaN)' : 'infinite'}.`;

/** @param before the values of the baseline, by metric */
function compare(metric: RunMetric, before: ReadonlyMap<string, number>, policy: GatePolicy): GateMetric {
  const { value, higher_is_better } = metric;
  const limit = limitOf(metric);
  const sign = higher_is_better ? 1 : -1;
  const distance = value === null || limit === null ? null : sign * (value - limit);
  const baseline = higher_is_better === null ? undefined : before.get(metric.metric_name);
  const fails = isBeyond(metric, policy);
  if (value === null || baseline === undefined) {
    return { ...metric, limit, distance, baseline: null, drop_percent: null, fails };
  }
  const { max_drop_percent: allowed } = policy;
  return {
    ...metric,
    limit,
    distance,
    baseline,
    drop_percent: baseline === 0 ? null : (100 * sign * (baseline - value)) / Math.abs(baseline),
    fails: fails || (allowed !== null && compareDrop(sign * baseline, sign * value, allowed) > 0),
  };
}

/** The valid values of the metrics with a direction, by name. */
const comparable = (metrics: readonly RunMetric[]): ReadonlyMap<string, number> =>
  new Map(
    metrics.flatMap(({ metric_name, value, higher_is_better }) =>
      value === null || higher_is_better === null ? [] : [[metric_name, value] as const],
    ),
  );

function limitOf({
  status,
  higher_is_better,
  critical_threshold,
  warning_threshold,
}: RunMetric): number | null {
  if (status === 'unmonitored') return null;
  if (status === 'critical') return critical_threshold;
  if (status === 'warning') return warning_threshold;
  const limits = [critical_threshold, warning_threshold].filter((limit) => limit !== null);
  return higher_is_better ? Math.max(...limits) : Math.min(...limits);
}

const byStatus = (a: GateMetric, b: GateMetric): number =>
  METRIC_STATUSES.indexOf(a.status) - METRIC_STATUSES.indexOf(b.status) ||
  compareText(a.metric_name, b.metric_name);
