import type { MetricStatus, Window } from '../../domain/model.js';
import type { InvalidKind } from '../../domain/status.js';
import type { Suggestion } from '../../domain/suggest/suggestion.js';
import { type DuckSession, sql } from '../../storage/duck.js';
import type { LimitChange } from '../contract/limits.js';
import { loadSuggestions } from '../suggest/load-suggestions.js';
import { loadLimitChanges, loadLimitSteps, type MetricLimitStep } from './limits.js';

/** The newest run of a metric and what is counted around it. Times are ms, those of thresholds ISO 8601. */
export interface MetricNowRow {
  readonly metric_name: string;
  readonly display_name: string;
  readonly description: string | null;
  readonly unit: string | null;
  readonly higher_is_better: boolean | null;
  readonly status: MetricStatus;
  readonly value: number | null;
  readonly invalid_kind: InvalidKind | null;
  readonly run_id: string;
  readonly run_name: string;
  readonly experiment_id: string;
  readonly time: number;
  readonly critical_threshold: number | null;
  readonly warning_threshold: number | null;
  readonly threshold_updated_at: string | null;
  readonly threshold_updated_by: string | null;
  /** The valid value before it; null if there is none. */
  readonly previous: number | null;
  readonly status_since: number;
  readonly status_since_before: boolean;
  /** The runs in the span of the light. */
  readonly critical: number;
  readonly invalid: number;
  readonly warning: number;
  readonly healthy: number;
  readonly unmonitored: number;
}

/** The cells with a run: columns of equal length. */
export interface Cells {
  readonly metric_name: readonly string[];
  /** The index of the cell. */
  readonly cell: readonly number[];
  readonly status: readonly MetricStatus[];
  readonly median: readonly (number | null)[];
  readonly min: readonly (number | null)[];
  readonly max: readonly (number | null)[];
}

interface Trend {
  readonly metric_name: string;
  readonly trend: number | null;
  readonly mean: number | null;
}

export interface MetricFacts {
  readonly rows: readonly MetricNowRow[];
  readonly cells: Cells;
  readonly steps: readonly MetricLimitStep[];
  readonly changes: readonly LimitChange[];
  readonly trends: readonly Trend[];
  /** Of the metrics without a threshold. */
  readonly suggestions: readonly Suggestion[];
  readonly experiments: ReadonlySet<string>;
}

export interface MetricsRequest {
  readonly application: string;
  /** '' for all. */
  readonly metric: string;
  readonly span: Window;
  /** The start of the span of the light, ms; both spans end together. */
  readonly lightFrom: number;
  readonly cellMs: number;
}

/** Local files of the days of a request. */
export interface MetricFiles {
  readonly enriched: readonly string[];
  readonly summaries: readonly string[];
  readonly changes: readonly string[];
}

const statement = (name: string) => sql(import.meta.url, `./sql/${name}.sql`);

/** @returns `undefined` if no eligible run of the application logged such a metric in the span */
export async function loadMetrics(
  session: DuckSession,
  files: MetricFiles,
  { application, metric, span, lightFrom, cellMs }: MetricsRequest,
): Promise<MetricFacts | undefined> {
  if (files.enriched.length === 0) return undefined;
  await session.run(statement('judged'), {
    enriched: files.enriched,
    application,
    metric,
    from: BigInt(Math.min(span.from, lightFrom)),
    to: BigInt(span.to),
  });
  const from = BigInt(span.from);
  const rows = await session.rows<MetricNowRow>(statement('metric_now'), {
    from,
    light_from: BigInt(lightFrom),
  });
  if (rows.length === 0) return undefined;
  const unmonitored = rows.filter(({ status }) => status === 'unmonitored');
  const directions = new Map(rows.map((row) => [row.metric_name, row.higher_is_better]));
  return {
    rows,
    cells: (await session.columns(statement('metric_cells'), {
      from,
      cell_ms: BigInt(cellMs),
    })) as unknown as Cells,
    steps: await loadLimitSteps(session, span.from),
    changes: await loadLimitChanges(session, files.changes),
    trends:
      files.summaries.length === 0
        ? []
        : await session.rows<Trend>(statement('trends'), {
            summaries: files.summaries,
            application,
            to: BigInt(span.to),
          }),
    suggestions:
      unmonitored.length === 0
        ? []
        : await loadSuggestions(
            session,
            {
              files: files.enriched,
              only: { application, metrics: unmonitored.map(({ metric_name }) => metric_name) },
            },
            (name) => directions.get(name) ?? null,
          ),
    experiments: await loadExperiments(session),
  };
}

/** The experiments of the runs in `judged`. */
export async function loadExperiments(session: DuckSession): Promise<Set<string>> {
  const rows = await session.rows<{ experiment_id: string }>(statement('metric_experiments'));
  return new Set(rows.map(({ experiment_id }) => experiment_id));
}
