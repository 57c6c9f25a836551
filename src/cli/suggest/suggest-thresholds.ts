import { BOOLEAN, DOUBLE, VARCHAR } from '@duckdb/node-api';
import type { Rule } from '../../domain/model.js';
import { type Duck, type DuckSession, sql } from '../../storage/duck.js';
import { guessDirection } from './guess-direction.js';
import { type Limits, type MetricHistory, MIN_VALUES, suggestLimits } from './suggest-limits.js';

/** Limits for one direction, and how many stored runs they mark. */
export interface Option {
  readonly higher_is_better: boolean;
  readonly limits: Limits;
  readonly critical: number;
  readonly warning: number;
}

export interface Suggestion {
  readonly history: MetricHistory;
  /** Where the direction comes from; `null` if it is unknown. */
  readonly direction: 'catalog' | 'name' | null;
  /** If the direction is unknown, one option for each; the order of the limits then defines it. Empty without a suggestion. */
  readonly options: readonly Option[];
  /** The current rule of the catalog. */
  readonly rule: Rule;
}

export interface Suggestions {
  readonly runs: number;
  readonly first_day: string;
  readonly last_day: string;
  readonly metrics: readonly Suggestion[];
}

/**
 * Suggests platform-wide thresholds for every metric of the published history.
 * @param files Parquet of `enriched_metrics`, at least one
 * @param ruleOf the current rule of the catalog for a metric
 */
export function suggestThresholds(
  duck: Duck,
  files: readonly string[],
  ruleOf: (metric: string) => Rule,
): Promise<Suggestions> {
  return duck.session(async (session) => {
    const read = <T>(file: string) => session.rows<T>(sql(import.meta.url, file), { files });
    const [span] = await read<Omit<Suggestions, 'metrics'>>('./sql/span.sql');
    const histories = await read<MetricHistory>('./sql/histories.sql');
    const chosen = histories.map((history) => choose(history, ruleOf(history.metric_name)));
    await createSuggestedTable(session, chosen);
    const marked = await read<Marked>('./sql/marked.sql');
    return {
      ...(span ?? { runs: 0, first_day: '', last_day: '' }),
      metrics: chosen.map((suggestion) => withCounts(suggestion, marked)),
    };
  });
}

/** Chooses direction and limits. The runs they mark are counted later. */
export function choose(history: MetricHistory, rule: Rule): Suggestion {
  const known = rule.higher_is_better;
  const guessed = known ?? guessDirection(history.metric_name);
  const directions = guessed === null ? [true, false] : [guessed];
  const options = directions.map((higher_is_better) => ({
    higher_is_better,
    limits: suggestLimits(history, higher_is_better),
    critical: 0,
    warning: 0,
  }));
  return {
    history,
    rule,
    direction: known !== null ? 'catalog' : guessed !== null ? 'name' : null,
    options: options.filter(
      ({ limits }) => history.values >= MIN_VALUES && (guessed !== null || limits.critical !== null),
    ),
  };
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
