import { formatQuantity, formatWithUnit } from '../../domain/format.js';
import type { GateMetric, GateVerdict } from '../../domain/gate.js';
import { escapeControls } from '../../domain/text.js';
import type { Verdict, VerdictRun } from '../../gate/contract.js';

const VERDICT_WORDS: Readonly<Record<GateVerdict, string>> = {
  pass: 'PASS',
  fail: 'FAIL',
  not_enough_evidence: 'NOT ENOUGH EVIDENCE',
};

/** The verdict and its reason: the first line. */
export const headline = ({ verdict, reason }: Verdict): string =>
  escapeControls(`${VERDICT_WORDS[verdict]}: ${reason}`);

export function describeRun({ run_id, run_name, run_status, application, model }: VerdictRun): string {
  const name = run_name === null ? '' : ` (${run_name})`;
  const of = application === null ? '' : ` of ${application}`;
  const version = model === null ? '' : `, ${model.name} version ${model.version}`;
  return `${run_id}${name}${of}${version}${run_status === null ? '' : `, ${run_status}`}`;
}

export const valueText = ({ value, invalid_kind, unit, limit }: GateMetric): string =>
  value === null ? (invalid_kind ?? '-') : formatQuantity(value, unit, limit);

export const distanceText = ({ distance, unit }: GateMetric): string =>
  distance === null ? '-' : formatQuantity(distance, unit);

export const baselineText = ({ baseline, unit, value }: GateMetric): string =>
  baseline === null ? '-' : formatQuantity(baseline, unit, value);

export const dropText = ({ drop_percent }: GateMetric): string =>
  drop_percent === null ? '-' : formatQuantity(drop_percent, '%');

/** Who set the limit, when, and for what. */
export function setBy({ threshold_source, threshold_updated_by, threshold_updated_at }: GateMetric): string {
  if (threshold_source === null) return '-';
  const scope = threshold_source === 'experiment' ? 'for the experiment' : 'for all experiments';
  const day = threshold_updated_at === null ? [] : [threshold_updated_at.slice(0, 10)];
  return [threshold_updated_by ?? 'unknown', ...day, scope].join(', ');
}

/** A metric in one sentence. */
export function describeMetric(metric: GateMetric): string {
  const { metric_name, status, limit, unit, distance } = metric;
  const parts = [`${metric_name} is ${valueText(metric)} (${status})`];
  if (limit !== null) parts.push(`limit ${formatWithUnit(limit, unit)}, set by ${setBy(metric)}`);
  if (distance !== null) parts.push(`distance ${distanceText(metric)}`);
  if (metric.baseline !== null) parts.push(`baseline ${baselineText(metric)}, worse by ${dropText(metric)}`);
  return escapeControls(`${parts.join('; ')}.`);
}
