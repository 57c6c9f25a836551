// Writes the tables of docs/datasets.md, and the columns that readers/python knows: `npm run datasets`.
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { DATASETS } from '../src/storage/datasets.js';
import { code, markdownTable } from './markdown.js';

function dictionary(): string {
  return Object.entries(DATASETS)
    .map(([dataset, { rowPer, sortedBy, columns }]) => {
      const rows = columns.map(({ name, type, unit = '', nulls = 'never', since = 1, meaning }) => [
        code(name),
        code(type.replace('TIMESTAMP WITH TIME ZONE', 'TIMESTAMPTZ')),
        unit,
        nulls,
        String(since),
        meaning,
      ]);
      const table = markdownTable(['column', 'type', 'unit', 'null if', 'since', 'meaning'], rows);
      return `### ${code(dataset)}\n\nOne row per ${rowPer}, sorted by ${sortedBy.map(code).join(', ')}.\n\n${table}`;
    })
    .join('\n\n');
}

const GENERATED = /<!-- dictionary -->[\s\S]*<!-- \/dictionary -->/;

/** The page with its generated part replaced. */
export const withDictionary = (page: string): string =>
  page.replace(GENERATED, () => `<!-- dictionary -->\n\n${dictionary()}\n\n<!-- /dictionary -->`);

/** The types of the columns by dataset, for the Python module. */
export function pythonSchemas(): string {
  const typesOf = ({ columns }: (typeof DATASETS)[keyof typeof DATASETS]) =>
    Object.fromEntries(columns.map(({ name, type }) => [name, type]));
  const schemas = Object.entries(DATASETS).map(([dataset, described]) => [dataset, typesOf(described)]);
  return `${JSON.stringify(Object.fromEntries(schemas), null, 2)}\n`;
}

export const PYTHON_SCHEMAS = 'readers/python/src/mlflow_monitor_reader/datasets.json';
const PAGE = 'docs/datasets.md';
if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  writeFileSync(PAGE, withDictionary(readFileSync(PAGE, 'utf8')));
  writeFileSync(PYTHON_SCHEMAS, pythonSchemas());
}
