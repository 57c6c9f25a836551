import { formatWithUnit } from '../../domain/format.js';
import type { GateMetric } from '../../domain/gate.js';
import { escapeControls } from '../../domain/text.js';
import type { Verdict } from '../../gate/contract.js';
import {
  baselineText,
  describeRun,
  distanceText,
  dropText,
  headline,
  setBy,
  valueText,
} from './describe-verdict.js';

/** The verdict in the first line, then what it is about, then a row per metric. */
export function reportText(verdict: Verdict): string {
  const { run, baseline, rules, metrics, only_in_run, only_in_baseline } = verdict;
  const lines = [
    headline(verdict),
    ...(run ? [`Run: ${describeRun(run)}`] : []),
    ...(baseline ? [`Baseline: ${describeRun(baseline)}`] : []),
    `Rules: ${rules}${run?.day ? `, of ${run.day}` : ''}`,
    ...(only_in_run.length > 0 && baseline ? [`Only in the run: ${only_in_run.join(', ')}`] : []),
    ...(only_in_baseline.length > 0 ? [`Only in the baseline: ${only_in_baseline.join(', ')}`] : []),
  ].map(escapeControls);
  return metrics.length === 0
    ? lines.join('\n')
    : [...lines, '', ...table(metrics, baseline !== null)].join('\n');
}

function table(metrics: readonly GateMetric[], compared: boolean): string[] {
  const head = [
    'METRIC',
    'STATUS',
    'VALUE',
    'LIMIT',
    'DISTANCE',
    ...(compared ? ['BASELINE', 'WORSE BY'] : []),
    'SET BY',
  ];
  const rows = metrics.map((metric) =>
    [
      metric.metric_name,
      metric.fails ? `${metric.status} (fails)` : metric.status,
      valueText(metric),
      metric.limit === null ? '-' : formatWithUnit(metric.limit, metric.unit),
      distanceText(metric),
      ...(compared ? [baselineText(metric), dropText(metric)] : []),
      setBy(metric),
    ].map(escapeControls),
  );
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
