import { loadSuggestions } from '../../dashboard/suggest/load-suggestions.js';
import { groupBy } from '../../domain/group-by.js';
import { levelsDiffer, MIN_VALUES, type SuggestionMethod } from '../../domain/suggest/suggest-limits.js';
import type { Suggestion } from '../../domain/suggest/suggestion.js';
import { type DuckSession, sql } from '../../storage/duck.js';

/** The suggestion for an application whose values of a metric are on another level than those of all applications. */
export interface ApplicationSuggestion extends Suggestion {
  readonly application: string;
  /** The experiments with runs of this application only, which rows can name. */
  readonly experiments: readonly string[];
}

interface Level {
  readonly metric_name: string;
  readonly application: string;
  readonly median: number;
  readonly mad: number;
  /** JSON, a list of ids. */
  readonly experiments: string;
}

/**
 * Suggests thresholds for the applications that differ, of metrics with a known direction.
 * @param all the suggestions over all applications
 */
export async function loadApplicationSuggestions(
  session: DuckSession,
  files: readonly string[],
  all: readonly Suggestion[],
  method: SuggestionMethod,
): Promise<ApplicationSuggestion[]> {
  const known = new Map(
    all
      .filter(({ direction, options }) => direction !== null && options.length > 0)
      .map((suggestion) => [suggestion.history.metric_name, suggestion]),
  );
  const levels = await session.rows<Level>(sql(import.meta.url, './sql/levels.sql'), {
    files,
    min_values: MIN_VALUES,
  });
  const different = levels.filter((level) => {
    const suggestion = known.get(level.metric_name);
    return suggestion !== undefined && levelsDiffer(level, suggestion.history);
  });
  const found: ApplicationSuggestion[] = [];
  for (const [application, own] of groupBy(different, (level) => level.application)) {
    const only = { application, metrics: own.map(({ metric_name }) => metric_name) };
    const directionOf = (metric: string) => known.get(metric)?.options[0]?.higher_is_better ?? null;
    for (const suggestion of await loadSuggestions(session, { files, only }, directionOf, method)) {
      const level = own.find(({ metric_name }) => metric_name === suggestion.history.metric_name);
      if (!level || suggestion.options.length === 0) continue;
      found.push({ ...suggestion, application, experiments: JSON.parse(level.experiments) as string[] });
    }
  }
  return found;
}
