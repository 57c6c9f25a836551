import { parser } from '@prometheus-io/lezer-promql';

/** What a PromQL expression asks for. */
export interface Asked {
  readonly metric: string;
  /** Of its matchers: the values of `=` and `!=`, the alternatives of `=~` and `!~`. */
  readonly matchers: readonly { readonly label: string; readonly values: readonly string[] }[];
}

/**
 * Reads an expression; Grafana's variables may stand for durations.
 * @returns what it selects, and the labels by which it groups
 * @throws {SyntaxError}
 */
export function readPromql(text: string): { asked: Asked[]; grouping: string[] } {
  const expression = text.replaceAll('$__rate_interval', '5m');
  const asked: { metric: string; matchers: { label: string; values: string[] }[] }[] = [];
  const grouping: string[] = [];
  parser.parse(expression).iterate({
    enter: ({ name, type, from, to, node }) => {
      const source = expression.slice(from, to);
      if (type.isError) throw new SyntaxError(`at ${from}: ${text}`);
      if (name === 'Identifier' && node.parent?.name === 'VectorSelector') {
        asked.push({ metric: source, matchers: [] });
      }
      if (name === 'LabelName' && node.parent?.name === 'GroupingLabels') grouping.push(source);
      if (name === 'UnquotedLabelMatcher') {
        const [, label = '', values = ''] = /^(\w+)\s*(?:=~|!~|!=|=)\s*"(.*)"$/.exec(source) ?? [];
        asked.at(-1)?.matchers.push({ label, values: values.split('|') });
      }
    },
  });
  return { asked, grouping };
}
