import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { METRICS, PREFIX } from '../src/health/metrics.js';

const TITLES = {
  service: 'Of the whole service: the same in every process',
  process: 'Of one process',
} as const;

/** The tables of docs/metrics.md. */
export function metricsTables(): string {
  return Object.entries(TITLES)
    .map(([scope, title]) =>
      [
        `### ${title}`,
        '',
        '| name | type | labels | meaning |',
        '| --- | --- | --- | --- |',
        ...Object.entries(METRICS)
          .filter(([, { of }]) => of === scope)
          .map(
            ([name, { type, labels, help }]) =>
              `| \`${PREFIX}${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
          ),
      ].join('\n'),
    )
    .join('\n\n');
}

const MARKED = /<!-- metrics -->[\s\S]*<!-- \/metrics -->/;

export const withMetrics = (page: string): string =>
  page.replace(MARKED, () => `<!-- metrics -->\n\n${metricsTables()}\n\n<!-- /metrics -->`);

const PAGE = 'docs/metrics.md';
if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(PAGE, withMetrics(readFileSync(PAGE, 'utf8')));
}
