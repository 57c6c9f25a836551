import { BOOLEAN, DOUBLE, VARCHAR } from '@duckdb/node-api';
import type { MetricHistory, SuggestionMethod } from '../../domain/suggest/suggest-limits.js';
import { chooseThresholds, type Suggestion } from '../../domain/suggest/suggestion.js';
import { type DuckSession, sql } from '../../storage/duck.js';

/** The stored runs that thresholds are suggested from. */
export interface HistoryScope {
  /** Parquet of `enriched_metrics`, at least one. */
  readonly files: readonly string[];
  /** By default all applications and metrics. */
  readonly only?: { readonly application: string; readonly metrics: readonly string[] };
}

/**
 * Suggests thresholds for every metric of a published history.
 * @param directionOf the direction of a metric in the catalog; null if it has none
 */
export async function loadSuggestions(
  session: DuckSession,
  { files, only }: HistoryScope,
  directionOf: (metric: string) => boolean | null,
  method?: SuggestionMethod,
): Promise<Suggestion[]> {
  const application = only?.application ?? '';
  const histories = await session.rows<MetricHistory>(sql(import.meta.url, './sql/histories.sql'), {
    files,
    application,
    metrics: only?.metrics ?? [],
  });
  const chosen = histories.map((history) =>
    chooseThresholds(history, directionOf(history.metric_name), method),
  );
  await createSuggestedTable(session, chosen);
  const marked = await session.rows<Marked>(sql(import.meta.url, './sql/marked.sql'), { files, application });
  return chosen.map((suggestion) => withCounts(suggestion, marked));
}

interface Marked {
  readonly metric_name: string;
  readonly higher_is_better: boolean;
  readonly critical: number;
  readonly warning: number;
}

function withCounts(suggestion: Suggestion, marked: readonly Marked[]): Suggestion {
  const options = suggestion.options.map((option) => {
    const found = marked.find(
      ({ metric_name, higher_is_better }) =>
        metric_name === suggestion.history.metric_name && higher_is_better === option.higher_is_better,
    );
    return { ...option, critical: found?.critical ?? 0, warning: found?.warning ?? 0 };
  });
  return { ...suggestion, options };
}

async function createSuggestedTable(session: DuckSession, suggestions: readonly Suggestion[]): Promise<void> {
  const rows = suggestions.flatMap(({ history, options }) =>
    options.map(({ higher_is_better, limits }) => ({ name: history.metric_name, higher_is_better, limits })),
  );
  await session.createTable('suggested', {
    metric_name: { type: VARCHAR, values: rows.map(({ name }) => name) },
    higher_is_better: { type: BOOLEAN, values: rows.map((row) => row.higher_is_better) },
    critical: { type: DOUBLE, values: rows.map(({ limits }) => limits.critical) },
    warning: { type: DOUBLE, values: rows.map(({ limits }) => limits.warning) },
  });
}
