import { LEAST_VALUES } from './suggest-limits.js';
import type { Option, Suggestion, Suggestions } from './suggest-thresholds.js';

/**
 * The suggestions as a file to edit, in the shape of the catalog and with the reasons beside them. What a person has to
 * decide is there, commented out.
 * @param name of the file, for the settings that use it
 */
export function suggestionsFile(suggestions: Suggestions, name: string): string {
  const { runs, first_day, last_day, metrics } = suggestions;
  const decided = metrics.filter(({ direction, options }) => direction !== null && options.length > 0);
  return [
    `# Thresholds suggested from ${runs} runs of ${first_day} to ${last_day}. Read them, change them, then set both:`,
    `#   METRICS_API_URL=file:${name} THRESHOLDS_API_URL=file:${name}`,
    '# critical: the worst 1 % of the stored values are beyond it; warning: the worst 5 %. Exactly on a limit is the better side.',
    '# They say what was rare, not what is good: a limit that the business knows is better than any of these.',
    '# A row with an `experiment_id` beside them overrides one for that experiment.',
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

function threshold({ history, direction, options, rule }: Suggestion): string[] {
  const { metric_name, values, invalid, min, median, max } = history;
  const bad = invalid > 0 ? `, ${invalid} invalid` : '';
  const about = `${values} values${bad}, ${short(min)} to ${short(max)}, median ${short(median)}`;
  const now = [
    rule.critical_threshold === null ? [] : [`critical ${rule.critical_threshold}`],
    rule.warning_threshold === null ? [] : [`warning ${rule.warning_threshold}`],
  ].flat();
  const force = now.length > 0 ? [`  #   The catalog has: ${now.join(', ')}.`] : [];
  const name = scalar(metric_name);
  const [first] = options;
  if (!first) {
    const why = values < LEAST_VALUES ? 'Too few' : 'Too much alike';
    return [`  # ${name}: ${about}. ${why} to tell what is rare.`, ...force];
  }
  if (direction !== null) {
    return [`  # ${name}: ${about}. ${marks(first, values)}`, ...force, `  - ${row(name, first)}`];
  }
  return [
    `  # ${name}: ${about}. Which way is better? Take the # from the row that is right.`,
    ...force,
    ...options.flatMap((option) => [
      `  #   ${option.higher_is_better ? 'Higher' : 'Lower'} is better: ${marks(option, values)}`,
      `  # - ${row(name, option)}`,
    ]),
  ];
}

function row(name: string, { limits }: Option): string {
  const critical = limits.critical === null ? '' : `critical_threshold: ${limits.critical}, `;
  return `{ metric_name: ${name}, ${critical}warning_threshold: ${limits.warning} }`;
}

function marks({ critical, warning }: Option, values: number): string {
  const part = (count: number) => `${((100 * count) / values).toFixed(1)} %`;
  return `Marks ${critical} critical (${part(critical)}), ${warning} warning (${part(warning)}).`;
}

const short = (value: number): string => String(Number(value.toPrecision(4)));

/** Words that YAML would not read as text. */
const WORDS = /^(true|false|null|yes|no|on|off|y|n)$/i;

const scalar = (text: string): string =>
  /^[A-Za-z_][\w./-]*$/.test(text) && !WORDS.test(text) ? text : JSON.stringify(text);
