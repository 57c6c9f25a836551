// Writes the tables of docs/metrics.md: `npm run metrics`.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { METRICS, PREFIX } from '../src/health/metrics.js';
import { code, markdownTable } from './markdown.js';

const TITLES = {
  service: 'Service metrics: every process reports the same value',
  process: 'Process metrics: each process reports its own value',
} as const;

function metricsTables(): string {
  return Object.entries(TITLES)
    .map(([scope, title]) => {
      const rows = Object.entries(METRICS)
        .filter(([, { of }]) => of === scope)
        .map(([name, { type, labels, help }]) => [
          code(PREFIX + name),
          type,
          labels.map(code).join(', '),
          help,
        ]);
      return `### ${title}\n\n${markdownTable(['name', 'type', 'labels', 'meaning'], rows)}`;
    })
    .join('\n\n');
}

const GENERATED = /<!-- metrics -->[\s\S]*<!-- \/metrics -->/;

/** The page with its generated part replaced. */
export const withMetrics = (page: string): string =>
  page.replace(GENERATED, () => `<!-- metrics -->\n\n${metricsTables()}\n\n<!-- /metrics -->`);

const PAGE = 'docs/metrics.md';
if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(PAGE, withMetrics(readFileSync(PAGE, 'utf8')));
}
