// Writes the tables of docs/metrics.md: `npm run metrics`.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { PREFIX } from '../src/health/metrics.js';
import { PROCESS_METRICS } from '../src/health/process-metrics.js';
import { SERVICE_METRICS } from '../src/health/service-metrics.js';
import { code, markdownTable } from './markdown.js';

const TABLES = [
  ['Service metrics: every process reports the same value', SERVICE_METRICS],
  ['Process metrics: each process reports its own value', PROCESS_METRICS],
] as const;

function metricsTables(): string {
  return TABLES.map(([title, metrics]) => {
    const rows = Object.entries(metrics).map(([name, { type, labels, help }]) => [
      code(PREFIX + name),
      type,
      labels.map(code).join(', '),
      help,
    ]);
    return `### ${title}\n\n${markdownTable(['name', 'type', 'labels', 'meaning'], rows)}`;
  }).join('\n\n');
}

const GENERATED = /<!-- metrics -->[\s\S]*<!-- \/metrics -->/;

/** The page with its generated part replaced. */
export const withMetrics = (page: string): string =>
  page.replace(GENERATED, () => `<!-- metrics -->\n\n${metricsTables()}\n\n<!-- /metrics -->`);

const PAGE = 'docs/metrics.md';
if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(PAGE, withMetrics(readFileSync(PAGE, 'utf8')));
}
