import { groupBy } from '../../domain/group-by.js';
import { METRIC_STATUSES, type MetricStatus } from '../../domain/model.js';
import type { Suggestion } from '../../domain/suggest/suggestion.js';
import { compareText } from '../../domain/text.js';
import { MS_PER_HOUR } from '../../domain/time.js';
import type { MetricNow, Metrics } from '../contract/metrics.js';
import { runLink } from '../describe-platform.js';
import { limitOf } from '../incident.js';
import { changesOf } from './limits.js';
import type { Cells, MetricFacts, MetricNowRow, MetricsRequest } from './load-metrics.js';

const CELL_HOURS = [1, 3, 6, 24];
const MAX_CELLS = 120;

/** The length of a cell, hours, for a span of so many hours. */
export const cellHours = (hours: number): number =>
  CELL_HOURS.find((length) => hours / length <= MAX_CELLS) ?? 24;

/** The response of `/metrics`. @param facts undefined: there are no metrics */
export function describeMetrics(
  facts: MetricFacts | undefined,
  { application, span, cellMs }: MetricsRequest,
  mlflowUi: string,
): Metrics {
  return {
    application,
    from: iso(span.from),
    to: iso(span.to),
    cell_hours: cellMs / MS_PER_HOUR,
    metrics: facts ? describeAll(facts, Math.ceil((span.to - span.from) / cellMs), mlflowUi) : [],
  };
}

function describeAll(facts: MetricFacts, cellCount: number, mlflowUi: string): MetricNow[] {
  const cells = cellsByMetric(facts.cells, cellCount);
  const steps = groupBy(facts.steps, ({ metric_name }) => metric_name);
  const trends = new Map(facts.trends.map((trend) => [trend.metric_name, trend]));
  const suggestions = new Map(facts.suggestions.map((each) => [each.history.metric_name, each]));
  return facts.rows
    .map((row): MetricNow => {
      const name = row.metric_name;
      const limit = decisiveLimit(row);
      const suggestion = suggestions.get(name);
      return {
        name,
        display_name: row.display_name,
        description: row.description,
        unit: row.unit,
        higher_is_better: row.higher_is_better,
        status: row.status,
        value: row.value,
        invalid_kind: row.invalid_kind,
        run: runLink(mlflowUi, row),
        critical_threshold: row.critical_threshold,
        warning_threshold: row.warning_threshold,
        threshold_updated_at: row.threshold_updated_at,
        threshold_updated_by: row.threshold_updated_by,
        limit,
        distance: difference(row.value, limit),
        change: difference(row.value, row.previous),
        trend: trends.get(name)?.trend ?? null,
        mean: trends.get(name)?.mean ?? null,
        status_since: iso(row.status_since),
        status_since_before: row.status_since_before,
        light_span: {
          critical: row.critical,
          invalid: row.invalid,
          warning: row.warning,
          healthy: row.healthy,
          unmonitored: row.unmonitored,
        },
        cells: cells.get(name) ?? emptyCells(cellCount),
        limits: (steps.get(name) ?? []).map(({ metric_name: _, ...step }) => step),
        limit_changes: changesOf(facts.changes, name, facts.experiments),
        suggestion: suggestion ? describeSuggestion(suggestion) : null,
      };
    })
    .sort((a, b) => rank(a.status) - rank(b.status) || compareText(a.name, b.name));
}

const iso = (ms: number): string => new Date(ms).toISOString();
const rank = (status: MetricStatus): number => METRIC_STATUSES.indexOf(status);
/** null if there is none, or if it is beyond the range of doubles. */
function difference(a: number | null, b: number | null): number | null {
  if (a === null || b === null || !Number.isFinite(a - b)) return null;
  return a - b;
}

/** The limit that the value violates; of a healthy value the one that it would violate first. */
export function decisiveLimit(
  row: Pick<MetricNowRow, 'status' | 'higher_is_better' | 'critical_threshold' | 'warning_threshold'>,
): number | null {
  if (row.status !== 'healthy') return limitOf(row, row.status);
  const limits = [row.critical_threshold, row.warning_threshold].filter((limit) => limit !== null);
  return row.higher_is_better ? Math.max(...limits) : Math.min(...limits);
}

type MetricCells = MetricNow['cells'];

const emptyCells = (count: number): MetricCells => {
  const empty = () => Array.from({ length: count }, () => null);
  return { status: empty(), median: empty(), min: empty(), max: empty() };
};

function cellsByMetric(columns: Cells, count: number): Map<string, MetricCells> {
  const byMetric = new Map<string, MetricCells>();
  for (const [row, name] of columns.metric_name.entries()) {
    const cells = byMetric.get(name) ?? emptyCells(count);
    byMetric.set(name, cells);
    const cell = columns.cell[row] ?? 0;
    cells.status[cell] = columns.status[row] ?? null;
    cells.median[cell] = columns.median[row] ?? null;
    cells.min[cell] = columns.min[row] ?? null;
    cells.max[cell] = columns.max[row] ?? null;
  }
  return byMetric;
}

function describeSuggestion({ history, direction, options }: Suggestion): MetricNow['suggestion'] {
  return {
    values: history.values,
    direction,
    options: options.map(({ higher_is_better, limits, critical, warning }) => ({
      higher_is_better,
      critical_threshold: limits.critical,
      warning_threshold: limits.warning,
      critical,
      warning,
    })),
  };
}
