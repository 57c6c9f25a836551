import { parser } from '@prometheus-io/lezer-promql';

/** A vector selector of a PromQL expression. */
export interface Selector {
  readonly metric: string;
  /** Values of `=` and `!=` matchers, alternatives of `=~` and `!~` matchers. */
  readonly matchers: readonly { readonly label: string; readonly values: readonly string[] }[];
}

/**
 * Parses an expression, in which durations may be Grafana's `$__rate_interval`.
 * @returns its selectors and the labels it groups by
 * @throws {SyntaxError}
 */
export function parsePromql(text: string): { selectors: Selector[]; grouping: string[] } {
  const expression = text.replaceAll('$__rate_interval', '5m');
  const selectors: { metric: string; matchers: { label: string; values: string[] }[] }[] = [];
  const grouping: string[] = [];
  parser.parse(expression).iterate({
    enter: ({ name, type, from, to, node }) => {
      const source = expression.slice(from, to);
      if (type.isError) throw new SyntaxError(`at ${from}: ${text}`);
      if (name === 'Identifier' && node.parent?.name === 'VectorSelector') {
        selectors.push({ metric: source, matchers: [] });
      }
      if (name === 'LabelName' && node.parent?.name === 'GroupingLabels') grouping.push(source);
      if (name === 'UnquotedLabelMatcher') {
        const [, label = '', values = ''] = /^(\w+)\s*(?:=~|!~|!=|=)\s*"(.*)"$/.exec(source) ?? [];
        selectors.at(-1)?.matchers.push({ label, values: values.split('|') });
      }
    },
  });
  return { selectors, grouping };
}
