import type { Rule } from '../../domain/model.js';
import { MIN_VALUES, type SuggestionMethod } from '../../domain/suggest/suggest-limits.js';
import type { Option, Suggestion } from '../../domain/suggest/suggestion.js';
import { escapeControls } from '../../domain/text.js';
import type { ApplicationSuggestion } from './load-application-suggestions.js';

export interface SuggestedMetric extends Suggestion {
  /** The current rule of the catalog. */
  readonly rule: Rule;
  /** The applications whose values are on another level. */
  readonly applications: readonly ApplicationSuggestion[];
}

/** Platform-wide thresholds for every metric of the published history. */
export interface Suggestions {
  readonly runs: number;
  readonly first_day: string;
  readonly last_day: string;
  readonly method: SuggestionMethod;
  readonly metrics: readonly SuggestedMetric[];
}

const ABOUT_METHOD: Readonly<Record<SuggestionMethod, string>> = {
  quantiles: '# 1 % of the stored values are worse than `critical`, 5 % are worse than `warning`.',
  mad: '# `critical` is 5 and `warning` is 3 robust standard deviations (1.4826 · MAD) from the median.',
};

/**
 * The suggestions as a catalog file (YAML) to edit, with the reasons in comments. Rows that need a decision are
 * commented out.
 * @param name of the file, for the settings that use it
 */
export function suggestionsFile(suggestions: Suggestions, name: string): string {
  const { runs, first_day, last_day, method, metrics } = suggestions;
  const decided = metrics.filter(({ direction, options }) => direction !== null && options.length > 0);
  return [
    `# Thresholds suggested from ${runs} runs, ${first_day} to ${last_day}. Review and edit them, then set:`,
    `#   METRICS_API_URL=file:${name} THRESHOLDS_API_URL=file:${name}`,
    ABOUT_METHOD[method],
    '# A value equal to a limit gets the better status.',
    '# They show what was rare, not what is good. If you have requirements, use those as limits.',
    '# Rows with an `experiment_id` apply to that experiment and replace the row above them there.',
    '',
    'metrics:',
    ...decided.map(
      ({ history, direction, options }) =>
        `  - { metric_name: ${scalar(history.metric_name)}, higher_is_better: ${options[0]?.higher_is_better} }` +
        (direction === 'name' ? ' # guessed from the name' : ''),
    ),
    '',
    'thresholds:',
    ...metrics.flatMap(threshold),
    '',
  ].join('\n');
}

function threshold({ history, direction, options, rule, applications }: SuggestedMetric): string[] {
  const { metric_name, values, invalid, min, median, max } = history;
  const name = scalar(metric_name);
  const range = `${short(min)} to ${short(max)}, median ${short(median)}`;
  const about = `  # ${name}: ${values} values${invalid > 0 ? `, ${invalid} invalid` : ''}, ${range}.`;
  const current = [
    rule.critical_threshold === null ? [] : [`critical ${rule.critical_threshold}`],
    rule.warning_threshold === null ? [] : [`warning ${rule.warning_threshold}`],
  ].flat();
  const catalog = current.length > 0 ? [`  #   Currently in the catalog: ${current.join(', ')}.`] : [];
  const [first] = options;
  if (!first) {
    const why = values < MIN_VALUES ? 'Too few values' : 'The values are too similar';
    return [`${about} ${why} for a suggestion.`, ...catalog];
  }
  if (direction !== null) {
    return [
      `${about} The limits mark ${marks(first, values)}`,
      ...catalog,
      `  - ${row(name, first)}`,
      ...applications.flatMap((each) => ofApplication(each, history.median)),
    ];
  }
  return [
    `${about} Which direction is better? Uncomment the correct row.`,
    ...catalog,
    ...options.flatMap((option) => [
      `  #   ${option.higher_is_better ? 'Higher' : 'Lower'} is better: marks ${marks(option, values)}`,
      `  # - ${row(name, option)}`,
    ]),
  ];
}

/** @param all the median over all applications */
function ofApplication(
  { application, experiments, history, options }: ApplicationSuggestion,
  all: number,
): string[] {
  const [option] = options;
  if (!option) return [];
  const name = scalar(history.metric_name);
  const { values, median } = history;
  const about = `  #   ${scalar(application)} differs: ${values} values, median ${short(median)} instead of ${short(all)}.`;
  if (experiments.length === 0) {
    return [`${about} Its experiments have runs of other applications, too: no row can name it alone.`];
  }
  const rows = experiments.map((id) => `  - ${row(name, option, `experiment_id: ${quoted(id)}, `)}`);
  return [`${about} Limits of its own mark ${marks(option, values)}`, ...rows];
}

function row(name: string, { limits }: Option, experiment = ''): string {
  const critical = limits.critical === null ? '' : `critical_threshold: ${limits.critical}, `;
  return `{ metric_name: ${name}, ${experiment}${critical}warning_threshold: ${limits.warning} }`;
}

function marks({ critical, warning }: Option, values: number): string {
  const part = (count: number) => `${((100 * count) / values).toFixed(1)} %`;
  return `${critical} critical (${part(critical)}), ${warning} warning (${part(warning)}).`;
}

const short = (value: number): string => String(Number(value.toPrecision(4)));

/** Words that YAML does not read as text. */
const WORDS = /^(true|false|null|yes|no|on|off|y|n)$/i;

const scalar = (text: string): string =>
  /^[A-Za-z_][\w./-]*$/.test(text) && !WORDS.test(text) ? text : quoted(text);

/** A text in double quotes. YAML and some parsers of JSON refuse control characters in it. */
const quoted = (text: string): string => escapeControls(JSON.stringify(text));
